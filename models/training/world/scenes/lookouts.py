"""Scenes seen from a look-out: distant smoke over wide land and over towns, and what is taken for smoke."""

import numpy as np

from ..fire import flames
from ..smoke import SHAPES, TONES, distant_smoke
from ..town import house_front, skyline, stand
from .dwellings import stack
from .vista import camera, foreground, haze_bank, low_cloud, view

TIMES = (0.55, 0.14, 0.1, 0.19, 0.02)
"""Odds of the times of day at a look-out."""


def wildfire(canvas, style):
    """One to three plumes over wide land, near or at the horizon, behind a ridge or in a valley."""
    light, ridges = view(canvas, style, TIMES)
    count = style.pick("plumes", (1, 2, 3), (0.62, 0.25, 0.13))
    after = sorted(int(canvas.rng.integers(0, len(ridges))) for _ in range(count))
    for index, layer in enumerate(ridges):
        layer.paint(canvas, light)
        for _ in range(after.count(index)):
            _burn(canvas, style, light, layer, ridges[index + 1] if index + 1 < len(ridges) else None)
    foreground(canvas, style, light, ridges[-1])
    camera(canvas, style, light)


def lookout(canvas, style):
    """The same wide land and nothing burns: low clouds, haze, fog in valleys, snow, pale rocks and roads."""
    light, ridges = view(canvas, style, TIMES)
    for index, layer in enumerate(ridges):
        if index == 0:
            low_cloud(canvas, light, layer, style.between("cloud_size", 0.05, 0.5))
        layer.paint(canvas, light)
        if style.chance(f"haze_{index}", 0.4):
            haze_bank(canvas, light, layer, style.between(f"haze_density_{index}", 0.2, 0.9))
    foreground(canvas, style, light, ridges[-1])
    camera(canvas, style, light)


def town_fire(canvas, style):
    """A town or works in the middle distance: a burning house, or stacks that smoke."""
    light, ridges = view(canvas, style, TIMES)
    for layer in ridges[:-1]:
        layer.paint(canvas, light)
    base = ridges[-2].at(0.5) + style.between("town_below", 0.0, 0.08)
    tallest = style.between("town_height", 0.04, 0.13)
    dark = light.name in ("dusk", "night")
    skyline(canvas, light, base, tallest, 0.75, style.between("town_veil", 0.15, 0.5), dark, count=26)
    what = style.pick("burns", ("house", "stacks", "town"), (0.4, 0.35, 0.25))
    rng = canvas.rng
    if what == "stacks":
        for _ in range(int(rng.integers(1, 5))):
            x, tall, thick = rng.uniform(0.08, 0.92), rng.uniform(0.08, 0.24), rng.uniform(0.008, 0.02)
            stack(canvas, light, x, base, tall, thick)
            shape = ("thread", "column", "drift")[int(rng.integers(3))]
            _smoke(canvas, style, light, x, base - tall + 0.004, rng.uniform(0.1, 0.5), shape, 0.1)
    elif what == "town":
        shape = style.pick("shape", ("column", "tower", "drift", "front"))
        _smoke(canvas, style, light, rng.uniform(0.1, 0.9), base - 0.01, style.between("size", 0.15, 0.6), shape, 0.15)
        skyline(canvas, light, base + 0.015, tallest * 0.7, 0.7, 0.2, dark, count=18)
    ridges[-1].paint(canvas, light)
    if what == "house":
        _burning_house(canvas, style, light, dark)
    foreground(canvas, style, light, ridges[-1])
    camera(canvas, style, light)


def _burning_house(canvas, style, light, dark):
    """A house on the near slope with smoke from its roof and perhaps flames."""
    rng = canvas.rng
    wide, x = style.between("house_width", 0.06, 0.2), style.between("house_u", 0.1, 0.75)
    foot = canvas.aspect * style.between("house_foot", 0.75, 0.9)
    tall, middle = wide * rng.uniform(0.45, 0.8), x + wide * rng.uniform(0.3, 0.7)
    front = house_front(light, 7.0, 4.5, 3.0, 7.0 / (wide * canvas.width_px), rng, shop=False, night=dark)
    size = min(wide * rng.uniform(2.0, 5.0), 0.75)
    _smoke(canvas, style, light, middle, foot - tall * 0.7, size, style.pick("shape", ("column", "tower", "drift")), 0.0)
    stand(canvas, front, [(x, foot - tall), (x + wide, foot - tall), (x + wide, foot), (x, foot)], (0.5, 0.5))
    if style.chance("flames", 0.5):
        flames(canvas, middle, foot - tall * 0.9, wide * rng.uniform(0.3, 0.8), tall * rng.uniform(0.4, 1.0), 0.5)


def _smoke(canvas, style, light, x, base_v, size, shape, veil, depth=0.7):
    """A plume whose colour and density are drawn, lit from below where the night is dark enough to show it."""
    lit_from_below = light.name in ("dusk", "night") and canvas.rng.random() < 0.7
    distant_smoke(
        canvas,
        light,
        x,
        base_v,
        size,
        shape,
        style.pick("tone", tuple(TONES), (0.34, 0.26, 0.14, 0.12, 0.14)),
        style.between("density", 0.3, 1.8),
        style.between("billow", 0.0, 1.0),
        veil,
        canvas.rng.uniform(0.3, 1.0) if lit_from_below else 0.0,
        depth=depth,
    )


def _burn(canvas, style, light, layer, nearer):
    """A plume whose source lies on ``layer``, in sight or hidden by the ``nearer`` ridge."""
    rng = canvas.rng
    shape = style.pick("shape", SHAPES, (0.16, 0.24, 0.16, 0.2, 0.12, 0.12))
    x = style.between("smoke_u", 0.08, 0.92)
    size = 0.05 * 12 ** style.between("size", 0, 1) * (0.7 + 0.6 * (1 - layer.depth))
    top = layer.at(x)
    # What lies in sight of the layer's face; the nearer ridge may rise above it.
    face = max((nearer.at(x) if nearer else min(top + 0.12, canvas.aspect)) - top, 0)
    hidden = nearer is not None and rng.random() < 0.55
    base = top + face + min(0.015, 0.15 * size) if hidden else top + face * rng.uniform(0.1, 0.9)
    _smoke(canvas, style, light, x, base, min(size, 0.75), shape, 0.7 * layer.veil, max(layer.depth - 0.02, 0.3))
