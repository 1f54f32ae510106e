"""The optimisation loop of the head that finds smoke, on a finished network.

Everything else of the network stays what it is, so what it sees in a photo without
smoke hardly changes.  The segmentation teacher does not know smoke and drawn masks
are few: in a training of everything they are lost.
"""

import tempfile
import warnings
from pathlib import Path

import onnxruntime
import torch
import torch.nn.functional as F
from torch import nn

from .batches import recolour
from .classes import INDEX
from .export import OPSET
from .network import probabilities_of, smoke_added
from .single_head import SingleHeadTrainer, single_head_recipe
from .smoke_material import CROP, KINDS, SmokeMaterial
from .world_cache import newest_world_cache

#: Weights of the cross-entropy, of smoke in it, and of the overlap.
CROSS_ENTROPY, SMOKE_WEIGHT, OVERLAP = 4.0, 1.3, 0.5
#: Photos without a mask may show smoke: where the network is this sure of it, nothing is asked.
SURE = 0.5
_SMOKE = INDEX["smoke"]


def smoke_recipe(minutes, start):
    """What a batch is made of, the material says."""
    return single_head_recipe(minutes, start, learning_rate=3e-3)


class SmokeTrainer(SingleHeadTrainer):
    """Trains `MotionNetwork.smoke` alone."""

    CHECKPOINT, HEAD = "smoke.pt", "smoke"

    def __init__(self, data_dir, work_dir, recipe, log=print):
        super().__init__(data_dir, work_dir, recipe, log)
        world = newest_world_cache(work_dir)
        self.material = SmokeMaterial(Path(data_dir), world, self.rng, log)
        self.session = None

    def resume(self):
        super().resume()
        self.material.rng = self.rng

    def losses(self, progress):
        """Draw a batch and return its named loss terms."""
        if self.session is None:
            self.session = _session(self.network)
            self.network.smoke.train()
        crops, masks, known, numbers = self.material.batch()
        rgb = recolour(torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255, self.colours)
        seen = self.session.run(None, {"rgb": rgb.contiguous().numpy()})
        seen = {name: torch.from_numpy(v) for name, v in zip(_Sight.NAMES, seen, strict=True)}
        truth = F.avg_pool2d(torch.from_numpy(masks).float()[:, None] / 255, 4)
        before = _smoke_in(seen["classes"])
        said = _smoke_in(smoke_added(seen["classes"], self.network.smoke(seen)))
        said = said.clamp(1e-5, 1 - 1e-5)
        asked = (torch.from_numpy(known).view(-1, 1, 1, 1) | (before < SURE)).float()
        mistaken = (said * asked * (1 - truth)).detach().mean((1, 2, 3)).numpy()
        self.material.learn(numbers, mistaken)
        scenes = KINDS.count("world")
        self.images["scenes"] += scenes
        self.images["photos"] += len(KINDS) - scenes
        return _losses(said, truth, asked)


class _Sight(nn.Module):
    """What the head is given, in order."""

    NAMES = ("classes", "x2", "x3", "y3", "y2")

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, rgb):
        seen = self.network.sight_without_smoke(rgb)
        return tuple(seen[name] for name in self.NAMES)


def _session(network):
    """The frozen part in ONNX Runtime, which takes a third of PyTorch's time."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "sight.onnx"
        torch.onnx.export(
            _Sight(network).eval(), (torch.rand(2, 3, *CROP[::-1]),), str(file), input_names=["rgb"],
            output_names=list(_Sight.NAMES), dynamic_axes={"rgb": {0: "batch"}},
            opset_version=OPSET, dynamo=False,
        )
        return onnxruntime.InferenceSession(str(file), options)


def _smoke_in(classes):
    return probabilities_of(classes)[:, _SMOKE : _SMOKE + 1]


def _losses(said, truth, asked):
    """Cross-entropy in every cell, and one minus the overlap in every picture with smoke."""
    smoke = SMOKE_WEIGHT * truth * said.log()
    entropy = -((smoke + (1 - truth) * (1 - said).log()) * asked).mean()
    both = (said * truth * asked).sum((2, 3))
    either = ((said + truth - said * truth) * asked).sum((2, 3))
    shown = (truth.sum((2, 3)) > 2).float()
    apart = ((1 - (both + 1) / (either + 1)) * shown).sum() / shown.sum().clamp(min=1)
    return {"smoke": CROSS_ENTROPY * entropy, "overlap": OVERLAP * apart}
