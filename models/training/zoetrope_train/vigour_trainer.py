"""The optimisation loop of the head that says how strongly things move, on a finished network.

What a network says of scenes that it was trained on is nearly right, and without doubt.
How much too little it says where it doubts shows only in pictures that it has never seen,
so this head learns from scenes that were drawn for it alone, in colours of no scene.
"""

import torch

from .batches import FeatureScale, WorldBatches, recolour
from .classes import INDEX, STILL_CLASSES
from .network import FLOW_UNIT, SPECTRUM_UNIT
from .single_head import SingleHeadTrainer, single_head_recipe
from .world_cache import FRESH_WORLD, read_world_cache

#: Speeds and sways from which something is asked to be told as a factor, in widths (per second).
MOVING, SWAYING = 0.003, 1e-4
#: Weights of the factor, and of the difference: where the direction is wrong, or where something
#: rests that is taken for movable with this probability, more speed is worse.  What is less
#: probable the product does not move at all.
FACTOR, DIFFERENCE, OPEN = 1.0, 0.3, 0.75
#: Chance that another picture shines through one, and its largest share.
BLENDED, BLEND_SHARE = 0.5, 0.4
#: Smallest share of the area that a class is taken to have.
SHARE_MIN = 1e-3
#: Logarithms are taken of no less than this, in units of each head.
LEAST = 2e-3
_STILL = [INDEX[c] for c in STILL_CLASSES]


def vigour_recipe(minutes, start):
    """Scenes alone."""
    return single_head_recipe(minutes, start, learning_rate=5e-3, photos=0, scenes=16, clips=0)


class VigourTrainer(SingleHeadTrainer):
    """Trains `MotionNetwork.vigour` alone."""

    CHECKPOINT, HEAD = "vigour.pt", "vigour"

    def __init__(self, data_dir, work_dir, recipe, log=print):
        super().__init__(data_dir, work_dir, recipe, log)
        cache = read_world_cache(work_dir, FRESH_WORLD)
        self.world_batches = WorldBatches(cache, FeatureScale({}, {}), self.rng)
        share = cache.arrays["classes"][::4].mean((0, 1, 2)) / 255
        self.weights = torch.from_numpy(share).float().clamp(min=SHARE_MIN).rsqrt()

    def resume(self):
        super().resume()
        self.world_batches.rng = self.rng

    def losses(self, progress):
        """Draw a batch and return its named loss terms."""
        scenes = self.recipe.scenes
        batch = self.world_batches.draw(scenes, self._size_px(progress))
        rgb = self._strange(batch["rgb"]).contiguous(memory_format=torch.channels_last)
        self.network.eval()
        raw = self.network.raw(rgb, batch["wind"])
        self.images["scenes"] += scenes
        classes = batch["classes"]
        return _losses(raw, batch, (classes * self.weights.view(1, -1, 1, 1)).sum(1, keepdim=True))

    def _strange(self, rgb):
        """The pictures in colours of no scene, some with another one shining through."""
        rgb = recolour(recolour(rgb, self.colours), self.colours)
        drawn = torch.rand((2, len(rgb), 1, 1, 1), generator=self.colours)
        share = BLEND_SHARE * drawn[0] * (drawn[1] < BLENDED)
        return rgb + share * (rgb.roll(1, 0) - rgb)


def _losses(raw, batch, weight):
    """Terms of speed and of sway, as a factor where it moves and as a difference where it may.

    `weight` [B, 1, h, w] makes rare classes count.
    """
    may_move = 1 - raw["probabilities"][:, _STILL].sum(1, keepdim=True) > OPEN
    said, truth = raw["flow"] / FLOW_UNIT, batch["flow"] / FLOW_UNIT
    apart = _size(said - truth)
    moves = weight * (_size(truth) > MOVING / FLOW_UNIT)
    terms = {
        "speed": FACTOR * _mean(_factor(_size(said), _size(truth)), moves),
        "flow": DIFFERENCE * _mean(apart, torch.maximum(moves, weight * may_move)),
    }
    said, truth = (_size(spectrum) / SPECTRUM_UNIT for spectrum in (raw["spectrum"], batch["spectrum"]))
    moves = weight * (truth > SWAYING / SPECTRUM_UNIT)
    return terms | {
        "swing": FACTOR * _mean(_factor(said, truth), moves),
        "sway": DIFFERENCE * _mean((said - truth).abs(), torch.maximum(moves, weight * may_move)),
    }


def _size(vectors):
    return vectors.norm(dim=1, keepdim=True)


def _factor(said, truth):
    """How many times too large or too small, as the size of a logarithm."""
    return torch.log((said + LEAST) / (truth + LEAST)).abs()


def _mean(value, weight):
    return (value * weight).sum() / weight.sum().clamp(min=1)
