"""Scenes on a table: a cup that steams in a cafe, a still life of goods that do not move."""

import numpy as np

from ..fire import candle
from ..light import blur, srgb
from ..materials import hue, paint_surface
from ..room import (
    bokeh,
    books,
    handle,
    jar,
    panel,
    pool_shadow,
    revolve,
    table_top,
    window_light,
)
from ..sprite import Sprite
from ..town import WORDS, text
from ..vapour import plume

ROOM_TIMES = ("day", "overcast", "golden", "night")
from .interiors import outside_view, room_light


def cup(canvas, light, x, base_v, size, albedo, depth=0.15, fill="#2a1408", side=1, saucer=True, tilt=0.32):
    """A cup on its saucer; ``size`` is its width. Returns (u, v) of the surface of the drink and its half width."""
    half = size / 2
    if saucer:
        pool_shadow(
            canvas, x, base_v + 0.03 * size, size * 1.45, size * 0.5, 0.78, shift=-0.3 * size * np.sign(light.sun_to[0])
        )
        dish = lambda t: half * (0.85 + 0.95 * t**0.7)
        revolve(
            canvas,
            light,
            x,
            base_v + size * 0.05,
            size * 0.085,
            dish,
            albedo,
            depth,
            tilt,
            0.5,
            inside=albedo,
            rim=size * 0.02,
            shallow=True,
        )
        pool_shadow(
            canvas, x - 0.04 * size * np.sign(light.sun_to[0]), base_v - size * 0.01, size * 0.62, size * 0.2, 0.5
        )
    else:
        pool_shadow(canvas, x, base_v, size * 0.75, size * 0.25, 0.6, shift=-0.12 * size * np.sign(light.sun_to[0]))
    tall = size * 0.72
    handle(canvas, light, x + side * half * 0.86, base_v - tall * 0.52, tall * 0.27, size * 0.085, albedo, side, depth)
    curve = lambda t: half * (0.56 + 0.44 * np.sqrt(np.clip(1 - (1 - t) ** 2.6, 0, 1))) * (1 - 0.25 * np.exp(-t * 16))
    (rim_u, rim_v), rim_r = revolve(
        canvas,
        light,
        x,
        base_v,
        tall,
        curve,
        albedo,
        depth,
        tilt,
        0.9,
        inside=albedo,
        fill=srgb(fill),
        rim=size * 0.035,
        fill_level=0.82,
    )
    return (rim_u, rim_v + 0.06 * size), rim_r


def steam(canvas, light, x, v, size, depth=0.14, amount=1.0, tall=2.4):
    """Steam over a hot drink: a few threads that curl apart as they rise."""
    for k, (dx, wisp, strength) in enumerate(((0.0, 0.35, 0.28), (-0.15, 0.85, 0.5), (0.12, 0.85, 0.45))):
        plume(
            canvas,
            light,
            x + dx * size,
            v,
            size * tall * (1.0 - 0.12 * k),
            size * (0.34 if k == 0 else 0.16),
            0.22,
            amount * strength,
            (0.95, 0.96, 1.0),
            wisps=wisp,
            lean=0.35,
            depth=depth,
            speed=0.016,
            fade=1.3,
            frequency=1.25 / size,
        )


def cafe(canvas, style):
    """A cup on a table by a window, steaming; a cafe out of focus behind."""
    rng = canvas.rng
    light = room_light(canvas, style)
    side = style.pick("light_from", (-1, 1))
    light.sun_to = np.float32([side * 0.72, 0.45, -0.28 if style.chance("backlit", 0.5) else 0.45])
    light.sun_to /= np.linalg.norm(light.sun_to)
    edge = canvas.aspect * style.between("edge", 0.48, 0.62)
    # The room behind, out of focus.
    paint_surface(
        canvas,
        light,
        style.pick("wall", ("plaster", "planks", "brick", "tiles"), (0.5, 0.2, 0.2, 0.1)),
        depth=0.9,
        base=None,
        zoom=1.5,
        shade=0.5 / (0.4 + ((canvas.u - 0.5 - side * 0.5) ** 2 + (canvas.v - 0.1) ** 2)),
        flat=True,
    )
    if style.chance("window", 0.7):
        u0 = 0.5 + side * 0.25 - 0.22
        window_light(canvas, light, u0 - 0.05, -0.05, u0 + 0.48, edge - 0.06, outside_view(canvas, light), panes=(2, 2))
    for _ in range(int(style.between("behind", 0, 5))):
        x = rng.uniform(0, 1)
        jar(canvas, light, x, edge - 0.01, rng.uniform(0.1, 0.24), 0.85)
    if style.chance("shelf", 0.5):
        panel(canvas, light, 0.02, edge * 0.5, 0.5, edge * 0.5 + 0.012, "wood", depth=0.85)
        books(canvas, light, 0.04, 0.48, edge * 0.5, 0.1, 0.85)
    canvas.rgb = blur(canvas.rgb, style.between("defocus", 0.006, 0.02) / canvas.px)
    bokeh(canvas, int(style.between("bokeh", 4, 30)), (0.02, edge * 0.9), 0.028, strength=0.22)
    table_top(
        canvas,
        light,
        edge,
        name=style.pick("table", ("planks", "wood", "marble"), (0.45, 0.35, 0.2)),
        gloss=style.between("gloss", 0.15, 0.45),
        turn=style.between("turn", -0.3, 0.3),
    )
    size = style.between("size", 0.18, 0.34) * (1.25 if canvas.aspect > 1.2 else 1.0)
    x, base = (
        style.between("u", 0.36, 0.64),
        min(canvas.aspect - 0.09 - size * 0.12, edge + (canvas.aspect - edge) * style.between("v", 0.5, 0.7)),
    )
    albedo = srgb(style.pick("glaze", ("#efeae0", "#e6e0d2", "#3b5560", "#8c4a38", "#2a2c30", "#b9c4b6", "#d9a441")))
    for _ in range(int(style.between("company", 0, 3.5))):
        px = x + rng.choice([-1, 1]) * size * rng.uniform(1.1, 1.7)
        jar(canvas, light, px, edge + (base - edge) * rng.uniform(0.2, 0.7), size * rng.uniform(0.5, 0.9), 0.4)
    if style.chance("book", 0.35):
        _book(canvas, light, x - side * size * 1.4, base + size * 0.12, size * 1.3)
    (su, sv), sr = cup(
        canvas,
        light,
        x,
        base,
        size,
        albedo,
        0.15,
        style.pick("drink", ("#2a1408", "#6a3a18", "#b5763a", "#4a1e0a")),
        side=style.pick("ear", (-1, 1)),
        saucer=style.chance("saucer", 0.8),
    )
    if style.chance("spoon", 0.5):
        _spoon(canvas, light, x + side * size * 0.1, base + size * 0.42, size * 0.95)
    if style.chance("steaming", 0.9):
        steam(
            canvas,
            light,
            su,
            sv,
            size,
            amount=style.between("steam", 0.7, 1.3),
            tall=style.between("steam_height", 1.6, 2.8),
        )
    canvas.lens(vignette=0.3)


def _spoon(canvas, light, x, v, length):
    sprite = Sprite(canvas)
    steel = srgb("#b9bdc2")
    around = np.linspace(0, 2 * np.pi, 20)
    line = np.stack([x + np.linspace(-0.5, 0.3, 8) * length, v + 0.03 * length * np.linspace(0.5, -0.6, 8) ** 2], -1)
    pool_shadow(canvas, x, v + 0.015, length * 0.55, length * 0.06, 0.4)
    sprite.strokes([line], [0.035 * length], [steel * light.flat(0.35)])
    sprite.strokes([line - np.float32([0, 0.006 * length])], [0.012 * length], [steel * light.flat(1.1)])
    sprite.shape(
        np.stack([x + 0.4 * length + 0.13 * length * np.cos(around), v + 0.055 * length * np.sin(around)], -1),
        steel * light.flat(0.45),
    )
    sprite.shape(
        np.stack(
            [x + 0.41 * length + 0.09 * length * np.cos(around), v + 0.004 * length + 0.03 * length * np.sin(around)],
            -1,
        ),
        steel * light.flat(0.2),
    )
    sprite.put("rigid", 0.12)


def _book(canvas, light, x, v, size):
    sprite = Sprite(canvas)
    cover = hue(canvas.rng)
    pool_shadow(canvas, x, v, size * 0.7, size * 0.22, 0.5)
    top = np.float32(
        [
            (x - size * 0.42, v - size * 0.16),
            (x + size * 0.4, v - size * 0.2),
            (x + size * 0.52, v + size * 0.06),
            (x - size * 0.5, v + size * 0.1),
        ]
    )
    sprite.shape(top + np.float32([0, size * 0.05]), srgb("#e8e0cc") * light.flat(0.3))
    sprite.shape(top, cover * light.flat(0.5))
    inner = top.mean(0) + (top - top.mean(0)) * 0.75
    sprite.strokes([np.vstack([inner, inner[:1]])], [size * 0.012], [srgb("#e3c27a") * light.flat(0.5)])
    sprite.put("rigid", 0.25)


def still_life(canvas, style):
    """Goods on a table: jars, fruit, boxes, a bowl, cups that have gone cold."""
    rng = canvas.rng
    light = room_light(canvas, style)
    paint_surface(
        canvas,
        light,
        str(rng.choice(["plaster", "plaster", "wood", "brick", "concrete", "paper"])),
        depth=0.9,
        flat=True,
        shade=0.7 / (0.5 + (canvas.u - rng.uniform(0, 1)) ** 2 + canvas.v**2),
    )
    edge = canvas.aspect * style.between("edge", 0.45, 0.65)
    canvas.rgb = blur(canvas.rgb, 0.003 / canvas.px)
    table_top(
        canvas,
        light,
        edge,
        name=style.pick("table", ("planks", "wood", "marble", "weave", "concrete")),
        gloss=style.between("gloss", 0, 0.35),
    )
    places = np.sort(edge + rng.uniform(0.04, 0.75, int(style.between("count", 3, 9))) * (canvas.aspect - edge))
    for v in places:
        x, size = rng.uniform(0.08, 0.92), rng.uniform(0.1, 0.26) * (0.7 + 0.5 * (v - edge) / (canvas.aspect - edge))
        what = rng.choice(["jar", "fruit", "cup", "box", "candle"], p=[0.36, 0.28, 0.16, 0.15, 0.05])
        if what == "jar":
            jar(canvas, light, x, v, size * 1.2, 0.3)
        elif what == "fruit":
            for _ in range(int(rng.integers(1, 5))):
                _fruit(canvas, light, x + rng.normal(0, size * 0.6), v + rng.normal(0, 0.01), size * 0.42)
        elif what == "cup":
            cup(canvas, light, x, v, size, hue(rng), 0.3, side=int(rng.choice([-1, 1])), saucer=rng.random() < 0.5)
        elif what == "candle":
            candle(canvas, x, v, size, 0.3, lit=False)
        else:
            panel(
                canvas,
                light,
                x - size / 2,
                v - size * 0.8,
                x + size / 2,
                v,
                str(rng.choice(["paper", "metal", "wood", "rust"])),
                hue(rng),
                0.3,
            )
            text(
                canvas, WORDS[int(rng.integers(len(WORDS)))], x, v - size * 0.35, size * 0.16, hue(rng), 0.3, size * 0.8
            )
    canvas.lens(vignette=0.3)


def _fruit(canvas, light, x, v, size):
    rng = canvas.rng
    colour = srgb(("#b3261e", "#d98a1e", "#d9b62a", "#7d9a2e", "#5a2a4a", "#e36a2e")[int(rng.integers(6))])
    pool_shadow(canvas, x - 0.1 * size * np.sign(light.sun_to[0]), v, size * 0.7, size * 0.2, 0.6)
    curve = lambda t: max(0.5 * size * np.sqrt(max(1 - (2 * t - 1) ** 2, 0.0)), 1e-4)
    revolve(canvas, light, x, v, size * 0.92, curve, colour, 0.28, 0.05, 0.5)
