"""The segmentation teacher's features of scenes and clips, beside their caches.

Photos have theirs in `photo_cache`.  The student never sees these; our own
large teacher stands on them.
"""

from pathlib import Path

import cv2
import numpy as np

from .photo_cache import SHAPES
from .teachers import MOSAIC_TENSORS, Mosaic

PROGRESS_EVERY = 200


def write_features(data_dir, folder, log=print):
    """Add the features of every picture in `folder/rgb.npy`; starts over when the count differs."""
    folder = Path(folder)
    pictures = np.load(folder / "rgb.npy", mmap_mode="r")
    if read_features(folder, len(pictures)):
        return
    mosaic = Mosaic(Path(data_dir) / "teachers")
    arrays = {
        name: np.lib.format.open_memmap(
            folder / f"{name}.tmp.npy", "w+", np.uint8, (len(pictures),) + SHAPES[name]
        )
        for name in MOSAIC_TENSORS
    }
    for i, rgb in enumerate(pictures):
        size = (Mosaic.SIZE_PX, Mosaic.SIZE_PX)
        for name, value in mosaic(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC)).items():
            arrays[name][i] = value
        if (i + 1) % PROGRESS_EVERY == 0:
            log(f"features of {i + 1} of {len(pictures)} in {folder.name}")
    for name, array in arrays.items():
        array.flush()
        (folder / f"{name}.tmp.npy").rename(folder / f"{name}.npy")


def read_features(folder, count):
    """The features of `count` pictures by name, or none of them when some are missing."""
    files = {name: Path(folder) / f"{name}.npy" for name in MOSAIC_TENSORS}
    if not all(file.exists() for file in files.values()):
        return {}
    arrays = {name: np.load(file, mmap_mode="r") for name, file in files.items()}
    return arrays if all(len(a) >= count for a in arrays.values()) else {}
