"""Our own large teacher: trained heads on the segmentation teacher's features.

It answers every question that the student is asked, from features that were
learnt on far more pictures than ours.  It never ships: its answers about the
photos, of whose motion nobody has measured anything, teach the student.
"""

import torch
import torch.nn.functional as F
from torch import nn

from .classes import CLASSES
from .labels import teacher_probabilities
from .network import Bottleneck, ConvBn, GlobalContext, MotionHead, Residual

#: Channels at 1/8 and coarser, at 1/4, and inside the motion head.
WIDE, FINE, MOTION = 128, 64, 96
#: Share of channels left out at random, since clips are few.
DROPOUT = 0.15


def _double(x):
    return F.interpolate(x, scale_factor=2.0, mode="bilinear")


class OwnTeacher(nn.Module):
    """Features of a picture, the picture and a wind to the student's answers.

    `taps` holds the segmentation teacher's tensors, normalised per channel,
    and `logits` as it quantised them; sizes are those of `photo_cache`.
    """

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(ConvBn(3, 32, 3, 2), ConvBn(32, FINE, 3, 2))
        self.l2 = ConvBn(FINE + 64 + 32, FINE, 1)
        self.l3 = ConvBn(128 + 128, WIDE, 1)
        self.l4 = ConvBn(160, WIDE, 1)
        self.l5 = ConvBn(96, WIDE, 1)
        self.d5 = nn.Sequential(
            Bottleneck(WIDE, 1), Bottleneck(WIDE, 2), Bottleneck(WIDE, 1), GlobalContext(WIDE)
        )
        self.d4 = nn.Sequential(Residual(WIDE), Residual(WIDE))
        self.d3 = nn.Sequential(Residual(WIDE), Residual(WIDE))
        self.r2 = ConvBn(WIDE, FINE, 1)
        self.d2 = Residual(FINE)
        self.drop = nn.Dropout2d(DROPOUT)
        self.classes = nn.Conv2d(FINE, len(CLASSES), 1)
        self.mobility = nn.Conv2d(FINE, 1, 1)
        self.depth = nn.Conv2d(FINE, 1, 1)
        self.motion = MotionHead(WIDE, FINE, MOTION)

    def seen(self, taps, rgb):
        """What does not depend on the wind: features at 1/8 and 1/4."""
        ade = teacher_probabilities(taps["logits"])
        drop = self.drop
        y5 = self.d5(self.l5(drop(taps["tap32"])))
        y4 = self.d4(self.l4(drop(taps["tap16"])) + _double(y5))
        y3 = self.l3(drop(torch.cat([taps["tap8"], taps["decoder"]], 1)))
        y3 = self.d3(y3 + _double(y4))
        stem = self.stem((rgb - 0.45) * 4.0)
        y2 = self.l2(torch.cat([stem, drop(taps["tap4"]), ade], 1))
        return y3, self.d2(y2 + _double(self.r2(y3)))

    def raw(self, taps, rgb, wind):
        """The student's answers by name, see `MotionNetwork.raw`."""
        y3, y2 = self.seen(taps, rgb)
        logits = self.classes(y2)
        moves = self.moves(y3, y2, logits, wind)
        return moves | {
            "classes": logits,
            "mobility": torch.sigmoid(self.mobility(y2)),
            "depth": torch.sigmoid(self.depth(y2)),
        }

    def moves(self, y3, y2, logits, wind):
        """What depends on the wind, by name."""
        flow, confidence, spectrum, turned, light = self.motion(
            y3, y2, torch.softmax(logits, 1), wind
        )
        return {
            "flow": flow,
            "confidence": confidence,
            "spectrum": spectrum,
            "turned": turned,
            "light": light,
        }
