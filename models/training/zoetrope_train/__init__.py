"""Training of Zoetrope's motion network.

Reading order:

* `classes`      what the network can see, and how teachers' classes map onto it
* `sources`      which photos and clips exist, how they are split by source and weighted
* `teachers`     the frozen networks that label photos
* `photo_cache`  photos with their teachers' answers, on disk
* `clip_motion`  what moves in a clip of a camera at rest, by optical flow
* `clip_cache`   first frames of such clips with what was measured, on disk
* `world_cache`  scenes of the procedural world with exact labels, on disk
* `labels`       hand corrections of the teachers' labels
* `batches`      crops, flips and colours: from caches to tensors
* `network`      the network itself, with its structural guarantees
* `losses`       what the network is asked to reproduce
* `trainer`      the optimisation loop, checkpoints, wall-clock schedule
* `export`       ONNX file, its description, and the proof that both agree

Everything derived from photos and clips stays in the work folder given on the command
line; nothing here writes below the repository except `export`.
"""
