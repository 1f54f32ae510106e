"""Pictures about which the teachers are asked as if they were photos of their own.

There are few photos, and a network that always hears the same about each of
them learns them by heart.  So it never sees one twice: a view is a crop of a
photo, with other colours, part of another photo in it or over it, or smoke
that was cut out of a third; and what the teachers say of just that is learnt.
"""

import numpy as np
import torch
import torch.nn.functional as F

from .batches import recolour
from .device_store import FLAGS, GRID, TEACHER_PX
from .windows import Windows

#: Share of a photo's sides that a view shows, and the logarithm of the largest change of its aspect.
SHARE, STRETCH = (0.45, 1.05), 0.3
#: Chances that a view has other colours, shows part of another one, or shows another through itself.
RECOLOURED, PATCHED, BLENDED = 0.5, 0.2, 0.15
#: Share of a view's sides that a patch covers, and of the other view where two are blended.
PATCH_SHARE, BLEND_SHARE = (0.3, 0.8), (0.1, 0.5)
#: Chance that smoke is put into a view, what is left of the smoke's size, and how dense it is.
SMOKED, SMOKE_SIZE, SMOKE_DENSITY = 0.12, (0.4, 1.3), (0.5, 1.0)
#: Power of the photos' chances by which smoke is taken from them: of drawn smoke little.
SMOKE_TRUST = 2.0
#: Side of the squares over which the smoke's colours are averaged.
SMOKE_BLUR_PX = 8
#: Change of the smoke's brightness, as a factor.
SMOKE_GAIN = (0.75, 1.15)


class Views:
    """Draws views of the photos in a store."""

    def __init__(self, photos, rng, colours):
        self.photos, self.rng, self.colours = photos, rng, colours
        self.device = photos.device

    def draw(self, count):
        """Pictures [n, 3, 512, 512] in 0..255, what came with them, and their aspects.

        With what came, `rgb` is the picture before its colours were changed, at four times
        the size of the labels.
        """
        photos, rng = self.photos, self.rng
        weight = photos.weight[: photos.count]
        picked = rng.choice(photos.count, count, p=weight / weight.sum())
        across = rng.uniform(*SHARE, count)
        down = across * np.exp(STRETCH * rng.uniform(-1, 1, count))
        at = Windows(rng, across, down, self.device)
        large, told = photos.cut(picked, at)
        large, told = self._mixed(large, told)
        large, told = self._smoked(large, told)
        told["rgb"] = F.avg_pool2d(large, TEACHER_PX // (4 * GRID)) / 255
        chosen = self._chosen(count, RECOLOURED) & ~told["is_fire"].view(-1, 1, 1, 1)
        large = torch.where(chosen, 255 * recolour(large / 255, self.colours), large)
        return large, told, photos.aspect[picked] * at.across_over_down

    def _drawn(self, count, bounds=(0.0, 1.0)):
        drawn = np.float32(self.rng.uniform(*bounds, (count, 1, 1, 1)))
        return torch.from_numpy(drawn).to(self.device)

    def _chosen(self, count, chance):
        return self._drawn(count) < chance

    def _mixed(self, large, told):
        """Some views with a patch of the next one, or shining through."""
        count = len(large)
        # Of what is special about a photo nobody could say where in a mixture it is.
        pure = ~torch.stack([told[name] for name in FLAGS]).any(0).view(-1, 1, 1, 1)
        kind = self._drawn(count)
        centre = torch.linspace(-1, 1, TEACHER_PX, device=self.device)
        inside = torch.ones((count, 1, 1, 1), dtype=torch.bool, device=self.device)
        for axis in ((1, 1, 1, -1), (1, 1, -1, 1)):
            half = self._drawn(count, PATCH_SHARE)
            at = self._drawn(count, (-1.0, 1.0)) * (1 - half / 2)
            inside = inside & ((centre.view(axis) - at).abs() < half)
        blended = (kind >= PATCHED) & (kind < PATCHED + BLENDED)
        share = ((kind < PATCHED) & inside).float() + blended * self._drawn(count, BLEND_SHARE)
        share = share * (pure & pure.roll(1, 0))
        small = F.avg_pool2d(share, TEACHER_PX // GRID)
        mixed = {
            name: value if name in FLAGS else torch.lerp(value, value.roll(1, 0), small)
            for name, value in told.items()
        }
        return torch.lerp(large, large.roll(1, 0), share), mixed

    def _smoked(self, large, told):
        """Some views with smoke cut out of photos with drawn masks."""
        donors = self.photos.smoke_rows
        if not len(donors):
            return large, told
        count = len(large)
        weight = self.photos.weight[donors] ** SMOKE_TRUST
        picked = self.rng.choice(donors, count, p=weight / weight.sum())
        smoke, mask = self.photos.cut_smoke(picked, self.rng.uniform(*SMOKE_SIZE, count), self.rng)
        chosen = self._chosen(count, SMOKED) & ~(told["is_fire"] | told["is_smoke"]).view(-1, 1, 1, 1)
        density = chosen * mask * self._drawn(count, SMOKE_DENSITY)
        # Without what is seen through it, which would be learnt as smoke, too.
        smoke = F.avg_pool2d(smoke, SMOKE_BLUR_PX)
        smoke = F.interpolate(smoke, (TEACHER_PX, TEACHER_PX), mode="bilinear")
        smoke = (smoke * self._drawn(count, SMOKE_GAIN)).clamp(0, 255)
        told = told | {
            "smoke": torch.maximum(told["smoke"], F.avg_pool2d(density, TEACHER_PX // GRID)),
            "is_smoke": told["is_smoke"] | chosen.view(-1),
        }
        return torch.lerp(large, smoke, density), told
