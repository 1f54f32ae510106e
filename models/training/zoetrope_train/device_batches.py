"""Batches cut on the device: every picture with a crop, a scale and a mirror of its own."""

import math

import numpy as np
import torch

from .batches import TAPS, UNSQUASH, random_wind
from .device_teachers import pooled
from .export import PROFILES
from .taught_cache import WINDS
from .windows import Windows

#: Shapes (width, height) at full size, by what photos they are for: the product's three
#: profiles, a little smaller.
SHAPES = {"landscape": (320, 192), "portrait": (192, 320), "square": (256, 256)}
#: The product's own input sizes, for the end of a training.
WHOLE_SHAPES = dict(zip(SHAPES, PROFILES, strict=True))
#: The same at the start, when more pictures are worth more than larger ones.
EARLY_SHAPES = {"landscape": (256, 160), "portrait": (160, 256), "square": (192, 192)}
#: Chance of a batch of each shape.
SHAPE_CHANCE = {"landscape": 0.6, "portrait": 0.15, "square": 0.25}
#: Aspects (width over height) of the photos that a shape is for.
ASPECTS = {"landscape": (1.15, 9.0), "portrait": (0.0, 0.95), "square": (0.75, 1.5)}
#: How much larger or smaller things are than when the product looks at the whole picture.
SCALE = (0.7, 1.4)
#: Scales for the end of a training.
WHOLE_SCALE = (0.9, 1.25)
#: Change of a photo's aspect, as a factor.
STRETCH = 1.15
#: Width in px at which the product sees a whole picture of each shape.
SEEN_PX = {name: width for name, (width, _) in WHOLE_SHAPES.items()}


def _scales(rng, count, bounds):
    low, high = math.log(bounds[0]), math.log(bounds[1])
    return np.exp(low + (high - low) * rng.rand(count))


def _told(arrays, picked, at, width, height):
    """Pictures of a store and all that it tells of them, bytes as 0..1."""
    batch = {}
    for name, array in arrays.items():
        size = (width, height) if name == "rgb" else (width // 4, height // 4)
        batch[name] = at.cut(array[picked], *size)
        if array.dtype == torch.uint8:
            batch[name] = (batch[name] / 255).clamp(0, 1)
    at.turn(batch, "", width, height)
    return batch


class DeviceBatches:
    """Draws the parts of a batch, all of one shape, from the stores."""

    def __init__(self, material, device, rng):
        self.views, self.scenes, self.clips = material.views, material.scenes, material.clips
        self.teachers, self.device, self.rng = material.teachers, device, rng

    def shape(self, progress, early_share, whole_share):
        """Name, size and range of scales of the next batch."""
        name = self.rng.choice(list(SHAPE_CHANCE), p=list(SHAPE_CHANCE.values()))
        if progress < early_share:
            return name, EARLY_SHAPES[name], SCALE
        if progress < 1 - whole_share:
            return name, SHAPES[name], SCALE
        return name, WHOLE_SHAPES[name], WHOLE_SCALE

    def _picked(self, rows):
        return torch.from_numpy(rows).to(self.device)

    def draw_views(self, count, shape):
        """Views of photos with their labels."""
        name, (width, height), scales = shape
        store = self.views
        low, high = ASPECTS[name]
        chance = np.float64((store.aspect >= low) & (store.aspect <= high) & (store.aspect > 0))
        rows = self.rng.choice(len(chance), count, p=chance / chance.sum())
        share = width / (SEEN_PX[name] * _scales(self.rng, count, scales))
        stretch = np.sqrt(_scales(self.rng, count, (1 / STRETCH, STRETCH)))
        at = Windows(self.rng, np.minimum(share * stretch, 1), np.minimum(share / stretch, 1), self.device)
        picked, arrays = self._picked(rows), store.arrays
        batch = {"rgb": at.cut(arrays["rgb"][picked], width, height) / 255}
        w, h = width // 4, height // 4
        for key in ("logits", "classes", "trust", "depth", "taught_classes", "taught_mobility",
                    "taught_light"):
            batch[key] = at.cut(arrays[key][picked], w, h)
            batch[key] = batch[key] if key == "logits" else (batch[key] / 255).clamp(0, 1)
        for key in TAPS:
            cells = (w, h) if key == "tap4" else (w // 2, h // 2)
            batch[key] = self.teachers.scale.scaled(key, pooled(key, at.cut(arrays[key][picked], *cells)))
        winds = self._picked(self.rng.randint(0, len(WINDS), count))
        for key in ("taught_flow", "taught_spectrum"):
            batch[key] = at.cut(arrays[key][picked, winds], w, h)
        at.turn(batch, "taught_", width, height)
        batch["wind"] = at.turned_wind(torch.tensor(WINDS, device=self.device)[winds])
        return batch | {flag: held[picked] for flag, held in store.flags.items()}

    def draw_scenes(self, count, shape):
        """Scenes with exact labels."""
        name, (width, height), scales = shape
        picked = self._picked(self.rng.randint(0, self.scenes.count, count))
        share = width / (SEEN_PX[name] * _scales(self.rng, count, scales))
        at = Windows(self.rng, share, share * height / width, self.device)
        batch = _told(self.scenes.arrays, picked, at, width, height)
        batch["wind"] = at.turned_wind(self.scenes.wind[picked])
        return batch

    def draw_clips(self, count, shape):
        """First frames of clips with what was measured after them."""
        name, (width, height), scales = shape
        store = self.clips
        rows = self.rng.choice(len(store.chance), count, p=store.chance / store.chance.sum())
        share = width / (SEEN_PX[name] * _scales(self.rng, count, scales))
        unsquashed = self.rng.rand(count) < UNSQUASH
        true = store.aspect[rows] * height / width
        down = share * np.where(unsquashed, true, 1.0)
        at = Windows(self.rng, share, down, self.device)
        picked = self._picked(rows)
        batch = _told(store.arrays, picked, at, width, height)
        wind = random_wind(self.rng, count).to(self.device)
        side = torch.from_numpy(store.wind_side[rows]).to(self.device)
        strength = torch.from_numpy(0.3 + 0.7 * self.rng.rand(count)).float().to(self.device)
        wind[:, 0] = torch.where(side != 0, side * strength, wind[:, 0])
        batch["wind"] = at.turned_wind(wind)
        return batch
