"""The optimisation loop of our own large teacher."""

from pathlib import Path

import torch
from torch import nn

from .batches import TAPS
from .own_teacher import OwnTeacher
from .trainer import Recipe, Trainer


def own_recipe(minutes, processes):
    """Few pictures are enough, since the features are there already."""
    return Recipe(
        minutes=minutes, processes=processes, photos=8, scenes=6, clips=4, learning_rate=2e-3
    )


class OwnTrainer(Trainer):
    """The student's losses on the large teacher's answers."""

    CHECKPOINT = "own_teacher.pt"
    WITH_FEATURES = True
    TAUGHT = False

    def _networks(self):
        return OwnTeacher(), nn.Module()

    def _raw(self, parts, rgb, wind):
        taps = {
            name: torch.cat([part[name] for part in parts.values()]) for name in (*TAPS, "logits")
        }
        return self.network.raw(taps, rgb, wind)

    def _feature_terms(self, own, part, early):
        return {}


def trained_own_teacher(work_dir):
    """The moving average of the last checkpoint."""
    state = torch.load(Path(work_dir) / OwnTrainer.CHECKPOINT, weights_only=True)
    network = OwnTeacher()
    network.load_state_dict(state["average"])
    return network.eval().to(memory_format=torch.channels_last)
