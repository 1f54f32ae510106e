"""Figures of the motion network on photos, scenes and clips it was not trained on.

* `runner`    the shipped ONNX file, run the way the product runs it
* `photos`    classes and the gate against the teacher; smoke against drawn masks
* `control`   seed, strength, arrow and mask, tried on photos
* `scenes`    motion, depth and light against the procedural world's truth
* `resampling` how sure a share or an AUC is, from few clips of few sources
* `clips`     what moves, whereto and how fast against motion measured in clips
* `sheet`     a picture of clips, measured and predicted flow, and the gate
* `guarantees` what holds by construction, tried on the file
* `evaluate`  the command that prints all tables
"""
