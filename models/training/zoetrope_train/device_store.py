"""Training material in a device's memory: photos with labels, scenes, clips.

Photos are decoded by the processor and labelled on the device by the
segmentation teacher and by our own large teacher as they arrive.  Everything
stays as bytes or half floats, channels first.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from .batches import TAPS, FeatureScale
from .classes import CLASSES
from .labels import class_targets, without_people
from .mosaic_graph import MosaicGraph
from .own_teacher import OwnTeacher
from .pack import CLIPS, TEACHERS
from .precision import halved_where_fast
from .taught_cache import WINDS
from .teach import answers_of, shrunk_spectra
from .teachers import MOSAIC_TENSORS
from .windows import Windows
from .world_cache import ARRAYS as SCENE_ARRAYS

#: Side of a stored photo and of the segmentation teacher's input, in px.
PHOTO_PX, TEACHER_PX = 384, 512
#: Side of the pictures from which labels are found by colour, and of the labels.
COLOUR_PX, GRID = 256, 64
#: Photos that are labelled at once.
LABELLED_AT_ONCE = 32
#: Photo array -> (shape, dtype); features lie as the teacher gives them, unpooled.
PHOTO_ARRAYS = {
    "rgb": ((3, PHOTO_PX, PHOTO_PX), torch.uint8),
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
#: Fields 0..1 that came with each photo; see `class_targets`.
TOLD = ("smoke", "label_trust", "face", "depth")
#: Chance of views at a step, the share of a photo's sides that they show, and the logarithm
#: of the largest change of their aspect.
VIEWS_CHANCE, VIEW_SHARE, VIEW_STRETCH = 0.25, (0.4, 0.95), 0.3
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


def _bytes(value):
    return (value * 255).round().clamp(0, 255).to(torch.uint8)


def pooled(name, value):
    """A tensor of the segmentation teacher on the grid on which it is learnt from."""
    pooling = MOSAIC_TENSORS[name][1]
    return F.avg_pool2d(value, pooling) if pooling > 1 else value


class Teachers:
    """Both teachers on the device, and the scale of the first one's features."""

    def __init__(self, file, device):
        with np.load(file) as arrays:
            held = dict(arrays)

        def under(prefix):
            return {k.removeprefix(prefix): v for k, v in held.items() if k.startswith(prefix)}

        self._half = torch.float16 if device.type == "cuda" else torch.float32
        mosaic = {k: v.astype(np.float32) for k, v in under("mosaic/").items()}
        self.mosaic = MosaicGraph(mosaic, str(held["graph"])).to(device, self._half)
        self.own = OwnTeacher()
        state = {k: torch.from_numpy(np.asarray(v)).float() for k, v in under("own/").items()}
        self.own.load_state_dict(state)
        self.own = self.own.eval().to(device)
        self.scale = FeatureScale(*(
            {k: torch.from_numpy(v).to(device) for k, v in under(f"{part}/").items()}
            for part in ("mean", "spread")
        ))

    @torch.no_grad()
    def label(self, large, told):
        """Photo arrays of pictures [B, 3, 512, 512] in 0..255; `told` came with them."""
        seen = self.mosaic(large.to(self._half))
        rows = {name: seen[name].float() for name in TAPS}
        rows["logits"] = pooled("logits", seen["logits"].float())
        small = F.interpolate(large.float(), (COLOUR_PX, COLOUR_PX), mode="area") / 255
        batch = told | {"logits": rows["logits"], "rgb": small}
        classes, trust = class_targets(batch)
        taps = {name: self.scale.scaled(name, pooled(name, rows[name])) for name in TAPS}
        with halved_where_fast(large.device.type):
            p, mobility, flows, spectra, light = answers_of(
                self.own, taps | {"logits": rows["logits"]}, small
            )
        known = without_people(p.float(), told["is_petal"], told["is_still_life"])
        rows = {name: value.round().to(torch.uint8) for name, value in rows.items()}
        return rows | {
            "rgb": F.interpolate(large.float(), (PHOTO_PX, PHOTO_PX), mode="area").to(torch.uint8),
            "classes": _bytes(classes),
            "trust": _bytes(trust),
            "depth": _bytes(told["depth"]),
            "taught_classes": _bytes(known),
            "taught_mobility": _bytes(mobility.float()),
            "taught_light": _bytes(light.float()),
            "taught_flow": torch.stack(flows, 1).half(),
            "taught_spectrum": torch.stack(shrunk_spectra(spectra), 1).half(),
        }


class PhotoStore:
    """Photos of the parts that have arrived in `folder`, and views of them, labelled step by step.

    A view is a crop that the teachers are asked about as if it were a photo of its own:
    they say other things about it, as about a new photo.  The newest views are kept, in the
    rows behind those of the photos.
    """

    def __init__(self, folder, teachers, device, photos, views, rng):
        self.folder, self.teachers, self.device, self.rng = Path(folder), teachers, device, rng
        rows = photos + views
        self.arrays = {
            name: torch.zeros((rows, *shape), dtype=dtype, device=device)
            for name, (shape, dtype) in PHOTO_ARRAYS.items()
        }
        self.flags = {name: torch.zeros(rows, dtype=torch.bool, device=device) for name in FLAGS}
        self.weight, self.aspect = np.zeros(rows), np.ones(rows)
        self._large = torch.zeros((photos, 3, TEACHER_PX, TEACHER_PX), dtype=torch.uint8, device=device)
        self._told = {name: torch.zeros((photos, 1, GRID, GRID), dtype=torch.float16, device=device)
                      for name in TOLD}
        self.count, self.viewed, self._read, self._waiting = 0, 0, set(), []
        self._pool = ThreadPoolExecutor(8)

    def look(self):
        """Take in the parts that have arrived since the last look."""
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
            for at in range(0, len(codes), LABELLED_AT_ONCE):
                rows = slice(at, at + LABELLED_AT_ONCE)
                decoded = [self._pool.submit(_decoded, code, TEACHER_PX) for code in codes[rows]]
                told = {k: part[k][rows] for k in ("weight", *TOLD, *FLAGS)}
                self._waiting.append((decoded, told))

    def label_some(self):
        """Label the next few photos that wait, or now and then a few views."""
        if self._waiting:
            self._label_photos(*self._waiting.pop(0))
        elif len(self.weight) > len(self._large) and self.rng.rand() < VIEWS_CHANCE:
            self._label_views()

    def _label_photos(self, futures, part):
        pictures, aspects = zip(*(future.result() for future in futures), strict=True)
        rows = slice(self.count, self.count + len(pictures))
        if rows.stop > len(self._large):
            raise ValueError(f"more photos than the {len(self._large)} that were made room for")
        told = {}
        for name in TOLD:
            field = torch.from_numpy(part[name]).to(self.device).float().unsqueeze(1) / 255
            told[name] = F.interpolate(field, (GRID, GRID), mode="bilinear").clamp(0, 1)
            self._told[name][rows] = told[name].half()
        for name in FLAGS:
            told[name] = torch.from_numpy(part[name]).to(self.device)
        self._large[rows] = torch.from_numpy(np.stack(pictures)).to(self.device)
        self._hold(torch.arange(rows.start, rows.stop, device=self.device), self._large[rows], told)
        self.weight[rows], self.aspect[rows] = part["weight"], aspects
        self.count = rows.stop

    def _label_views(self):
        weight = self.weight[: self.count]
        picked = self.rng.choice(self.count, LABELLED_AT_ONCE, p=weight / weight.sum())
        low, high = VIEW_SHARE
        across = low + (high - low) * self.rng.rand(len(picked))
        down = across * np.exp(VIEW_STRETCH * (2 * self.rng.rand(len(picked)) - 1))
        at = Windows(self.rng, across, down, self.device)
        source = torch.from_numpy(picked).to(self.device)
        told = {name: at.cut(held[source], GRID, GRID) for name, held in self._told.items()}
        told |= {name: held[source] for name, held in self.flags.items()}
        views = len(self.weight) - len(self._large)
        rows = len(self._large) + (self.viewed + np.arange(len(picked))) % views
        large = at.cut(self._large[source], TEACHER_PX, TEACHER_PX)
        self._hold(torch.from_numpy(rows).to(self.device), large, told)
        self.weight[rows] = self.weight[picked]
        self.aspect[rows] = self.aspect[picked] / at.down_over_across.cpu().numpy()
        self.viewed += len(picked)

    def _hold(self, rows, large, told):
        for name, value in self.teachers.label(large, told).items():
            self.arrays[name][rows] = value
        for name in FLAGS:
            self.flags[name][rows] = told[name]


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


def open_stores(folder, device, rng, photos, views, scenes):
    """The features' scale, photos, scenes and clips; `photos`, `views` and `scenes` are made room for."""
    teachers = Teachers(Path(folder) / TEACHERS, device)
    return (
        teachers.scale,
        PhotoStore(folder, teachers, device, photos, views, rng),
        SceneStore(device, scenes),
        ClipStore(Path(folder) / CLIPS, device),
    )
