"""Figures of the motion network on photos and scenes it was not trained on.

* `runner`    the shipped ONNX file, run the way the product runs it
* `photos`    classes and the gate against the teacher; smoke against drawn masks
* `scenes`    motion, depth and light against the procedural world's truth
* `guarantees` what holds by construction, tried on the file
* `evaluate`  the command that prints all tables
"""
