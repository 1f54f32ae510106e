"""From caches to tensors: crops, flips, stretches and colours.

Crops start at multiples of 32 px so that every cached grid can be cut at the
same place; the crop is then stretched to the training size, features and all.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from .classes import CLASSES, INDEX, STILL_CLASSES
from .clip_cache import teacher_classes
from .clip_motion import MOVING, REST, SWAY_S_MIN
from .labels import FIRE_SOURCE, without_people
from .sources import KINDS, PETAL_SOURCES, STILL_LIFE_SOURCES
from .taught_cache import WINDS

IMAGE_PX = 256
CELL_PX = 32
#: The training size that the crops below are listed for.
LISTED_PX = 192

#: Photo crops (width, height) in px of 256; narrow ones undo the squashing.
PHOTO_CROPS = (
    [(192, 192)] * 5
    + [(160, 192), (160, 224), (128, 192), (192, 256), (160, 256), (256, 256),
       (224, 224), (160, 160), (128, 160), (96, 128), (128, 128), (224, 256)]
)
#: Chances of a picture to be changed by gamma, blurred, without colours, noisy.
REGAMMAED, BLURRED, COLOURLESS, NOISY = 0.5, 0.25, 0.06, 0.2
#: World crops are square, since directions matter there.
WORLD_CROPS = [160] * 2 + [192] * 6 + [224] * 5 + [256] * 7
#: Chance that a crop of a clip undoes the squashing to a square.
UNSQUASH = 0.7
#: Kinds whose direction a still shows, those of which it shows the axis only,
#: and those that are asked for their direction when the wind is known.
DIRECTED, AXIAL, BLOWN = ("smoke", "fire", "fall"), ("river", "sea"), ("cloud", "fog")
SWAYING = ("sea", "ripple", "foliage", "cloth")
#: What a place of a clip is that moves the way its kind does.
KIND_CLASSES = {
    "cloud": "sky", "fog": "smoke", "smoke": "smoke", "fire": "fire", "fall": "water_flow",
    "river": "water_flow", "sea": "water_still", "ripple": "water_still",
    "foliage": "foliage", "cloth": "cloth",
}
#: Chance of clips in which only actors move, relative to 1.
ACTORS_WEIGHT = 0.4
#: How much rest counts where the teacher sees what could move: it may just be calm.
CALM_TRUST = 0.25
TAPS = ("tap4", "tap8", "tap16", "tap32", "decoder")


#: Rows of one-hot classes by kind; zeros for what moves by itself.
_CLASS_OF_KIND = np.zeros((len(KINDS), len(CLASSES)), np.float32)
for _kind, _class in KIND_CLASSES.items():
    _CLASS_OF_KIND[KINDS.index(_kind), INDEX[_class]] = 1.0


@dataclass(frozen=True)
class FeatureScale:
    """Mean and spread per channel of each of the teacher's features, [1, C, 1, 1] by name."""

    mean: dict
    spread: dict

    @classmethod
    def of(cls, cache, samples=200):
        """That of a photo cache's features; the same draws each time."""
        picked = np.sort(np.random.RandomState(1).permutation(len(cache))[:samples])
        mean, spread = {}, {}
        for name in TAPS:
            values = np.stack([cache.arrays[name][i] for i in picked])
            values = values.reshape(-1, values.shape[-1]).astype(np.float32)
            mean[name] = torch.from_numpy(values.mean(0)).view(1, -1, 1, 1)
            spread[name] = torch.from_numpy(values.std(0) + 0.5).view(1, -1, 1, 1)
        return cls(mean, spread)

    def scaled(self, name, value):
        """A feature [B, C, h, w] around 0 with a spread of about 1 per channel."""
        return (value.float() - self.mean[name]) / self.spread[name]

    def apply(self, batch):
        """Scale those features that a batch holds, in place."""
        for name in TAPS:
            if name in batch:
                batch[name] = self.scaled(name, batch[name])


def _cut(array, index, x, y, width, height, mirror):
    unit = array.shape[1] * CELL_PX // IMAGE_PX
    cell = array[index, y * unit : (y + height) * unit, x * unit : (x + width) * unit]
    return cell[:, ::-1] if mirror else cell


def _stack(cells):
    tensor = torch.from_numpy(np.ascontiguousarray(np.stack(cells)))
    return tensor.permute(0, 3, 1, 2) if tensor.ndim == 4 else tensor.unsqueeze(1)


def _crop_cells(length_px, size_px):
    """Crop length in cells, in proportion when training at another size."""
    cells = round(length_px * size_px / LISTED_PX / CELL_PX)
    return min(cells, IMAGE_PX // CELL_PX)


def _fit(tensor, size):
    if tuple(tensor.shape[-2:]) == (size, size):
        return tensor.float()
    return F.interpolate(tensor.float(), (size, size), mode="bilinear", antialias=False)


def _places(rng, count, width, height):
    """Random crop corners in cells, and mirror flags."""
    side = IMAGE_PX // CELL_PX
    xs = rng.randint(0, side - width + 1, count)
    ys = rng.randint(0, side - height + 1, count)
    return xs, ys, rng.rand(count) < 0.5


def _crops(arrays, rows, xs, ys, width, height, mirrors, size_px):
    """A crop of every row by name, [B, C, h, w], in proportion to a picture of `size_px`."""
    batch = {}
    for name, array in arrays.items():
        cells = [
            _cut(array, i, x, y, width, height, mirror)
            for i, x, y, mirror in zip(rows, xs, ys, mirrors, strict=True)
        ]
        batch[name] = _fit(_stack(cells), array.shape[1] * size_px // IMAGE_PX)
    return batch


def recolour(x, generator):
    """Random gamma, saturation, contrast, white balance, blur and noise on RGB 0..1."""
    def draw(low, high, channels=1):
        shape = (len(x), channels, 1, 1)
        return torch.rand(shape, generator=generator, device=x.device) * (high - low) + low

    x = x.clamp(min=1e-4) ** torch.exp(draw(-0.45, 0.45) * (draw(0, 1) < REGAMMAED))
    x = _blurred(x, draw(0, 1) * (draw(0, 1) < BLURRED))
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * draw(0.3, 1.6) * (draw(0, 1) > COLOURLESS)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = ((x - mean) * draw(0.65, 1.35) + mean + draw(-0.12, 0.12)) * draw(0.88, 1.12, 3)
    noise = torch.randn(x.shape, generator=generator, device=x.device)
    x = x + noise * draw(0, 0.05) * (draw(0, 1) < NOISY)
    return x.clamp(0, 1)


def _blurred(x, share):
    """A blur over two pixels, by a share 0..1 for each picture."""
    coarse = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2.0, mode="bilinear")
    return x + (coarse - x) * share


def photo_flags(photos):
    """What is known beforehand of photos, [n] by name; see `class_targets`."""
    return {
        "is_fire": np.array([p.source == FIRE_SOURCE for p in photos]),
        "is_smoke": np.array([p.is_smoke for p in photos]),
        "is_petal": np.array([p.source in PETAL_SOURCES for p in photos]),
        "is_still_life": np.array([p.source in STILL_LIFE_SOURCES for p in photos]),
    }


class PhotoBatches:
    """Draws photo batches from the finished part of the cache.

    `opinions` judges the labels, see there, and `taught` holds our own large
    teacher's answers, see `taught_cache`; either may be None.
    """

    def __init__(self, cache, opinions, taught, scale, rng):
        self.cache, self.taught, self.scale, self.rng = cache, taught, scale, rng
        self.arrays = cache.arrays | (opinions or {})
        weights = np.array([p.weight for p in cache.photos], np.float64)
        self.chance = weights / weights.sum()
        self.flags = photo_flags(cache.photos)

    def draw(self, count, size_px):
        """A batch by name; teacher features are normalised, colours untouched.

        What was taught comes for the winds of the batch; lengths follow the
        mirror, stay in whole photos' widths and are isotropic in the crop.
        """
        picked = self.rng.choice(len(self.chance), count, p=self.chance)
        width, height = PHOTO_CROPS[self.rng.randint(len(PHOTO_CROPS))]
        width, height = _crop_cells(width, size_px), _crop_cells(height, size_px)
        xs, ys, mirrors = _places(self.rng, count, width, height)
        window = (xs, ys, width, height, mirrors, size_px)
        batch = _crops(self.arrays, picked, *window)
        batch |= {name: torch.from_numpy(flag[picked]) for name, flag in self.flags.items()}
        if self.taught is None:
            batch["wind"] = random_wind(self.rng, count)
        else:
            batch |= self._taught(picked, window)
            batch["taught_classes"] = without_people(
                batch["taught_classes"], batch["is_petal"], batch["is_still_life"]
            )
        self.scale.apply(batch)
        for name in ("rgb", "depth", "smoke", "label_trust", "face"):
            if name in batch:
                batch[name] = (batch[name] / 255.0).clamp(0, 1)
        return batch


    def _taught(self, picked, window):
        """The large teacher's answers at winds that it was asked about."""
        _, _, width, height, mirrors, _ = window
        winds = self.rng.randint(0, len(WINDS), len(picked))
        by_wind = {
            name: np.stack([self.taught[name][i, w] for i, w in zip(picked, winds, strict=True)])
            for name in ("taught_flow", "taught_spectrum")
        }
        calm = {name: a for name, a in self.taught.items() if name not in by_wind}
        batch = _crops(calm, picked, *window)
        for name, value in batch.items():
            batch[name] = (value / 255.0).clamp(0, 1)
        batch |= _crops(by_wind, range(len(picked)), *window)
        sides = torch.from_numpy(np.where(mirrors, -1.0, 1.0).astype(np.float32))
        wind = torch.tensor(WINDS)[winds]
        batch["wind"] = torch.stack([wind[:, 0] * sides, wind[:, 1]], 1)
        sides, stretch = sides.view(-1, 1, 1, 1), width / height
        flow, spectrum = batch["taught_flow"], batch["taught_spectrum"]
        batch["taught_flow"] = torch.cat([flow[:, :1] * sides, flow[:, 1:] * stretch], 1)
        along_x = torch.arange(spectrum.shape[1]).view(1, -1, 1, 1) % 4 < 2
        spectrum = torch.where(along_x, spectrum * sides, spectrum * stretch)
        batch["taught_spectrum"] = F.interpolate(spectrum, flow.shape[-2:], mode="bilinear")
        return batch


class WorldBatches:
    """Draws batches of procedural scenes with exact labels."""

    def __init__(self, cache, scale, rng):
        self.cache, self.scale, self.rng = cache, scale, rng

    def draw(self, count, size_px):
        """A batch by name; flow and spectrum follow the mirror and stay in whole scenes' widths.

        Told in fractions of the crop, speeds came out a fifth too high on whole scenes.
        """
        picked = self.rng.randint(0, len(self.cache), count)
        side = WORLD_CROPS[self.rng.randint(len(WORLD_CROPS))]
        cells_across = _crop_cells(side, size_px)
        xs, ys, mirrors = _places(self.rng, count, cells_across, cells_across)
        batch = _crops(
            self.cache.arrays, picked, xs, ys, cells_across, cells_across, mirrors, size_px
        )
        for name in ("rgb", "classes", "mobility", "depth", "light"):
            batch[name] = (batch[name] / 255.0).clamp(0, 1)
        self.scale.apply(batch)
        batch["wind"] = torch.from_numpy(self.cache.wind[picked])
        mirror = torch.from_numpy(np.where(mirrors, -1.0, 1.0).astype(np.float32))
        batch["wind"] = torch.stack([batch["wind"][:, 0] * mirror, batch["wind"][:, 1]], 1)
        mirror = mirror.view(-1, 1, 1, 1)
        batch["flow"][:, 0:1] *= mirror
        spectrum = batch["spectrum"]
        channel = torch.arange(spectrum.shape[1]).view(1, -1, 1, 1) % 4 < 2
        batch["spectrum"] = torch.where(channel, spectrum * mirror, spectrum)
        return batch


class ClipBatches:
    """Draws first frames of clips with what was measured after them.

    Lengths stay in whole pictures' widths, isotropic in the pixels of the
    crop as it is handed out, as the network's interface wants them.
    """

    def __init__(self, cache, scale, rng):
        self.cache, self.scale, self.rng = cache, scale, rng
        sources = [clip.source for clip in cache.clips]
        self.chance = np.array([self._weight(c) / sources.count(c.source) ** 0.5
                                for c in cache.clips])
        self.chance /= self.chance.sum()

    @staticmethod
    def _weight(clip):
        if clip.is_test:
            return 0.0
        return ACTORS_WEIGHT if clip.kind in ("none", "actor") else 1.0

    def _crop(self, row, size_px):
        """Crop width and height in cells; the shorter of both undoes the squashing."""
        width = height = _crop_cells(WORLD_CROPS[self.rng.randint(len(WORLD_CROPS))], size_px)
        if self.rng.rand() < UNSQUASH:
            aspect = row.width_px / row.height_px
            width = max(2, round(width * min(1, 1 / aspect)))
            height = max(2, round(height * min(1, aspect)))
        return width, height

    def cells(self, i):
        """What the losses ask for, by name, [64, 64, C] float; see `clip_losses`."""
        a, row, clip = self.cache.arrays, self.cache.rows[i], self.cache.clips[i]
        kinds, steady = np.asarray(a["kinds"][i]), np.asarray(a["steady"][i]) > 0
        moving, rest = a["moving"][i] == MOVING, a["moving"][i] == REST
        still = teacher_classes(a["logits"][i])[..., [INDEX[c] for c in STILL_CLASSES]].sum(-1)

        def among(names):
            return np.isin(kinds, [KINDS.index(name) for name in names])

        directed = among(DIRECTED) | (among(BLOWN) & (row.wind_side != 0))
        timed = among(DIRECTED + AXIAL + BLOWN) & (not clip.is_timelapse)
        masks = {
            "moving": moving,
            "rest": rest * np.maximum(still, CALM_TRUST),
            "directed": steady & directed,
            "axial": steady & among(AXIAL),
            "timed": steady & timed,
            "sways": moving & among(SWAYING) & (row.seconds >= SWAY_S_MIN),
        }
        cells = {name: np.float32(mask)[..., None] for name, mask in masks.items()}
        cells["moving_class"] = _CLASS_OF_KIND[kinds] * cells["moving"]
        cells["flow"] = np.float32(a["flow"][i])
        cells["spectrum"] = np.float32(a["spectrum"][i])
        cells["rgb"] = a["rgb"][i]
        if TAPS[0] in a:
            cells |= {name: a[name][i] for name in (*TAPS, "logits")}
        return cells

    def draw(self, count, size_px):
        """A batch by name; flow, spectrum and wind follow the mirror."""
        picked = self.rng.choice(len(self.chance), count, p=self.chance)
        drawn = [self._draw_one(i, size_px) for i in picked]
        return {name: torch.cat([one[name] for one in drawn]) for name in drawn[0]}

    def _draw_one(self, i, size_px):
        width, height = self._crop(self.cache.rows[i], size_px)
        xs, ys, mirrors = _places(self.rng, 1, width, height)
        one = {}
        for name, array in self.cells(i).items():
            cell = _cut(array[None], 0, xs[0], ys[0], width, height, mirrors[0])
            one[name] = _fit(_stack([cell]), array.shape[1] * size_px // IMAGE_PX)
        one["rgb"] = (one["rgb"] / 255.0).clamp(0, 1)
        self.scale.apply(one)
        one["wind"] = self._wind(self.cache.rows[i].wind_side)
        side = -1.0 if mirrors[0] else 1.0
        one["wind"][:, 0] *= side
        one["flow"] *= torch.tensor([side, width / height]).view(1, 2, 1, 1)
        one["spectrum"] *= torch.tensor([side, side, width / height, width / height]).repeat(
            one["spectrum"].shape[1] // 4
        ).view(1, -1, 1, 1)
        return one

    def _wind(self, side):
        """A wind [1, 2] to the side that was seen, or any when none was."""
        wind = random_wind(self.rng, 1)
        if side:
            wind[:, 0] = side * (0.3 + 0.7 * self.rng.rand())
        return wind


def random_wind(rng, count):
    """Winds [count, 2] of length 0..1, any direction, mostly sideways."""
    length = rng.rand(count)
    angle = rng.rand(count) * 2 * np.pi
    wind = np.stack([length * np.cos(angle), 0.3 * length * np.sin(angle)], 1)
    return torch.from_numpy(wind.astype(np.float32))
