"""The motion network: an RGB U-Net with motion heads and fixed guarantees.

The image encoder sees RGB only.  Wind, noise, arrows and masks act in the
heads, by plain products and sums, so what a requester says is obeyed exactly
and not merely learnt.  All convolutions are dense; decoders use nearest
resizes by a constant factor, so any multiple of 32 works as input size.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .classes import CLASSES, INDEX

HARMONICS = 8
STYLE_LENGTH = 29
#: One unit of the flow head, in fractions of the width per second.
FLOW_UNIT = 0.05
#: One unit of the spectrum head, in fractions of the width.
SPECTRUM_UNIT = 0.005
#: Keeps the gradient of |flow| finite; far below any visible speed.
SPEED_EPSILON = 1e-10

WIDTHS = (16, 32, 64, 112, 176)
BLOCKS = (1, 2, 5)
DILATIONS = (1, 2, 4, 1, 2, 4, 1)
COARSE, FINE, MOTION, GROUND, SMOKE, VIGOUR = 64, 32, 48, 32, 32, 16
#: Factors between which motion is made stronger or weaker.
VIGOUR_RANGE = (0.5, 3.0)

_N = len(CLASSES)


def probabilities_of(classes):
    """Probabilities [B, 10, h, w] of logits.

    By way of a layout in which a cell's classes lie side by side: over channels tract takes
    some 10 ms for what takes it less than one there.
    """
    return torch.softmax(classes.permute(0, 2, 3, 1), -1).permute(0, 3, 1, 2)


class ConvBn(nn.Sequential):
    """Convolution, batch normalisation and, unless told otherwise, ReLU."""

    def __init__(self, inputs, outputs, kernel=3, stride=1, dilation=1, act=True):
        conv = nn.Conv2d(
            inputs, outputs, kernel, stride, dilation * (kernel // 2), dilation, bias=False
        )
        layers = [conv, nn.BatchNorm2d(outputs, momentum=0.05)]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if act else []))


class Residual(nn.Module):
    """Two 3x3 convolutions around a sum."""

    def __init__(self, channels):
        super().__init__()
        self.a = ConvBn(channels, channels)
        self.b = ConvBn(channels, channels, act=False)

    def forward(self, x):
        return F.relu(x + self.b(self.a(x)), inplace=True)

    def add_nothing(self):
        """Begin as the identity of what is not negative."""
        nn.init.zeros_(self.b[1].weight)
        nn.init.zeros_(self.b[1].bias)


class Bottleneck(nn.Module):
    """1x1 down, dilated 3x3, 1x1 up around a sum."""

    def __init__(self, channels, dilation):
        super().__init__()
        half = channels // 2
        self.a = ConvBn(channels, half, 1)
        self.b = ConvBn(half, half, 3, dilation=dilation)
        self.c = ConvBn(half, channels, 1, act=False)

    def forward(self, x):
        return F.relu(x + self.c(self.b(self.a(x))), inplace=True)


class GlobalContext(nn.Module):
    """Adds what the whole picture says to every place of it."""

    def __init__(self, channels):
        super().__init__()
        self.a = nn.Conv2d(channels, channels // 2, 1)
        self.b = nn.Conv2d(channels // 2, channels, 1)

    def forward(self, x):
        return F.relu(x + self.b(F.relu(self.a(F.adaptive_avg_pool2d(x, 1)))))


def _double(x):
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class Encoder(nn.Module):
    """RGB 0..1 to features at 1/4, 1/8, 1/16 and 1/32."""

    def __init__(self):
        super().__init__()
        c1, c2, c3, c4, c5 = WIDTHS
        self.s1 = ConvBn(3, c1, 3, 2)
        self.s2 = self._stage(c1, c2, BLOCKS[0])
        self.s3 = self._stage(c2, c3, BLOCKS[1])
        self.s4 = self._stage(c3, c4, BLOCKS[2])
        self.s5 = nn.Sequential(
            ConvBn(c4, c5, 3, 2),
            *[Bottleneck(c5, d) for d in DILATIONS],
            GlobalContext(c5),
        )

    @staticmethod
    def _stage(inputs, outputs, blocks):
        return nn.Sequential(
            ConvBn(inputs, outputs, 3, 2), *[Residual(outputs) for _ in range(blocks)]
        )

    def forward(self, rgb):
        x2 = self.s2(self.s1((rgb - 0.45) * 4.0))
        x3 = self.s3(x2)
        x4 = self.s4(x3)
        return x2, x3, x4, self.s5(x4)


class Decoder(nn.Module):
    """Features of all scales to one feature map at 1/4."""

    def __init__(self):
        super().__init__()
        _, c2, c3, c4, c5 = WIDTHS
        self.l5 = ConvBn(c5, COARSE, 1)
        self.l4 = ConvBn(c4, COARSE, 1, act=False)
        self.l3 = ConvBn(c3, COARSE, 1, act=False)
        self.l2 = ConvBn(c2, FINE, 1, act=False)
        self.f4 = ConvBn(COARSE, COARSE)
        self.f3 = ConvBn(COARSE, COARSE)
        self.r2 = ConvBn(COARSE, FINE, 1, act=False)
        self.f2 = ConvBn(FINE, FINE)

    def forward(self, x2, x3, x4, x5):
        y4 = self.f4(F.relu(_double(self.l5(x5)) + self.l4(x4)))
        y3 = self.f3(F.relu(_double(y4) + self.l3(x3)))
        y2 = self.f2(F.relu(_double(self.r2(y3)) + self.l2(x2)))
        return y4, y3, y2


class SmokeHead(nn.Module):
    """How much more or less like smoke a place is than the classes say, as a logit."""

    def __init__(self):
        super().__init__()
        self.coarse = ConvBn(COARSE + WIDTHS[2], SMOKE, 1)
        self.a = ConvBn(SMOKE, SMOKE)
        self.b = ConvBn(SMOKE, SMOKE, dilation=2)
        self.what = ConvBn(SMOKE, SMOKE, 1, act=False)
        self.where = ConvBn(FINE + WIDTHS[1] + _N, SMOKE, 1, act=False)
        self.mix = ConvBn(SMOKE, SMOKE, 1)
        self.out = nn.Conv2d(SMOKE, 1, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, seen):
        y = self.coarse(torch.cat([seen["x3"], seen["y3"]], 1))
        y = y + self.b(self.a(y))
        probabilities = probabilities_of(seen["classes"])
        where = self.where(torch.cat([seen["x2"], seen["y2"], probabilities], 1))
        return self.out(self.mix(F.relu(_double(self.what(y)) + where)))


def smoke_added(classes, more):
    """Logits of all classes, with more of smoke."""
    at = INDEX["smoke"]
    return torch.cat([classes[:, :at], classes[:, at : at + 1] + more, classes[:, at + 1 :]], 1)


class GroundHead(nn.Module):
    """What mobility and depth are beyond what the last feature map says linearly.

    It sees the encoder at 1/8 as well, where what a thing is made of is still
    told from what it is.  Nothing of it depends on the wind.
    """

    def __init__(self):
        super().__init__()
        self.inner = ConvBn(COARSE + WIDTHS[2], COARSE)
        self.what = ConvBn(COARSE, GROUND, 1, act=False)
        self.where = ConvBn(FINE + _N, GROUND, 1, act=False)
        self.mix = ConvBn(GROUND, GROUND, 1)
        self.answer = nn.Conv2d(GROUND, 2, 1)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)

    def forward(self, seen, coarse, fine, probabilities):
        y = self.inner(torch.cat([coarse, seen], 1))
        where = self.where(torch.cat([fine, probabilities], 1))
        return self.answer(self.mix(F.relu(_double(self.what(y)) + where)))


class MotionHead(nn.Module):
    """Flow, canonical spectrum and light from image features and the wind.

    What moves how is decided at 1/8, where convolutions are cheap; features
    and class probabilities at 1/4 then say where.  The wind modulates the
    features and also enters the flow as a 2x2 matrix per pixel, because drift
    along the wind is a product of the two.
    """

    def __init__(self, coarse=COARSE, fine=FINE, motion=MOTION, further=0):
        super().__init__()
        self.inner = ConvBn(coarse, coarse)
        self.film = nn.Linear(3, 2 * coarse)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)
        self.outer = Residual(coarse)
        self.further = nn.Sequential(*[Residual(coarse) for _ in range(further)])
        for block in self.further:
            block.add_nothing()
        self.what = ConvBn(coarse, motion, 1, act=False)
        self.where = ConvBn(fine + _N, motion, 1, act=False)
        self.mix = ConvBn(motion, motion, 1)
        self.flow = nn.Conv2d(motion, 6, 1)
        self.confidence = nn.Conv2d(motion, 1, 1)
        self.light = nn.Conv2d(motion, 1, 1)
        self.spectrum = nn.Conv2d(motion, 4 * HARMONICS, 1)
        quarter = torch.tensor([1, 0, 3, 2]).repeat(HARMONICS)
        order = quarter + 4 * torch.arange(HARMONICS).repeat_interleave(4)
        sign = torch.tensor([-1.0, 1.0, -1.0, 1.0]).repeat(HARMONICS)
        self.register_buffer("turn_order", order, persistent=False)
        self.register_buffer("turn_sign", sign, persistent=False)

    def forward(self, coarse, fine, probabilities, wind):
        speed = torch.sqrt((wind * wind).sum(1, keepdim=True) + SPEED_EPSILON)
        film = self.film(torch.cat([wind, speed], 1))
        channels = self.film.out_features // 2
        gain = film[:, :channels].reshape(-1, channels, 1, 1)
        bias = film[:, channels:].reshape(-1, channels, 1, 1)
        y = self.further(self.outer(F.relu(self.inner(coarse) * (1.0 + gain) + bias)))
        where = self.where(torch.cat([fine, probabilities], 1))
        y = self.mix(F.relu(_double(self.what(y)) + where))
        wx, wy = wind[:, 0:1].reshape(-1, 1, 1, 1), wind[:, 1:2].reshape(-1, 1, 1, 1)
        f = self.flow(y) * FLOW_UNIT
        flow = f[:, 0:2] + f[:, 2:4] * wx + f[:, 4:6] * wy
        turned = F.conv2d(
            y,
            self.spectrum.weight[self.turn_order] * self.turn_sign.view(-1, 1, 1, 1),
            self.spectrum.bias[self.turn_order] * self.turn_sign,
        )
        return (
            flow,
            torch.sigmoid(self.confidence(y)),
            self.spectrum(y) * SPECTRUM_UNIT,
            turned * SPECTRUM_UNIT,
            torch.sigmoid(self.light(y)),
        )


class VigourHead(nn.Module):
    """How many times as fast, and as far, things move as the motion head says.

    That head answers with a mean over everything that a place may be, and where
    that is in doubt the mean is smaller than most of what it stands for: half
    a fall and half a wall make a slow fall.  This one is told how much is in doubt.
    """

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(_N + 4, VIGOUR, 1)
        self.out = nn.Conv2d(VIGOUR, 2, 1)
        self.say_nothing()
        self.register_buffer("ones", torch.ones(1, 4 * HARMONICS, 1, 1), persistent=False)

    def say_nothing(self):
        """Multiply by 1 from now on."""
        nn.init.zeros_(self.out.weight)
        low, high = VIGOUR_RANGE
        nn.init.constant_(self.out.bias, math.log((1 - low) / (high - 1)))

    def forward(self, probabilities, mobility, confidence, flow, spectrum):
        x, y = flow[:, 0:1], flow[:, 1:2]
        speed = torch.sqrt(x * x + y * y + SPEED_EPSILON) / FLOW_UNIT
        # A sum over channels as a convolution, for which tract takes less time.
        power = F.conv2d(spectrum * spectrum, self.ones)
        sway = torch.sqrt(power + SPEED_EPSILON) / SPECTRUM_UNIT
        said = torch.cat([probabilities, mobility, confidence, speed, sway], 1)
        low, high = VIGOUR_RANGE
        return low + (high - low) * torch.sigmoid(self.out(F.relu(self.mix(said))))


class MotionNetwork(nn.Module):
    """What ships: the interface of `motion.toml`, see `models/README.md`."""

    OUTPUTS = ("classes", "mobility", "depth", "flow", "spectrum", "light")
    INPUTS = ("rgb", "hints", "noise", "style")

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.classes = nn.Conv2d(FINE, _N, 1)
        self.mobility = nn.Conv2d(FINE, 1, 1)
        self.depth = nn.Conv2d(FINE, 1, 1)
        self.smoke = SmokeHead()
        self.ground = GroundHead()
        self.motion = MotionHead(further=1)
        self.vigour = VigourHead()
        repeat = torch.zeros(2, 2 * HARMONICS, 4 * HARMONICS)
        for k in range(HARMONICS):
            repeat[0, 2 * k, 4 * k : 4 * k + 4] = 1.0
            repeat[1, 2 * k + 1, 4 * k : 4 * k + 4] = 1.0
        self.register_buffer("repeat_cos", repeat[0], persistent=False)
        self.register_buffer("repeat_sin", repeat[1], persistent=False)

    def sight(self, rgb):
        """What is there: features of all scales and classes, by name."""
        seen = self.sight_without_smoke(rgb)
        return seen | {"classes": smoke_added(seen["classes"], self.smoke(seen))}

    def sight_without_smoke(self, rgb):
        """The same before smoke is looked for by itself."""
        x2, x3, x4, x5 = self.encoder(rgb)
        y4, y3, y2 = self.decoder(x2, x3, x4, x5)
        return {
            "classes": self.classes(y2),
            "x2": x2, "x3": x3, "x4": x4, "x5": x5,
            "y4": y4, "y3": y3, "y2": y2,
        }

    def imagined(self, seen, wind):
        """How what was seen is moved by a wind, before the guarantees, by name."""
        y3, y2 = seen["y3"], seen["y2"]
        probabilities = probabilities_of(seen["classes"])
        more_mobility, more_depth = self.ground(seen["x3"], y3, y2, probabilities).split(1, 1)
        mobility = torch.sigmoid(self.mobility(y2) + more_mobility)
        flow, confidence, spectrum, turned, light = self.motion(y3, y2, probabilities, wind)
        vigour = self.vigour(probabilities, mobility, confidence, flow, spectrum)
        faster, farther = vigour.split(1, 1)
        return {
            "probabilities": probabilities,
            "mobility": mobility,
            "depth": torch.sigmoid(self.depth(y2) + more_depth),
            "flow": flow * faster,
            "confidence": confidence,
            "spectrum": spectrum * farther,
            "turned": turned * farther,
            "light": light,
        }

    def raw(self, rgb, wind):
        """Everything before the guarantees, with the features, by name."""
        seen = self.sight(rgb)
        return seen | self.imagined(seen, wind)

    def forward(self, rgb, hints, noise, style):
        r = self.raw(rgb, style[:, 1:3])
        keep = 1.0 - F.max_pool2d(F.relu(-hints[:, 3:4]), 4)
        wake = F.avg_pool2d(F.relu(hints[:, 3:4]), 4)
        mobility = (r["mobility"] + (1.0 - r["mobility"]) * wake) * keep

        gains = style[:, 19:29].reshape(-1, _N, 1, 1)
        expected = (r["probabilities"] * gains).sum(1, keepdim=True)
        amount = expected * style[:, 0:1].reshape(-1, 1, 1, 1) * keep

        weight = F.avg_pool2d(hints[:, 2:3], 4)
        arrow = F.avg_pool2d(hints[:, 0:2] * hints[:, 2:3], 4)
        v = r["flow"]
        speed = torch.sqrt((v * v).sum(1, keepdim=True) + SPEED_EPSILON)
        flow = (v * (1.0 - weight) + speed * arrow) * amount

        phasors = style[:, 3:19]
        cos = torch.matmul(phasors, self.repeat_cos).reshape(-1, 4 * HARMONICS, 1, 1)
        sin = torch.matmul(phasors, self.repeat_sin).reshape(-1, 4 * HARMONICS, 1, 1)
        cos, sin = (
            cos * noise[:, 0:1] - sin * noise[:, 1:2],
            cos * noise[:, 1:2] + sin * noise[:, 0:1],
        )
        spectrum = (r["spectrum"] * cos + r["turned"] * sin) * amount
        light = torch.clamp(r["light"] * amount, 0.0, 1.0)
        flow = torch.cat([flow, r["confidence"] * keep], 1)
        return r["classes"], mobility, r["depth"], flow, spectrum, light
