"""Clips of cameras at rest with their measured motion, as arrays on disk.

Each row is the start of a window of about three seconds and what moves in it,
with the segmentation teacher's answer for the frame it starts from.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from .classes import INDEX, LOGIT_SCALE, ade_to_class_matrix
from .clip_motion import FAST_HZ, GRID, MOVING, SLOW_HZ, UNKNOWN, measure, read_windows
from .feature_cache import read_features
from .sources import KINDS, Clip, read_clips
from .teachers import Mosaic

IMAGE_PX = 256
WINDOW_S, WINDOW_S_MIN = 3.0, 0.8
#: Array name -> (shape per row, dtype); flow and spectrum as in `clip_motion`.
ARRAYS = {
    "rgb": ((IMAGE_PX, IMAGE_PX, 3), np.uint8),
    "flow": ((GRID, GRID, 2), np.float16),
    "spectrum": ((GRID, GRID, 32), np.float16),
    "moving": ((GRID, GRID), np.uint8),
    "steady": ((GRID, GRID), np.uint8),
    "kinds": ((GRID, GRID), np.uint8),
    "logits": ((GRID, GRID, 32), np.uint8),
}
#: Kind of a clip -> what the teacher's sky, foliage and all else are in it.
#: Fire and smoke are not among the teacher's classes: there it is not asked.
_PARTS = {
    "cloud": ("cloud", "foliage", "none"),
    "fog": ("fog", "foliage", "fog"),
    "fall": ("cloud", "foliage", "fall"),
    "river": ("cloud", "foliage", "river"),
    "sea": ("cloud", "foliage", "sea"),
    "ripple": ("ripple", "foliage", "ripple"),
    "foliage": ("cloud", "foliage", "foliage"),
    "cloth": ("cloud", "foliage", "cloth"),
}
#: Kinds that are too fast for the slow rate.
FAST = ("smoke", "fire", "fall")
#: Kinds that go with the wind, and what is needed to say where it blows: this
#: share of the picture, moving sideways by this share of its speed.
DRIFTING = ("cloud", "fog", "smoke", "foliage", "cloth")
WIND_AREA, WIND_SIDEWAYS = 0.05, 0.6


@dataclass(frozen=True)
class Row:
    """Where a row comes from; `wind_side` is -1, 0 for unknown, or 1."""

    file: str
    frame: int
    seconds: float
    width_px: int
    height_px: int
    wind_side: int


@dataclass(frozen=True)
class ClipCache:
    """All rows, read-only; `clips[i]` is the clip of `rows[i]`."""

    rows: tuple
    clips: tuple
    arrays: dict

    def __len__(self):
        return len(self.rows)


def teacher_classes(logits):
    """Probabilities [64, 64, 10] of our classes from the teacher's quantised logits."""
    z = logits.astype(np.float32) * LOGIT_SCALE
    p = np.exp(z - z.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True) @ ade_to_class_matrix()


def _kinds(kind, logits):
    """What would move in each cell, indices into KINDS, [64, 64]."""
    sky, foliage, other = _PARTS.get(kind, (kind,) * 3)
    best = teacher_classes(logits).argmax(-1)
    kinds = np.full((GRID, GRID), KINDS.index(other), np.uint8)
    kinds[best == INDEX["sky"]] = KINDS.index(sky)
    kinds[best == INDEX["foliage"]] = KINDS.index(foliage)
    return kinds


def _wind_side(flow, steady, kinds):
    """Side the wind blows to, from what drifts; 0 when that is not clear."""
    drifts = (steady > 0) & np.isin(kinds, [KINDS.index(k) for k in DRIFTING])
    if drifts.mean() < WIND_AREA:
        return 0
    mean = flow[drifts].mean(0)
    clear = abs(mean[0]) > WIND_SIDEWAYS * np.linalg.norm(flow[drifts], axis=-1).mean()
    return int(np.sign(mean[0])) if clear else 0


def _label(window, kind, mosaic):
    """Cache arrays and the wind's side of one window."""
    large = cv2.resize(window.reference, (512, 512), interpolation=cv2.INTER_AREA)
    logits = mosaic(large)["logits"]
    kinds = _kinds(kind, logits)
    motion = measure(window)
    moving = motion.moving.copy()
    nobody_asks = np.isin(kinds, [KINDS.index("none"), KINDS.index("actor")])
    moving[nobody_asks & (moving == MOVING)] = UNKNOWN
    steady = motion.steady & (moving == MOVING)
    row = {
        "rgb": cv2.resize(large, (IMAGE_PX, IMAGE_PX), interpolation=cv2.INTER_AREA),
        "flow": motion.flow,
        "spectrum": motion.spectrum,
        "moving": moving,
        "steady": steady,
        "kinds": kinds,
        "logits": logits,
    }
    return row, _wind_side(motion.flow, steady, kinds)


def write_clip_cache(data_dir, work_dir, log=print):
    """Measure every clip; starts over each time, which takes minutes.

    New arrays take the old ones' place by name, so a trainer that has mapped
    the old ones goes on with them.
    """
    folder = Path(work_dir) / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    mosaic = Mosaic(Path(data_dir) / "teachers")
    rows, labels = [], []
    for clip in read_clips(data_dir):
        rate_hz = FAST_HZ if clip.kind in FAST else SLOW_HZ
        path = Path(data_dir) / clip.file
        for window in read_windows(path, rate_hz, WINDOW_S, WINDOW_S_MIN):
            label, side = _label(window, clip.kind, mosaic)
            width_px, height_px = window.clip_size_px
            rows.append(Row(clip.file, window.frame, window.seconds, width_px, height_px, side))
            labels.append(label)
    for name, (_, dtype) in ARRAYS.items():
        temporary = folder / f"{name}.tmp.npy"
        np.save(temporary, np.stack([label[name] for label in labels]).astype(dtype))
        temporary.rename(folder / f"{name}.npy")
    (folder / "index.json").write_text(json.dumps([asdict(row) for row in rows]))
    log(f"measured {len(rows)} windows of {len({row.file for row in rows})} clips")


def read_clip_cache(data_dir, work_dir, with_features=False):
    """The cache, or None when there is none."""
    folder = Path(work_dir) / "clips"
    if not (folder / "index.json").exists():
        return None
    rows = tuple(Row(**row) for row in json.loads((folder / "index.json").read_text()))
    known: dict[str, Clip] = {clip.file: clip for clip in read_clips(data_dir)}
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    if with_features:
        features = read_features(folder, len(rows))
        if not features:
            return None
        arrays |= features
    return ClipCache(rows, tuple(known[row.file] for row in rows), arrays)
