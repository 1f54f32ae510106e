"""What lies behind a thing seen close: sky, white cloud, a wall, leaves or a street, mostly out of focus."""

import numpy as np

from .light import blur, mix, smooth, srgb
from .materials import hue, paint_surface
from .noise import cells, fbm
from .plants import GREENS, wind_sway
from .room import bokeh
from .sky import paint_sky

WALLS = ("brick", "plaster", "concrete", "stone", "planks", "wood")


def soften(canvas, radius):
    """Put what is painted so far out of focus by ``radius`` widths."""
    canvas.rgb[:] = np.maximum(blur(canvas.rgb, radius / canvas.px), 0)


def backdrop(canvas, light, kind, focus=0.012):
    """Fill the canvas with a background of ``kind``, blurred by ``focus`` widths."""
    everywhere = np.ones_like(canvas.u)
    rng = np.random.default_rng(canvas.seed())
    if kind in ("clear", "cumulus", "sheet"):
        paint_sky(canvas, light, canvas.aspect * rng.uniform(1.0, 1.5), kind, rng.uniform(0.3, 0.7))
    elif kind == "white":
        veil = fbm(canvas.u, canvas.v, 1.5, 3, canvas.seed())
        tone = (1 + 0.05 * veil + 0.12 * (0.5 - canvas.v))[..., None]
        colour = mix(light.horizon, light.ambient, 0.5) * tone * np.float32(rng.uniform(0.8, 1.7))
        canvas.put(everywhere, colour, "sky", 1.0, mobility=0.06)
    elif kind == "wall":
        paint_surface(canvas, light, str(rng.choice(WALLS)), depth=0.6)
        soften(canvas, focus * rng.uniform(0, 0.6))
    elif kind == "leaves":
        _leaves(canvas, light, rng)
        soften(canvas, focus)
    elif kind == "street":
        _street(canvas, light, rng)
        soften(canvas, focus)
    else:
        dark = srgb(str(rng.choice(["#15120f", "#0c1014", "#1a1613", "#101510"]))) * np.float32(rng.uniform(0.2, 1.0))
        canvas.put(everywhere, dark * (1 + 0.3 * fbm(canvas.u, canvas.v, 2, 3, canvas.seed()))[..., None], "rigid", 0.9)


def _leaves(canvas, light, rng):
    """Foliage far out of focus: dark gaps, lit masses and bright discs where the sky shines through."""
    low, middle, high = (srgb(c) for c in GREENS[str(rng.choice(["summer", "olive", "dark", "spring", "autumn"]))])
    mass = fbm(canvas.u, canvas.v, rng.uniform(2, 5), 4, canvas.seed())
    _, border, tone = cells(canvas.u, canvas.v, rng.uniform(12, 30), canvas.seed())
    lit = np.clip(0.4 + 0.3 * mass + 0.4 * (tone - 0.5), 0, 1)
    colour = mix(mix(low * 0.4, middle, lit), high, smooth(0.6, 1.0, lit)) * light.flat(0.3)
    free = np.float32(rng.uniform(0.2, 0.5))
    sway = wind_sway(canvas, 0.3)
    canvas.put(np.ones_like(mass), colour, "foliage", 0.75, mobility=free, sway=sway, profile="leaf")
    if not light.dark and rng.random() < 0.7:
        sky = tuple(tuple(light.horizon * rng.uniform(0.5, 1.6)) for _ in range(3))
        bokeh(canvas, int(rng.integers(8, 40)), (0, canvas.aspect * rng.uniform(0.3, 1)), 0.025, sky, 0.5)


def _street(canvas, light, rng):
    """House fronts, a road and bright spots: a town far out of focus."""
    column = np.floor(canvas.u * rng.uniform(3, 7) + rng.uniform(0, 1))
    row = np.floor(canvas.v * rng.uniform(3, 6) + 0.3 * column)
    paints = np.stack([hue(rng) for _ in range(12)])
    front = paints[((column * 5 + row * 3) % 12).astype(int)] * light.flat(0.35)
    window = (np.sin(canvas.u * 40) > 0.4) & (np.sin(canvas.v * 33) > 0.3)
    front = np.where(window[..., None], front * 0.4, front)
    road = canvas.v > canvas.aspect * rng.uniform(0.75, 1.0)
    front = np.where(road[..., None], srgb("#77736c") * light.flat(0.4), front)
    canvas.put(np.ones_like(canvas.u), front, "rigid", 0.8)
    bokeh(canvas, int(rng.integers(4, 25)), (0.2, canvas.aspect), 0.03, strength=0.3)
