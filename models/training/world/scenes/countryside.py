"""Scenes of land: a meadow under clouds, mountains, trees close by."""

import numpy as np

from ..figures import person
from ..land import paint_land, rolling
from ..light import mix, smooth, srgb
from ..noise import fbm
from ..plants import bush, conifer, grass, tree
from ..room import pool_shadow
from ..sprite import Sprite
from ..town import house_front, road, skyline, stand
from ..vapour import mist
from .outdoors import boulder, fringe, sky_over

LEAVES = ("summer", "olive", "autumn", "spring", "dark", "red", "blossom")
LEAF_ODDS = (0.34, 0.16, 0.12, 0.16, 0.12, 0.04, 0.06)


def meadow(canvas, style):
    """Grassland under a big sky: hills, trees, a path or a farm, flowers in front."""
    horizon_v = style.between("horizon", 0.5, 0.78) * canvas.aspect
    light = sky_over(canvas, style, horizon_v, (0.58, 0.18, 0.06, 0.16, 0.02))
    far = rolling(
        canvas.seed(), style.between("hill_scale", 14, 26), style.between("hill_height", 2, 5), 6, 0.4, flat_until=12
    )
    palette = style.pick("land", ("meadow", "spring", "dry", "heath", "alpine"), (0.3, 0.3, 0.15, 0.1, 0.15))
    paint_land(
        canvas,
        light,
        horizon_v,
        1.2,
        far,
        8,
        90,
        palette,
        forest=style.between("forest", 0.2, 0.9),
        haze_distance=style.between("reach", 40, 90),
    )
    if style.chance("city", 0.1):
        skyline(canvas, light, horizon_v + 0.01, 0.12, 0.85, 0.45)
    if style.chance("row_of_trees", 0.6):
        fringe(
            canvas,
            light,
            horizon_v + 0.02,
            style.between("tree_height", 0.03, 0.07),
            depth=0.7,
            veil=0.18,
            scatter=0.35,
        )
    near = rolling(canvas.seed(), style.between("near_scale", 2.5, 6), style.between("near_height", 0.15, 0.5), 5, 0.4)
    paint_land(
        canvas, light, horizon_v, 1.0, lambda x, z: near(x, z) - 0.15, 0.9, 14, palette, haze_distance=60, foliage=True
    )
    _farm(canvas, light, style, horizon_v)
    for _ in range(int(style.between("trees", 0, 4))):
        base = horizon_v + canvas.rng.uniform(0.03, 0.12)
        tall = (base - horizon_v) * canvas.rng.uniform(2.0, 3.2)
        x = canvas.rng.uniform(0, 1)
        pool_shadow(canvas, x - 0.3 * tall * light.sun_to[0], base, tall * 0.5, tall * 0.09, 0.5)
        tree(canvas, light, x, base, tall, style.pick("leaves", LEAVES, LEAF_ODDS), 0.5, (light.haze, 0.08))
    green = _path(canvas, light, horizon_v) if style.chance("path", 0.35) else None
    flowers = style.pick(
        "flowers", ((), ("#f3e27a",), ("#ffffff", "#f0d24a"), ("#c8342c", "#ffffff"), ("#8a6cc0", "#f3e27a", "#ffffff"))
    )
    if style.chance("grass", 0.85):
        grass(
            canvas,
            light,
            canvas.aspect + 0.05,
            horizon_v + style.between("grass_from", 0.03, 0.10),
            style.pick("grass_palette", ("summer", "spring", "olive")),
            style.between("grass_count", 1.4, 2.4),
            style.between("grass_height", 0.03, 0.11),
            horizon_v=horizon_v,
            flowers=flowers,
            dry=style.between("dry", 0, 0.7),
            mask=green,
        )
    canvas.lens()


def _path(canvas, light, horizon_v):
    """A trodden path that winds into the distance; returns where grass may grow, a function of (x, v)."""
    rng = np.random.default_rng(canvas.seed())
    below = np.maximum(canvas.v - horizon_v - 0.012, 1e-4)
    z = 1 / below
    start, bend, near_x = rng.uniform(0, 6.28), rng.uniform(0.3, 0.8), rng.uniform(-0.2, 0.2)
    centre = lambda d: near_x + 0.5 * np.sin(bend * d + start) * smooth(0.5, 6, d)
    x = (canvas.u - 0.5) * z
    inside = 0.16 + 0.03 * fbm(x, z, 3, 4, canvas.seed()) - np.abs(x - centre(z))
    colour = mix(srgb("#a98d66"), srgb("#7d6a4c"), smooth(-1, 1, fbm(canvas.u, canvas.v * 3, 40, 4, canvas.seed())))
    lit = light.sun * (0.6 * max(light.sun_to[1], 0.1) + 0.1) + light.ambient
    canvas.put(
        np.clip(inside / (z * canvas.px * 2) + 0.5, 0, 1) * (z < 12),
        colour * lit,
        "rigid",
        np.clip(1 - (below / 0.6) ** 0.5, 0, 0.9),
    )

    def green(gx, gv):
        d = 1 / np.maximum(gv - horizon_v - 0.012, 1e-3)
        return (np.abs((gx - 0.5) * d - centre(d)) > 0.19).astype(np.float32)

    return green


def _farm(canvas, light, style, horizon_v):
    """Now and then a barn or a fence."""
    rng = np.random.default_rng(canvas.seed())
    if style.chance("barn", 0.25):
        x, base, wide = rng.uniform(0.1, 0.85), horizon_v + 0.045, rng.uniform(0.06, 0.12)
        tall = wide * 0.5
        front = house_front(light, 3.0, 1.5, 1.5, 3.0 / max(wide * canvas.width_px, 12), rng, shop=False)
        stand(
            canvas,
            front,
            [(x, base - tall), (x + wide, base - tall), (x + wide, base), (x, base)],
            (0.55, 0.55),
            (light.haze, 0.1),
        )
        sprite = Sprite(canvas)
        sprite.shape(
            [
                (x - wide * 0.06, base - tall),
                (x + wide * 0.2, base - tall * 1.7),
                (x + wide * 0.8, base - tall * 1.7),
                (x + wide * 1.06, base - tall),
            ],
            srgb(("#7a3a2a", "#5a5550", "#8a4a34")[int(rng.integers(3))]) * light.flat(0.6),
        )
        sprite.put("rigid", 0.55)
    if style.chance("fence", 0.3):
        base0, base1 = horizon_v + rng.uniform(0.05, 0.1), horizon_v + rng.uniform(0.06, 0.16)
        xs = np.linspace(-0.02, 1.02, 18)
        vs = np.linspace(base0, base1, 18)
        high = (vs - horizon_v) * 0.55
        wood = srgb("#8a7a66") * light.flat(0.4)
        sprite = Sprite(canvas)
        sprite.strokes([[(x, v - h), (x, v)] for x, v, h in zip(xs, vs, high)], high * 0.12, [wood] * 18)
        for part in (0.4, 0.8):
            sprite.strokes([np.stack([xs, vs - high * part], -1)], [high.mean() * 0.08], [wood * 0.9])
        sprite.put("rigid", 0.5)


def mountains(canvas, style):
    """A range with snow or woods, clouds above, a forest or scree in front."""
    horizon_v = style.between("horizon", 0.55, 0.75) * canvas.aspect
    light = sky_over(canvas, style, horizon_v, (0.5, 0.25, 0.12, 0.13, 0.0))
    tall = style.between("height", 12, 20)
    field = rolling(canvas.seed(), style.between("scale", 14, 26), tall, 9, 0.43, True, flat_until=9)
    paint_land(
        canvas,
        light,
        horizon_v,
        1.5,
        field,
        9,
        70,
        style.pick("land", ("alpine", "heath", "snow"), (0.6, 0.25, 0.15)),
        forest=style.between("forest", 0.2, 0.8),
        snow_above=tall * style.between("snow_line", 0.2, 0.5) if style.chance("snow", 0.7) else None,
        haze_distance=style.between("reach", 60, 130),
    )
    if style.chance("valley_mist", 0.3):
        mist(canvas, light, horizon_v, 0.02, 0.8, 0.7, flow=(0.01 * np.sign(canvas.wind[0] + 1e-3), 0))
    rng = canvas.rng
    near = rolling(canvas.seed(), 3.5, 0.5, 6, 0.45)
    paint_land(
        canvas,
        light,
        horizon_v,
        1.0,
        lambda x, z: near(x, z) - 0.2,
        0.9,
        12,
        style.pick("near_land", ("alpine", "heath", "meadow")),
        haze_distance=60,
    )
    if style.chance("spruces", 0.7):
        count = int(style.between("spruce_count", 6, 26))
        for base in np.sort(rng.uniform(horizon_v + 0.02, canvas.aspect * 1.02, count)):
            high = 0.05 + (base - horizon_v) * rng.uniform(0.9, 1.5)
            conifer(
                canvas,
                light,
                rng.uniform(-0.05, 1.05),
                base,
                high,
                0.7 - 0.6 * (base - horizon_v) / (canvas.aspect - horizon_v),
            )
    for _ in range(int(style.between("stones", 0, 9))):
        foot = rng.uniform(canvas.aspect - 0.12, canvas.aspect + 0.02)
        boulder(canvas, light, rng.uniform(0, 1), foot, rng.uniform(0.03, 0.1), rng.uniform(0.02, 0.06), 0.08, moss=0.2)
    canvas.lens()


def trees(canvas, style):
    """Trees and bushes close by, with ground below and sky or wood behind."""
    horizon_v = style.between("horizon", 0.6, 0.8) * canvas.aspect
    light = sky_over(canvas, style, horizon_v, (0.55, 0.2, 0.08, 0.17, 0.0))
    rng = canvas.rng
    if style.chance("wood_behind", 0.6):
        fringe(canvas, light, horizon_v + 0.02, style.between("wood_height", 0.1, 0.3), depth=0.75, veil=0.25)
    near = rolling(canvas.seed(), 4, 0.3, 4)
    paint_land(
        canvas,
        light,
        horizon_v,
        1.0,
        lambda x, z: near(x, z) - 0.15,
        0.9,
        16,
        style.pick("land", ("meadow", "spring", "dry")),
        haze_distance=50,
        foliage=style.chance("lawn", 0.7),
    )
    if style.chance("road", 0.25):
        road(
            canvas,
            light,
            horizon_v,
            0.3,
            rng.uniform(0.3, 0.7),
            rng.uniform(0.5, 1.0),
            style.pick("surface", ("asphalt", "sand")),
            start_v=horizon_v + 0.03,
        )
    palette = style.pick("leaves", LEAVES, LEAF_ODDS)
    count = int(style.between("count", 1, 5))
    for base in np.sort(rng.uniform(horizon_v + 0.04, canvas.aspect * 0.97, count)):
        nearness = (base - horizon_v) / (canvas.aspect - horizon_v)
        tall = min(0.22 + 0.75 * nearness, 0.9 * canvas.aspect) * rng.uniform(0.75, 1.1)
        x = rng.uniform(0.05, 0.95)
        pool_shadow(canvas, x - 0.35 * tall * light.sun_to[0], base, tall * 0.42, tall * 0.07, 0.55)
        if rng.random() < 0.25:
            conifer(canvas, light, x, base, tall * 1.05, 0.6 - 0.5 * nearness)
        else:
            tree(
                canvas,
                light,
                x,
                base,
                tall,
                palette if rng.random() < 0.7 else str(rng.choice(LEAVES)),
                0.6 - 0.5 * nearness,
                density=0.9,
            )
    for _ in range(int(style.between("bushes", 0, 4))):
        base = rng.uniform(horizon_v + 0.06, canvas.aspect)
        wide = rng.uniform(0.1, 0.3)
        bush(
            canvas,
            light,
            rng.uniform(0, 1),
            base,
            wide,
            wide * rng.uniform(0.4, 0.8),
            str(rng.choice(LEAVES)),
            0.3,
            flowers=("#e8a0b8", None, "#f4f0e8", None)[int(rng.integers(4))],
        )
    if style.chance("grass", 0.6):
        grass(
            canvas,
            light,
            canvas.aspect + 0.04,
            horizon_v + 0.06,
            style.pick("grass_palette", ("summer", "spring", "olive")),
            1.2,
            style.between("grass_height", 0.02, 0.07),
            horizon_v=horizon_v,
        )
    if style.chance("people", 0.25):
        person(canvas, light, rng.uniform(0.1, 0.9), canvas.aspect * 0.9, 0.2, 0.25)
    canvas.lens()
