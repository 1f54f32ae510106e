"""Pictures with and without smoke, for the head that finds it.

Real photos of smoke with drawn masks are few, so smoke is also cut out of them
and put into photos without; and the photos without that look most like it are
drawn most often.
"""

import cv2
import numpy as np

from .classes import INDEX
from .labels import FIRE_SOURCE
from .sources import SAMPLING_WEIGHTS, read_manifest

#: Long side at which pictures are held, and what a whole picture is seen at, in px.
HELD_PX, SEEN_PX, SEEN_PORTRAIT_PX = 448, 384, 288
#: Size of a crop, (width, height).
CROP = (320, 192)
#: How much larger or smaller things are than in the product's look, and by how much the
#: aspect changes, as factors.
SCALE, STRETCH = (0.75, 1.5), 1.13
#: Chance that a crop of a photo with smoke is laid around a place of it.
AROUND_SMOKE = 0.6
#: What a batch is made of.
KINDS = ("smoke",) * 4 + ("drawn",) * 2 + ("pasted",) * 4 + ("without",) * 6 + ("world",) * 2
#: Photos of a source whose smoke was drawn by a program.
DRAWN_SOURCE = "smoke5k_synthetic"
#: Least chance of a photo without smoke, relative to 1.
CHANCE_MIN = 0.2
#: Share of the smoke that is cut from real photos, of the backgrounds that show smoke
#: already, and of the scenes of the world that show some.
CUT_FROM_REAL, ONTO_SMOKE, SMOKY_SCENES = 0.6, 0.5, 0.6
#: Shares of a scene's area that count as some smoke.
SMOKY = (0.003, 0.5)
#: Size of smoke that is pasted, in px of the crop, its largest magnification, brightness,
#: density, and the share from which its mask counts.
PASTED_PX, MAGNIFIED_MAX, GAIN, DENSITY, DENSE = (14, 150), 2.5, (0.75, 1.2), (0.45, 1.0), 0.12
#: Chance that pasted smoke is greyer than it was.
GREYED = 0.4
#: Chance of a photo that is never taken for smoke, the most, and what makes the difference,
#: per share of its area that is.
HARD_MIN, HARD_MAX, HARD_GAIN = 0.3, 6.0, 120.0


def _held(path, flags):
    """A picture at the size at which it is held, or None when it cannot be read."""
    picture = cv2.imread(str(path), flags)
    if picture is None:
        return None
    shrink = HELD_PX / max(picture.shape[:2])
    how = cv2.INTER_AREA if shrink < 1 else cv2.INTER_LINEAR
    size = [max(96, round(side * shrink)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=how)


class SmokeMaterial:
    """All training photos with their masks of smoke, and scenes of the world."""

    def __init__(self, data_dir, world, rng, log=print):
        self.rng = rng
        self.pictures, self.masks = [], []
        rows = {"smoke": [], "drawn": [], "without": []}
        chances = []
        for photo in read_manifest(data_dir):
            # Photos of fires show smoke that nobody has drawn.
            if photo.is_test or photo.source == FIRE_SOURCE:
                continue
            picture = _held(data_dir / photo.file, cv2.IMREAD_COLOR)
            if picture is None:
                continue
            mask = None
            if photo.is_smoke:
                mask = _held(data_dir / photo.mask_file(), cv2.IMREAD_GRAYSCALE)
                kind = "drawn" if photo.source == DRAWN_SOURCE else "smoke"
            else:
                kind = "without"
                chances.append(max(CHANCE_MIN, SAMPLING_WEIGHTS.get(photo.source, 1.0)))
            rows[kind].append(len(self.pictures))
            self.pictures.append(np.ascontiguousarray(picture[:, :, ::-1]))
            self.masks.append(mask)
        self.rows = {kind: np.array(held) for kind, held in rows.items()}
        self.chance, self.hard = np.array(chances), np.ones(len(chances))
        self.world = world.arrays
        smoke = np.array([(scene[..., INDEX["smoke"]] > 127).mean() for scene in self.world["classes"]])
        self.smoky = np.flatnonzero((smoke > SMOKY[0]) & (smoke < SMOKY[1]))
        self.clear = np.flatnonzero(smoke == 0)
        log(f"photos with smoke {len(rows['smoke'])} and {len(rows['drawn'])}, without "
            f"{len(rows['without'])}, scenes with smoke {len(self.smoky)}")

    def batch(self):
        """Crops [n, h, w, 3], masks of smoke [n, h, w], whether all of it is in the mask, and
        for each crop the number of its photo without smoke, -1 for others."""
        drawn = [self._drawn(kind) for kind in KINDS]
        crops, masks, known, numbers = zip(*drawn, strict=True)
        return np.stack(crops), np.stack(masks), np.array(known), np.array(numbers)

    def learn(self, numbers, mistaken):
        """Note which share of a photo without smoke was taken for smoke."""
        for number, share in zip(numbers, mistaken, strict=True):
            if number >= 0:
                self.hard[number] = HARD_MIN + min(HARD_MAX, HARD_GAIN * share)

    def _drawn(self, kind):
        rng = self.rng
        if kind == "world":
            return (*self._scene(), True, -1)
        if kind in ("smoke", "drawn"):
            row = rng.choice(self.rows[kind])
            return (*self._crop(self.pictures[row], self.masks[row]), True, -1)
        number, row = -1, rng.choice(self.rows["smoke"])
        if kind == "without" or rng.rand() >= ONTO_SMOKE:
            chance = self.chance * self.hard
            number = rng.choice(len(chance), p=chance / chance.sum())
            row = self.rows["without"][number]
        crop, mask = self._crop(self.pictures[row], self.masks[row])
        known = self.masks[row] is not None
        if kind == "pasted":
            return (*self._pasted(crop, mask), known, -1)
        return crop, mask, known, number

    def _scene(self):
        row = self.rng.choice(self.smoky if self.rng.rand() < SMOKY_SCENES else self.clear)
        sides = (HELD_PX, HELD_PX)
        smoke = np.ascontiguousarray(self.world["classes"][row][..., INDEX["smoke"]])
        return self._crop(cv2.resize(np.asarray(self.world["rgb"][row]), sides), cv2.resize(smoke, sides))

    def _crop(self, picture, mask):
        """A crop of a picture and of its mask, which may be None."""
        rng = self.rng
        height, width = picture.shape[:2]
        whole = SEEN_PX / width if width >= height else SEEN_PORTRAIT_PX / height
        scale = whole * np.exp(rng.uniform(*np.log(SCALE)))
        stretch = np.exp(rng.uniform(-1, 1) * np.log(STRETCH))
        across = min(CROP[0] / (scale * stretch), width)
        down = min(CROP[1] / (scale / stretch), height)
        left, top = rng.uniform(0, width - across), rng.uniform(0, height - down)
        if mask is not None and rng.rand() < AROUND_SMOKE:
            rows, columns = np.nonzero(mask > 100)
            if len(rows):
                at = rng.randint(len(rows))
                left = np.clip(columns[at] - rng.uniform(0.1, 0.9) * across, 0, width - across)
                top = np.clip(rows[at] - rng.uniform(0.1, 0.9) * down, 0, height - down)
        x, y = CROP[0] / across, CROP[1] / down
        map_ = np.float32([[x, 0, -left * x], [0, y, -top * y]])
        if rng.rand() < 0.5:
            map_[0] *= -1
            map_[0, 2] += CROP[0] - 1
        how = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT}
        crop = cv2.warpAffine(picture, map_, CROP, **how)
        if mask is None:
            return crop, np.zeros(CROP[::-1], np.uint8)
        return crop, cv2.warpAffine(mask, map_, CROP, flags=cv2.INTER_LINEAR)

    def _pasted(self, crop, mask):
        """A crop with smoke of another photo in it."""
        rng = self.rng
        row = rng.choice(self.rows["smoke" if rng.rand() < CUT_FROM_REAL else "drawn"])
        rows, columns = np.nonzero(self.masks[row] > 60)
        if len(rows) < 20:
            return crop, mask
        cut = (slice(max(0, rows.min() - 4), rows.max() + 5),
               slice(max(0, columns.min() - 4), columns.max() + 5))
        smoke, dense = self.pictures[row][cut], self.masks[row][cut]
        size = min(np.exp(rng.uniform(*np.log(PASTED_PX))) / max(dense.shape), MAGNIFIED_MAX)
        size = [max(6, int(side * size)) for side in dense.shape[::-1]]
        how = cv2.INTER_AREA if size[0] < dense.shape[1] else cv2.INTER_LINEAR
        smoke, dense = (cv2.resize(x, size, interpolation=how) for x in (smoke, dense))
        if rng.rand() < 0.5:
            smoke, dense = smoke[:, ::-1], dense[:, ::-1]
        height, width = dense.shape
        if height >= CROP[1] or width >= CROP[0]:
            return crop, mask
        left, top = rng.randint(CROP[0] - width), rng.randint(CROP[1] - height)
        # Without what is seen through it, which would be learnt as smoke, too.
        smoke = cv2.GaussianBlur(smoke, (0, 0), max(1.0, max(height, width) / 24)) * rng.uniform(*GAIN)
        if rng.rand() < GREYED:
            grey = smoke.mean(2, keepdims=True)
            smoke = grey + rng.uniform(0, 0.6) * (smoke - grey)
        texture = rng.rand(max(2, height // 6), max(2, width // 6)).astype(np.float32)
        texture = cv2.resize(texture, (width, height), interpolation=cv2.INTER_CUBIC)
        share = cv2.GaussianBlur(dense / np.float32(255), (0, 0), 1.0) * rng.uniform(*DENSITY)
        share = share * np.clip(0.6 + 0.8 * texture, 0, 1)
        crop, mask = crop.copy(), mask.copy()
        at = (slice(top, top + height), slice(left, left + width))
        mixed = crop[at] * (1 - share[..., None]) + np.clip(smoke, 0, 255) * share[..., None]
        crop[at] = np.clip(mixed, 0, 255)
        mask[at] = np.maximum(mask[at], np.where(share > DENSE, dense, 0))
        return crop, mask
