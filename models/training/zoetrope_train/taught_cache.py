"""What our own large teacher says of every photo, as arrays on disk.

What depends on the wind is kept for a few winds.
"""

import json
from pathlib import Path

import numpy as np

#: Winds (x, y) that were asked about: calm, and a breeze to either side.
WINDS = ((0.0, 0.0), (0.6, 0.0), (-0.6, 0.0))
GRID, SPECTRUM_GRID = 64, 32
#: Array name -> (shape per photo, dtype); 8-bit arrays hold 0..1 as 0..255.
ARRAYS = {
    "taught_classes": ((GRID, GRID, 10), np.uint8),
    "taught_mobility": ((GRID, GRID), np.uint8),
    "taught_light": ((GRID, GRID), np.uint8),
    "taught_flow": ((len(WINDS), GRID, GRID, 2), np.float16),
    "taught_spectrum": ((len(WINDS), SPECTRUM_GRID, SPECTRUM_GRID, 32), np.float16),
}


def make_taught_cache(work_dir, count):
    """Empty arrays for `count` photos; whoever fills them says so by `finish_taught_cache`."""
    folder = Path(work_dir) / "taught"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "done.json").unlink(missing_ok=True)
    for name, (shape, dtype) in ARRAYS.items():
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, (count,) + shape)


def open_taught_cache(work_dir, mode="r"):
    """The arrays by name."""
    folder = Path(work_dir) / "taught"
    return {name: np.load(folder / f"{name}.npy", mmap_mode=mode) for name in ARRAYS}


def finish_taught_cache(work_dir, count):
    """Note that all `count` photos are there."""
    (Path(work_dir) / "taught" / "done.json").write_text(json.dumps(count))


def read_taught_cache(work_dir, count):
    """Its arrays by name when all `count` photos are taught, or None."""
    file = Path(work_dir) / "taught" / "done.json"
    is_whole = file.exists() and json.loads(file.read_text()) == count
    return open_taught_cache(work_dir) if is_whole else None
