"""What ties the network's features to the segmentation teacher's, in training only."""

import torch.nn.functional as F
from torch import nn

from .classes import ADE20K_32
from .network import COARSE, FINE, WIDTHS


def _pointwise(conv, x):
    """A 1x1 convolution as a product of matrices.

    On one thread PyTorch takes a slow path for 1x1 convolutions of small batches.
    """
    y = F.linear(x.permute(0, 2, 3, 1), conv.weight.flatten(1), conv.bias)
    return y.permute(0, 3, 1, 2)


class Adapters(nn.Module):
    """Linear maps from student features to teacher tensors."""

    #: teacher tensor -> (student feature, student channels, teacher channels)
    TAPS = {
        "tap4": ("x2", WIDTHS[1], 64),
        "tap8": ("x3", WIDTHS[2], 128),
        "tap16": ("x4", WIDTHS[3], 160),
        "tap32": ("x5", WIDTHS[4], 96),
        "decoder": ("y3", COARSE, 128),
    }

    def __init__(self):
        super().__init__()
        self.maps = nn.ModuleDict(
            {name: nn.Conv2d(s, t, 1) for name, (_, s, t) in self.TAPS.items()}
        )
        self.ade = nn.Conv2d(FINE, len(ADE20K_32), 1)
        self.coarse = nn.Conv2d(COARSE, len(ADE20K_32), 1)

    def forward(self, raw):
        answers = {n: _pointwise(m, raw[self.TAPS[n][0]]) for n, m in self.maps.items()}
        answers["ade"] = _pointwise(self.ade, raw["y2"])
        answers["coarse"] = _pointwise(self.coarse, raw["y4"])
        return answers
