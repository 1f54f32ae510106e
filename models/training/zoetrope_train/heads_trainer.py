"""The optimisation loop of the heads alone.

The encoder, the decoder and the classes stay what they are, so what the network
sees in a photo does not change; how what it sees moves is learnt anew.  That takes
a fraction of a whole training, and a mean of networks needs it most: its features
are better than those of each, but its heads were trained on none of them.
"""

import torch

from .batches import TAPS
from .trainer import Recipe, Trainer


def heads_recipe(minutes, processes, start):
    """More scenes than photos: only they say exactly how things move."""
    return Recipe(
        minutes=minutes, processes=processes, photos=7, scenes=9, clips=2, start=start,
        started_rate=0.5,
    )


class HeadsTrainer(Trainer):
    """The student's losses, of which only those of motion, mobility and depth act."""

    CHECKPOINT = "heads.pt"

    def refresh(self):
        """As every training does, but the teacher's features are read for the start only."""
        is_ready = super().refresh()
        if is_ready and self.step:
            for name in TAPS:
                self.photo_batches.arrays.pop(name, None)
        return is_ready

    def _trained(self):
        network = self.network
        heads = (network.mobility, network.depth, network.ground, network.motion)
        return [parameter for head in heads for parameter in head.parameters()]

    def _raw(self, _parts, rgb, wind):
        # Their normalisations must not follow the batch either.
        self.network.encoder.eval()
        self.network.decoder.eval()
        self.network.smoke.eval()
        with torch.no_grad():
            seen = self.network.sight(rgb)
        return seen | self.network.imagined(seen, wind)

    def _feature_terms(self, own, part, early):
        return {}
