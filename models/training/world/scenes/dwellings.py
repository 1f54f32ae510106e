"""Scenes about a house: a garden by its wall, potted plants, smoke from a chimney."""

import numpy as np

from ..figures import car
from ..land import paint_land, rolling
from ..light import light_at, mix, smooth, srgb
from ..materials import HUES, hue, paint_surface
from ..noise import fbm
from ..plants import bush, grass, potted_plant, tree
from ..room import panel, pool_shadow, window_light
from ..sprite import Sprite
from ..town import house_front, skyline, stand
from ..vapour import plume
from .interiors import outside_view
from .outdoors import fringe, sky_over

LEAVES = ("summer", "olive", "autumn", "spring", "dark", "red", "blossom")
LEAF_ODDS = (0.34, 0.16, 0.12, 0.16, 0.12, 0.04, 0.06)


def garden(canvas, style):
    """A house wall with bushes, pots, a hedge and a lawn."""
    light = light_at(style.pick("time", ("day", "golden", "overcast")), canvas.rng)
    canvas.exposure = light.exposure
    rng = canvas.rng
    floor_v = canvas.aspect * style.between("floor", 0.68, 0.85)
    if style.chance("house", 0.6):
        front = house_front(light, 6.0, 6.0 * floor_v, 3.0, 6.0 * canvas.px, rng, shop=False)
        stand(canvas, front, [(0, 0), (1, 0), (1, floor_v), (0, floor_v)], (0.6, 0.6))
    else:
        paint_surface(canvas, light, style.pick("wall", ("brick", "stone", "planks", "plaster")), depth=0.6)
    at = (slice(int(floor_v * canvas.width_px), None), slice(None))
    ground = style.pick("ground", ("lawn", "pebbles", "floor_tiles", "planks"))
    if ground == "lawn":
        below = canvas.v[at] - floor_v
        colour = mix(
            srgb("#41682a"), srgb("#7b9a44"), smooth(-1, 1.2, fbm(canvas.u[at], below * 3, 9, 6, canvas.seed()))
        ) * light.flat(0.5)
        canvas.put(np.ones_like(below), colour, "foliage", 0.3, at, mobility=0.15)
        grass(
            canvas,
            light,
            canvas.aspect + 0.03,
            floor_v + 0.01,
            "summer",
            1.3,
            style.between("grass_height", 0.015, 0.05),
            horizon_v=floor_v - 0.2,
        )
    else:
        paint_surface(canvas, light, ground, at=at, depth=0.3, zoom=0.7)
    for _ in range(int(style.between("bushes", 1, 5))):
        wide = rng.uniform(0.14, 0.4)
        bush(
            canvas,
            light,
            rng.uniform(0, 1),
            floor_v + rng.uniform(-0.01, 0.06),
            wide,
            wide * rng.uniform(0.5, 1.0),
            str(rng.choice(LEAVES)),
            0.45,
            flowers=(None, "#e8a0b8", "#f4f0e8", "#d8403a", "#e9c84a")[int(rng.integers(5))],
        )
    for _ in range(int(style.between("pots", 0, 4))):
        x, base, size = rng.uniform(0.05, 0.95), floor_v + rng.uniform(0.03, 0.14), rng.uniform(0.14, 0.32)
        pool_shadow(canvas, x - 0.04, base, size * 0.3, size * 0.08, 0.5)
        potted_plant(
            canvas,
            light,
            x,
            base,
            size,
            str(rng.choice(("summer", "dark", "spring", "olive"))),
            0.25,
            ("#a4532f", "#8d8a84", "#3f5a6a", "#c9b89a")[int(rng.integers(4))],
            still=0.8,
        )
    canvas.lens()


def potted(canvas, style):
    """Potted plants on a sill or a floor, indoors or by a wall."""
    light = light_at(style.pick("time", ("day", "overcast", "golden")), canvas.rng)
    canvas.exposure = 1.05 * light.exposure
    rng = canvas.rng
    indoors = style.chance("indoors", 0.6)
    paint_surface(
        canvas,
        light,
        style.pick("wall", ("plaster", "brick", "planks", "concrete", "tiles"), (0.45, 0.2, 0.1, 0.15, 0.1)),
        depth=0.7,
        flat=indoors,
        shade=1 / (1 + ((canvas.u - rng.uniform(0.1, 0.9)) ** 2 + canvas.v**2) * 1.1),
    )
    edge = canvas.aspect * style.between("edge", 0.7, 0.88)
    if style.chance("window", 0.4) and indoors:
        u0 = rng.uniform(0.05, 0.4)
        window_light(
            canvas,
            light,
            u0,
            0.03,
            u0 + rng.uniform(0.35, 0.55),
            edge - 0.02,
            outside_view(canvas, light),
            panes=(2, 2),
        )
    panel(
        canvas,
        light,
        -0.02,
        edge,
        1.02,
        canvas.aspect + 0.02,
        str(rng.choice(["wood", "planks", "marble", "concrete"])),
        depth=0.3,
    )
    count = int(style.between("count", 1, 4))
    for x in np.linspace(0, 1, count + 2)[1:-1] + rng.normal(0, 0.04, count):
        size = rng.uniform(0.28, 0.62) * min(1, 1.6 * canvas.aspect) * (1 if count == 1 else 0.75)
        base = edge + rng.uniform(0.01, 0.04)
        pool_shadow(canvas, x - 0.03, base, size * 0.28, size * 0.06, 0.55)
        potted_plant(
            canvas,
            light,
            x,
            base,
            size,
            style.pick("leaves", ("summer", "dark", "spring", "olive")),
            0.2,
            ("#a4532f", "#e8e4da", "#3f5a6a", "#c9b89a", "#2a2a2c")[int(rng.integers(5))],
            still=0.3 if indoors else 0.8,
        )
    canvas.lens(vignette=0.3)


def chimney(canvas, style):
    """Smoke from a house, a works or a distant field."""
    horizon_v = style.between("horizon", 0.62, 0.82) * canvas.aspect
    light = sky_over(canvas, style, horizon_v, (0.4, 0.2, 0.15, 0.2, 0.05))
    rng = canvas.rng
    far = rolling(canvas.seed(), 18, 3.5, 6, 0.4, flat_until=10)
    paint_land(
        canvas,
        light,
        horizon_v,
        1.2,
        far,
        8,
        80,
        style.pick("land", ("meadow", "heath", "dry", "snow", "alpine")),
        forest=style.between("forest", 0.2, 0.9),
        haze_distance=60,
    )
    what = style.pick("what", ("house", "works", "field"), (0.5, 0.3, 0.2))
    tone = np.float32(
        style.pick("smoke", ((0.95, 0.96, 0.98), (0.35, 0.34, 0.34), (0.75, 0.71, 0.67)), (0.55, 0.2, 0.25))
    )
    near = rolling(canvas.seed(), 4, 0.25, 4)
    ground = lambda: paint_land(
        canvas,
        light,
        horizon_v,
        1.0,
        lambda x, z: near(x, z) - 0.1,
        0.9,
        14,
        style.pick("near_land", ("meadow", "snow", "dry")),
        haze_distance=50,
    )
    if what == "field":
        ground()
        x = rng.uniform(0.2, 0.8)
        plume(
            canvas,
            light,
            x,
            horizon_v + 0.015,
            style.between("length", 0.25, 0.6) * canvas.aspect,
            rng.uniform(0.02, 0.05),
            0.45,
            1.1,
            tone,
            wisps=0.2,
            depth=0.85,
            speed=0.012,
        )
        fringe(canvas, light, horizon_v + 0.02, 0.04, depth=0.7, veil=0.2)
        canvas.lens()
        return
    if what == "works":
        skyline(canvas, light, horizon_v + 0.03, 0.10, 0.7, 0.3, light.dark, count=12)
        for _ in range(int(rng.integers(1, 4))):
            x, tall, thick = rng.uniform(0.15, 0.85), rng.uniform(0.16, 0.34), rng.uniform(0.014, 0.03)
            stack(canvas, light, x, horizon_v + 0.03, tall, thick)
            plume(
                canvas,
                light,
                x,
                horizon_v + 0.03 - tall,
                min(horizon_v - tall, 0.5) * 1.1 + 0.1,
                thick * 0.8,
                0.5,
                1.5,
                tone,
                wisps=0.1,
                depth=0.66,
                speed=0.018,
            )
        ground()
    else:
        ground()
        x, wide = style.between("house_u", 0.2, 0.6), style.between("house_width", 0.26, 0.42)
        base = canvas.aspect * style.between("house_foot", 0.86, 0.95)
        tall = wide * 0.5
        front = house_front(light, 7.0, 3.5, 3.2, 7.0 / (wide * canvas.width_px), rng, shop=False, night=light.dark)
        stand(canvas, front, [(x, base - tall), (x + wide, base - tall), (x + wide, base), (x, base)], (0.4, 0.4))
        roof_v = base - tall * 1.75
        stack_x = x + wide * rng.uniform(0.3, 0.7)
        stack(canvas, light, stack_x, base - tall, tall * 1.1, wide * 0.09, brick=True)
        sprite = Sprite(canvas)
        tiles = srgb(("#7d3b28", "#55524e", "#8c5238", "#4a4f58")[int(rng.integers(4))])
        sprite.shape(
            [
                (x - wide * 0.07, base - tall * 0.97),
                (x + wide * 0.16, roof_v),
                (x + wide * 0.84, roof_v),
                (x + wide * 1.07, base - tall * 0.97),
            ],
            tiles * light.flat(0.55),
        )
        rows = [
            np.float32(
                [
                    (x - wide * 0.07 + wide * 0.23 * k, base - tall * 0.97 - (base - tall * 0.97 - roof_v) * k),
                    (x + wide * 1.07 - wide * 0.23 * k, base - tall * 0.97 - (base - tall * 0.97 - roof_v) * k),
                ]
            )
            for k in np.linspace(0, 1, 12)
        ]
        sprite.strokes(rows, [0.0015] * 12, [tiles * light.flat(0.3)] * 12)
        sprite.put("rigid", 0.4)
        plume(
            canvas,
            light,
            stack_x,
            base - tall * 2.08,
            min(style.between("length", 0.3, 0.55), base - tall),
            wide * 0.05,
            0.42,
            1.3,
            tone,
            wisps=style.between("wisps", 0.1, 0.7),
            depth=0.38,
            speed=0.018,
        )
        bush(canvas, light, x - 0.03, base + 0.01, 0.16, 0.08, str(rng.choice(LEAVES[:4])), 0.35)
        if style.chance("tree", 0.5):
            tree(canvas, light, x + wide * 1.3, base, wide * 0.9, str(rng.choice(LEAVES[:5])), 0.38)
        if style.chance("car", 0.3):
            car(canvas, light, x + wide * 0.5, base + 0.05, 0.16, 0.3)
    canvas.lens()


def stack(canvas, light, x, base_v, tall, thick, brick=False):
    """A chimney stack."""
    at = canvas.window(x - thick, base_v - tall, x + thick, base_v)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    t = np.clip((base_v - v) / tall, 0, 1)
    half = thick * (0.5 if brick else 0.62 - 0.2 * t)
    side = np.clip((u - x) / half, -1, 1)
    shade = (
        np.where(side > 0.1, 0.45, 0.75) if brick else np.clip(0.45 + 0.4 * side * np.sign(light.sun_to[0]), 0.15, 1)
    )
    courses = 0.9 + 0.1 * np.sin((base_v - v) / thick * 40)
    colour = (
        hue(canvas.rng, HUES[:3]) if brick else srgb(("#a5614a", "#b7b2aa", "#8a8580")[int(canvas.rng.integers(3))])
    )
    band = 1 - 0.45 * smooth(0.9, 0.92, t) * smooth(1.0, 0.98, t)
    canvas.put(
        np.clip((half - np.abs(u - x)) / canvas.px + 0.5, 0, 1),
        colour * (shade[..., None] * light.sun * 0.8 + light.ambient) * (courses * band)[..., None],
        "rigid",
        0.45,
        at,
    )
