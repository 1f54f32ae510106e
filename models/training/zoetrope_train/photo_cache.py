"""Photos with their teachers' answers, as memory-mapped arrays on disk.

The writer fills the arrays in a fixed shuffled order and counts what is done,
so the trainer can read the finished part while the writer goes on.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .classes import ADE20K_32, LOGIT_SCALE
from .sources import Photo, read_manifest
from .teachers import Meter, Mosaic

#: Array name -> shape per photo; everything is uint8.
SHAPES = {
    "rgb": (256, 256, 3),
    "tap4": (64, 64, 64),
    "tap8": (32, 32, 128),
    "tap16": (16, 16, 160),
    "tap32": (8, 8, 96),
    "decoder": (32, 32, 128),
    "logits": (64, 64, 32),
    "depth": (64, 64),
    "smoke": (64, 64),
}
OUTDOOR = [ADE20K_32.index(n) for n in
           ("sky", "tree", "road", "grass", "sidewalk", "earth", "mountain",
            "water", "sea", "field", "building", "house", "car")]
INDOOR = [ADE20K_32.index(n) for n in
          ("wall", "floor", "ceiling", "bed", "cabinet", "table", "curtain",
           "chair", "painting", "sofa", "shelf", "mirror", "rug", "armchair")]
ORDER_SEED = 3
PROGRESS_EVERY = 25


@dataclass(frozen=True)
class PhotoCache:
    """The finished part of the cache, read-only."""

    photos: tuple
    arrays: dict

    def __len__(self):
        return len(self.photos)


def _folder(work_dir):
    return Path(work_dir) / "photos"


def _read_rgb(path):
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return None if bgr is None else bgr[:, :, ::-1]


def _outdoor_share(logits):
    """How much of a photo looks outdoors, 0..1, from quantised logits."""
    z = logits.astype(np.float32) * LOGIT_SCALE
    p = np.exp(z - z.max(-1, keepdims=True))
    p = (p / p.sum(-1, keepdims=True)).mean((0, 1))
    outdoor, indoor = p[OUTDOOR].sum(), p[INDOOR].sum()
    return float(outdoor / (outdoor + indoor + 1e-6))


def _label(photo, data_dir, mosaic, meter):
    """All arrays of one photo, or None when the file cannot be read."""
    rgb = _read_rgb(Path(data_dir) / photo.file)
    if rgb is None:
        return None
    large = cv2.resize(rgb, (512, 512), interpolation=cv2.INTER_AREA)
    row = mosaic(large)
    row["rgb"] = cv2.resize(large, (256, 256), interpolation=cv2.INTER_AREA)
    row["depth"] = np.rint(meter(rgb, _outdoor_share(row["logits"])) * 255)
    if photo.is_smoke:
        mask = cv2.imread(str(Path(data_dir) / photo.mask_file()), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            return None
        row["smoke"] = cv2.resize(mask, (64, 64), interpolation=cv2.INTER_AREA)
    return row


def write_photo_cache(data_dir, work_dir, log=print):
    """Label every photo of the manifest; resumes where it stopped."""
    folder = _folder(work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    photos = read_manifest(data_dir)
    order = np.random.RandomState(ORDER_SEED).permutation(len(photos))
    photos = [photos[i] for i in order]
    index_file = folder / "index.json"
    index = {"files": [], "skipped": 0}
    if index_file.exists():
        index = json.loads(index_file.read_text())
    mode = "r+" if index["files"] else "w+"
    arrays = {
        name: np.lib.format.open_memmap(
            folder / f"{name}.npy", mode, np.uint8, (len(photos),) + shape
        )
        for name, shape in SHAPES.items()
    }
    teachers = Path(data_dir) / "teachers"
    mosaic, meter = Mosaic(teachers), Meter(teachers)
    cv2.setNumThreads(1)

    def save():
        temporary = index_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(index))
        temporary.rename(index_file)

    for photo in photos[len(index["files"]) + index["skipped"]:]:
        row = _label(photo, data_dir, mosaic, meter)
        if row is None:
            index["skipped"] += 1
            log(f"unreadable: {photo.file}")
            continue
        for name, value in row.items():
            arrays[name][len(index["files"])] = value
        index["files"].append(photo.file)
        if len(index["files"]) % PROGRESS_EVERY == 0:
            save()
        if len(index["files"]) % 500 == 0:
            log(f"labelled {len(index['files'])} of {len(photos)}")
    save()
    log(f"labelled {len(index['files'])}, unreadable {index['skipped']}")


def read_photo_cache(data_dir, work_dir):
    """The finished part of the cache, or None when there is none yet."""
    index_file = _folder(work_dir) / "index.json"
    if not index_file.exists():
        return None
    files = json.loads(index_file.read_text())["files"]
    known: dict[str, Photo] = {p.file: p for p in read_manifest(data_dir)}
    arrays = {
        name: np.load(_folder(work_dir) / f"{name}.npy", mmap_mode="r")
        for name in SHAPES
    }
    return PhotoCache(tuple(known[f] for f in files), arrays)
