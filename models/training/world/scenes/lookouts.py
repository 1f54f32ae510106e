"""Scenes seen from a look-out: distant smoke over wide land and over towns, and what is taken for smoke."""

from ..fire import flames
from ..light import srgb
from ..smoke import SHAPES, TONES, distant_smoke
from ..sprite import Sprite
from ..town import house_front, skyline, stand
from .dwellings import stack
from .vista import camera, foreground, haze_bank, low_cloud, view

TIMES = (0.56, 0.14, 0.1, 0.2, 0.0)
"""Odds of the times of day at a look-out; at night distant smoke is not seen."""


def wildfire(canvas, style):
    """One to three plumes over wide land, near or at the horizon, behind a ridge or in a valley."""
    light, ridges = view(canvas, style, TIMES)
    count = style.pick("plumes", (1, 2, 3), (0.62, 0.25, 0.13))
    # Most fires are far away, but none above the picture.
    first = sum(ridge.at(0.5) < 0.08 for ridge in ridges[:-1])
    after = [first + int((len(ridges) - first) * canvas.rng.uniform() ** 1.7) for _ in range(count)]
    if style.chance("low_cloud", 0.3):
        low_cloud(canvas, light, ridges[0], style.between("cloud_size", 0.05, 0.5))
    for index, layer in enumerate(ridges):
        layer.paint(canvas, light)
        if style.chance(f"haze_{index}", 0.12):
            haze_bank(canvas, light, layer, style.between(f"haze_density_{index}", 0.2, 0.9))
        for _ in range(after.count(index)):
            _burn(canvas, style, light, layer, ridges[index + 1 :])
    foreground(canvas, style, light, ridges[-1])
    camera(canvas, style, light)


def lookout(canvas, style):
    """The same wide land and nothing burns: low clouds, haze, fog in valleys, snow, pale rocks and roads."""
    light, ridges = view(canvas, style, TIMES)
    low_cloud(canvas, light, ridges[0], style.between("cloud_size", 0.05, 0.5))
    for index, layer in enumerate(ridges):
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
    base = float(ridges[-2].line.max()) + style.between("town_below", 0.0, 0.06)
    tallest = style.between("town_height", 0.04, 0.13)
    skyline(canvas, light, base, tallest, 0.75, style.between("town_veil", 0.15, 0.5), light.dark, count=26)
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
        skyline(canvas, light, base + 0.015, tallest * 0.7, 0.7, 0.2, light.dark, count=18)
    ridges[-1].paint(canvas, light)
    if what == "house":
        _burning_house(canvas, style, light, ridges[-1])
    foreground(canvas, style, light, ridges[-1])
    camera(canvas, style, light)


def _burning_house(canvas, style, light, slope):
    """A house on the near ``slope`` with smoke from its roof and perhaps flames."""
    rng = canvas.rng
    wide, x = style.between("house_width", 0.06, 0.2), style.between("house_u", 0.1, 0.75)
    tall, middle = wide * rng.uniform(0.3, 0.55), x + wide * rng.uniform(0.3, 0.7)
    foot = min(max(slope.at(x), slope.at(x + wide)) + 0.3 * tall, 0.97 * canvas.aspect)
    front = house_front(light, 7.0, 4.5, 3.0, 7.0 / (wide * canvas.width_px), rng, shop=False, night=light.dark)
    size = min(wide * rng.uniform(2.0, 5.0), 0.75)
    shape = style.pick("shape", ("column", "tower", "drift"))
    _smoke(canvas, style, light, middle, foot - tall * 1.1, size, shape, 0.0, depth=0.52)
    stand(canvas, front, [(x, foot - tall), (x + wide, foot - tall), (x + wide, foot), (x, foot)], (0.5, 0.5))
    roof = Sprite(canvas)
    eaves, top = foot - tall * 0.97, foot - tall * rng.uniform(1.4, 1.8)
    tiles = srgb(("#6f3a2a", "#4c4a48", "#8c5238")[int(rng.integers(3))]) * light.flat(0.5)
    corners = ((-0.07, eaves), (0.14, top), (0.86, top), (1.07, eaves))
    roof.shape([(x + wide * part, v) for part, v in corners], tiles)
    roof.put("rigid", 0.5)
    if style.chance("flames", 0.5):
        flames(canvas, middle, foot - tall * 1.2, wide * rng.uniform(0.3, 0.8), tall * rng.uniform(0.4, 1.0), 0.5)


def _smoke(canvas, style, light, x, base_v, size, shape, veil, depth=0.7):
    """A plume whose colour and density are drawn, lit from below where it is dark enough to show."""
    lit_from_below = light.name == "dusk" and canvas.rng.random() < 0.7
    distant_smoke(
        canvas,
        light,
        x,
        base_v,
        size,
        shape,
        style.pick("tone", tuple(TONES), (0.3, 0.22, 0.13, 0.11, 0.12, 0.12)),
        style.between("density", 0.3, 1.8),
        style.between("billow", 0.0, 1.0),
        veil,
        canvas.rng.uniform(0.3, 1.0) if lit_from_below else 0.0,
        depth=depth,
    )


def _burn(canvas, style, light, layer, nearer):
    """A plume whose source lies on ``layer``, in sight or hidden by the ``nearer`` ridges."""
    rng = canvas.rng
    shape = style.pick("shape", SHAPES, (0.16, 0.24, 0.16, 0.2, 0.12, 0.12))
    x = style.between("smoke_u", 0.08, 0.92)
    size = 0.07 * 9 ** style.between("size", 0, 1) * (0.7 + 0.6 * (1 - layer.depth))
    top = layer.at(x)
    # The layer's face is in sight down to this line; nearer ridges may rise above all of it.
    cut = min((ridge.at(x) for ridge in nearer), default=top + 0.12)
    if cut < top or (nearer and rng.random() < 0.55):
        base = cut + min(0.015, 0.15 * size)
    else:
        base = top + (cut - top) * rng.uniform(0.1, 0.9)
    base = min(base, max(top + 0.01, 0.7 * canvas.aspect))
    _smoke(canvas, style, light, x, base, min(size, 0.75), shape, 0.7 * layer.veil, max(layer.depth - 0.02, 0.3))
