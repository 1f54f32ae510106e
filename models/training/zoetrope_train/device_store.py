"""Training material in a device's memory: photos, views of them with labels, scenes, clips.

Everything stays as bytes or half floats, channels first.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from .classes import CLASSES
from .taught_cache import WINDS
from .world_cache import ARRAYS as SCENE_ARRAYS

#: Side of a stored view and of the segmentation teacher's input, in px.
VIEW_PX, TEACHER_PX = 384, 512
#: Side of the pictures from which labels are found by colour, and of the labels.
COLOUR_PX, GRID = 256, 64
#: Photos that are taken in at once.
TAKEN_AT_ONCE = 64
#: View array -> (shape, dtype); features lie as the teacher gives them, unpooled.
VIEW_ARRAYS = {
    "rgb": ((3, VIEW_PX, VIEW_PX), torch.uint8),
    "tap4": ((64, 64, 64), torch.uint8),
    "tap8": ((128, 32, 32), torch.uint8),
    "tap16": ((160, 32, 32), torch.uint8),
    "tap32": ((96, 32, 32), torch.uint8),
    "decoder": ((128, 32, 32), torch.uint8),
    "logits": ((32, GRID, GRID), torch.uint8),
    "classes": ((len(CLASSES), GRID, GRID), torch.uint8),
    "trust": ((1, GRID, GRID), torch.uint8),
    "depth": ((1, GRID, GRID), torch.uint8),
    "taught_classes": ((len(CLASSES), GRID, GRID), torch.uint8),
    "taught_mobility": ((1, GRID, GRID), torch.uint8),
    "taught_light": ((1, GRID, GRID), torch.uint8),
    "taught_flow": ((len(WINDS), 2, GRID, GRID), torch.float16),
    "taught_spectrum": ((len(WINDS), 32, GRID // 2, GRID // 2), torch.float16),
}
#: Fields 0..1 that came with each photo.
TOLD = ("smoke", "face", "depth_outdoor", "depth_indoor")
#: What is known of each photo beforehand, see `class_targets`.
FLAGS = ("is_fire", "is_smoke", "is_petal", "is_still_life")


def _decoded(code, side):
    """Uint8 RGB [3, side, side] of a file's bytes, squeezed into a square."""
    rgb = cv2.imdecode(code, cv2.IMREAD_COLOR)[:, :, ::-1]
    return np.ascontiguousarray(
        cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
    ), rgb.shape[1] / rgb.shape[0]


def _codes(part):
    ends = np.cumsum(part["lengths"])
    return np.split(part["codes"], ends[:-1])


class PhotoStore:
    """Photos of the parts of a pack that have arrived in `folder`, as squares of 512 px."""

    def __init__(self, folder, device, capacity):
        self.folder, self.device, self.capacity = Path(folder), device, capacity
        self.flags = {name: torch.zeros(capacity, dtype=torch.bool, device=device) for name in FLAGS}
        self.weight, self.aspect = np.zeros(capacity), np.ones(capacity)
        self._large = torch.zeros((capacity, 3, TEACHER_PX, TEACHER_PX), dtype=torch.uint8, device=device)
        self._told = {name: torch.zeros((capacity, 1, GRID, GRID), dtype=torch.float16, device=device)
                      for name in TOLD}
        self.count, self.smoke_rows, self._read, self._waiting = 0, np.zeros(0, int), set(), []
        self._pool = ThreadPoolExecutor(8)

    def look(self):
        """Begin to read the parts that have arrived since the last look."""
        for file in sorted(self.folder.glob("photos_*.npz")):
            if file.name in self._read:
                continue
            self._read.add(file.name)
            with np.load(file) as arrays:
                part = dict(arrays)
            smoke = np.zeros((len(part["weight"]), GRID, GRID), np.uint8)
            smoke[part["is_smoke"]] = part["smoke"]
            part["smoke"] = smoke
            codes = _codes(part)
            for at in range(0, len(codes), TAKEN_AT_ONCE):
                rows = slice(at, at + TAKEN_AT_ONCE)
                decoded = [self._pool.submit(_decoded, code, TEACHER_PX) for code in codes[rows]]
                self._waiting.append((decoded, {k: part[k][rows] for k in ("weight", *TOLD, *FLAGS)}))

    def take_some(self):
        """Take in the next few photos that have been read."""
        if not self._waiting:
            return
        futures, part = self._waiting.pop(0)
        pictures, aspects = zip(*(future.result() for future in futures), strict=True)
        rows = slice(self.count, self.count + len(pictures))
        if rows.stop > self.capacity:
            raise ValueError(f"more photos than the {self.capacity} that were made room for")
        for name in TOLD:
            field = torch.from_numpy(part[name]).to(self.device).float().unsqueeze(1) / 255
            self._told[name][rows] = F.interpolate(field, (GRID, GRID), mode="bilinear").half()
        for name in FLAGS:
            self.flags[name][rows] = torch.from_numpy(part[name]).to(self.device)
        self._large[rows] = torch.from_numpy(np.stack(pictures)).to(self.device)
        self.weight[rows], self.aspect[rows] = part["weight"], aspects
        self.smoke_rows = np.append(self.smoke_rows, self.count + np.flatnonzero(part["is_smoke"]))
        self.count = rows.stop

    def cut(self, picked, at):
        """Windows `at` of the photos `picked`: pictures 0..255, and by name what came with them."""
        rows = torch.from_numpy(picked).to(self.device)
        told = {name: at.cut(held[rows], GRID, GRID) for name, held in self._told.items()}
        told |= {name: held[rows] for name, held in self.flags.items()}
        return at.cut(self._large[rows], TEACHER_PX, TEACHER_PX), told

    def cut_smoke(self, picked, sizes, rng):
        """Photos `picked` with their smoke at `sizes` times its size somewhere, and its masks 0..1."""
        side = np.where(rng.rand(len(picked)) < 0.5, -1.0, 1.0)
        affine = np.zeros((len(picked), 2, 3), np.float32)
        affine[:, 0, 0], affine[:, 1, 1] = side / sizes, 1 / sizes
        affine[:, :, 2] = rng.uniform(-0.5, 0.5, (len(picked), 2))
        shape = (len(picked), 1, TEACHER_PX, TEACHER_PX)
        grid = F.affine_grid(torch.from_numpy(affine).to(self.device), shape, align_corners=False)
        rows = torch.from_numpy(picked).to(self.device)
        large = F.grid_sample(self._large[rows].float(), grid, "bilinear", "border", align_corners=False)
        mask = F.grid_sample(self._told["smoke"][rows].float(), grid, "bilinear", "zeros", align_corners=False)
        return large, mask


class ViewStore:
    """The newest views with what the teachers say of them, as many as there is room for."""

    def __init__(self, device, capacity):
        self.device, self.capacity, self.labelled = device, capacity, 0
        self.arrays = {
            name: torch.zeros((capacity, *shape), dtype=dtype, device=device)
            for name, (shape, dtype) in VIEW_ARRAYS.items()
        }
        self.flags = {name: torch.zeros(capacity, dtype=torch.bool, device=device) for name in FLAGS}
        #: Width over height; 0 where none is held.
        self.aspect = np.zeros(capacity)

    @property
    def count(self):
        """Views that are held."""
        return min(self.labelled, self.capacity)

    def add(self, rows, flags, aspect):
        """Hold labelled views in the place of the oldest."""
        at = (self.labelled + np.arange(len(aspect))) % self.capacity
        places = torch.from_numpy(at).to(self.device)
        for name, array in self.arrays.items():
            array[places] = rows[name]
        for name, held in self.flags.items():
            held[places] = flags[name]
        self.aspect[at] = aspect
        self.labelled += len(aspect)


class SceneStore:
    """The newest scenes, as many as there is room for."""

    def __init__(self, device, capacity):
        self.device, self.capacity, self.drawn = device, capacity, 0
        self.arrays = {}
        for name, (shape, dtype) in SCENE_ARRAYS.items():
            channels_first = (shape[2], *shape[:2]) if len(shape) == 3 else (1, *shape)
            kind = torch.uint8 if dtype == np.uint8 else torch.float16
            self.arrays[name] = torch.zeros((capacity, *channels_first), dtype=kind, device=device)
        self.wind = torch.zeros((capacity, 2), device=device)

    @property
    def count(self):
        """Scenes that are held."""
        return min(self.drawn, self.capacity)

    def add(self, rows):
        """Hold `rows`, arrays [n, ...] by name, in the place of the oldest."""
        count = len(rows["wind"])
        places = torch.arange(self.drawn, self.drawn + count, device=self.device) % self.capacity
        for name, array in self.arrays.items():
            value = torch.from_numpy(rows[name]).to(self.device)
            array[places] = value.permute(0, 3, 1, 2) if value.ndim == 4 else value.unsqueeze(1)
        self.wind[places] = torch.from_numpy(rows["wind"]).to(self.device)
        self.drawn += count


class ClipStore:
    """Windows of clips with what was measured in them."""

    def __init__(self, file, device):
        with np.load(file) as arrays:
            held = dict(arrays)
        self.arrays = {}
        for name, value in held.items():
            if name.startswith("field/"):
                planes = torch.from_numpy(value).permute(0, 3, 1, 2).contiguous()
                self.arrays[name.removeprefix("field/")] = planes.to(device)
        rgb = np.stack([_decoded(code, COLOUR_PX)[0] for code in _codes(held)])
        self.arrays["rgb"] = torch.from_numpy(rgb).to(device)
        self.chance, self.aspect, self.wind_side = held["chance"], held["aspect"], held["wind_side"]
