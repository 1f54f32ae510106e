"""The ten classes of the network and the map from the teacher's ADE20K-32."""

import numpy as np

CLASSES = (
    "rigid",
    "sky",
    "water_still",
    "water_flow",
    "smoke",
    "fire",
    "foliage",
    "cloth",
    "person",
    "vehicle",
)
INDEX = {name: i for i, name in enumerate(CLASSES)}

#: Classes that never move unless the requester asks for it.
STILL_CLASSES = ("rigid", "person", "vehicle")
#: Classes whose pixels may move.
MOVABLE_CLASSES = tuple(c for c in CLASSES if c not in STILL_CLASSES)

#: Class names of the MOSAIC teacher, in the order of its logits.
ADE20K_32 = (
    "other", "wall", "building", "sky", "floor", "tree", "ceiling", "road",
    "bed", "window", "grass", "cabinet", "sidewalk", "person", "earth", "door",
    "table", "mountain", "plant", "curtain", "chair", "car", "water",
    "painting", "sofa", "shelf", "house", "sea", "mirror", "rug", "field",
    "armchair",
)

#: Scale of the MOSAIC teacher's quantised logits (zero point 0).
LOGIT_SCALE = 0.0962192565202713

_ADE_TO_CLASS = {
    "sky": "sky",
    "water": "water_still",
    "sea": "water_still",
    "tree": "foliage",
    "grass": "foliage",
    "plant": "foliage",
    "field": "foliage",
    "person": "person",
    "curtain": "cloth",
    "car": "vehicle",
}


def ade_to_class_matrix():
    """Matrix [32, 10] that sums the teacher's probabilities into our classes.

    The teacher knows one water: it lands in `water_still`, and the losses
    compare the sum of both waters.  Whatever is not named is rigid.
    """
    matrix = np.zeros((len(ADE20K_32), len(CLASSES)), np.float32)
    for row, name in enumerate(ADE20K_32):
        matrix[row, INDEX[_ADE_TO_CLASS.get(name, "rigid")]] = 1.0
    return matrix
