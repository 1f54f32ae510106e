"""Training of the head that finds smoke, on a finished network.

Everything else of the network stays what it is, so what it sees in a photo without
smoke hardly changes.  The segmentation teacher does not know smoke and drawn masks
are few: in a training of everything they are lost.
"""

import copy
import math
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from torch import nn

from .batches import recolour
from .classes import INDEX
from .export import OPSET
from .network import smoke_added
from .smoke_material import CROP, SmokeMaterial
from .world_cache import newest_world_cache

CHECKPOINT = "smoke.pt"
RATE, WEIGHT_DECAY, GRADIENT_NORM_MAX, AVERAGE = 3e-3, 0.02, 5.0, 0.995
#: Steps until the rate is whole, and share of the time in which it falls.
WARM_UP_STEPS, DECAY_SHARE = 50, 0.7
#: Weights of the cross-entropy, of smoke in it, and of the overlap.
CROSS_ENTROPY, SMOKE_WEIGHT, OVERLAP = 4.0, 1.3, 0.5
#: Photos without a mask may show smoke: where the network is this sure of it, nothing is asked.
SURE = 0.5
LOG_STEPS = 100
_SMOKE = INDEX["smoke"]


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


def train_smoke(network, data_dir, work_dir, minutes, log=print, seed=1):
    """Train `network.smoke` in place for so long, and keep the whole network in a checkpoint."""
    rng, colours = np.random.RandomState(seed), torch.Generator().manual_seed(seed)
    material = SmokeMaterial(Path(data_dir), newest_world_cache(work_dir), rng, log)
    session, head = _session(network), network.smoke.train()
    average = copy.deepcopy(head).eval()
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY)
    began, step, sums = time.monotonic(), 0, []
    while (progress := (time.monotonic() - began) / (60 * minutes)) < 1:
        rate = RATE * min(1.0, (step + 1) / WARM_UP_STEPS)
        if progress > 1 - DECAY_SHARE:
            turn = (progress - (1 - DECAY_SHARE)) / DECAY_SHARE
            rate *= max(0.01, 0.5 * (1 + math.cos(math.pi * turn)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        crops, masks, known, numbers = material.batch()
        rgb = recolour(torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255, colours)
        seen = session.run(None, {"rgb": rgb.contiguous().numpy()})
        seen = {name: torch.from_numpy(v) for name, v in zip(_Sight.NAMES, seen, strict=True)}
        truth = F.avg_pool2d(torch.from_numpy(masks).float()[:, None] / 255, 4)
        before = seen["classes"].softmax(1)[:, _SMOKE : _SMOKE + 1]
        said = smoke_added(seen["classes"], head(seen)).softmax(1)[:, _SMOKE : _SMOKE + 1]
        said = said.clamp(1e-5, 1 - 1e-5)
        asked = (torch.from_numpy(known).view(-1, 1, 1, 1) | (before < SURE)).float()
        loss = _loss(said, truth, asked)
        mistaken = (said * asked * (1 - truth)).detach().mean((1, 2, 3)).numpy()
        material.learn(numbers, mistaken)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(head.parameters(), GRADIENT_NORM_MAX)
        optimiser.step()
        step += 1
        _follow(average, head, min(AVERAGE, (step + 1) / (step + 10)))
        sums.append(float(loss.detach()))
        if step % LOG_STEPS == 0:
            log(f"step {step} {progress * minutes:.1f} min loss {np.mean(sums):.4f}")
            sums.clear()
    network.smoke = average
    torch.save({"average": network.state_dict()}, Path(work_dir) / CHECKPOINT)


def _loss(said, truth, asked):
    """Cross-entropy in every cell, and one minus the overlap in every picture with smoke."""
    smoke = SMOKE_WEIGHT * truth * said.log()
    entropy = -((smoke + (1 - truth) * (1 - said).log()) * asked).mean()
    both = (said * truth * asked).sum((2, 3))
    either = ((said + truth - said * truth) * asked).sum((2, 3))
    shown = (truth.sum((2, 3)) > 2).float()
    apart = ((1 - (both + 1) / (either + 1)) * shown).sum() / shown.sum().clamp(min=1)
    return CROSS_ENTROPY * entropy + OVERLAP * apart


@torch.no_grad()
def _follow(average, head, keep):
    for mean, now in zip(average.state_dict().values(), head.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(now, 1 - keep)
        else:
            mean.copy_(now)
