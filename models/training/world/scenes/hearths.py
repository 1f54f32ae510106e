"""Scenes lit by fire: a camp fire at night, a fireplace, candles."""

import numpy as np

from ..figures import person
from ..fire import candle, embers, flames, halo, sparks, thrown_light
from ..land import paint_land, rolling
from ..light import light_at, mix, smooth, srgb
from ..materials import material, paint_surface
from ..noise import cells, fbm, octaves_for
from ..plants import bush, conifer, grass, tree
from ..room import bokeh, books, jar, panel, picture, table_top, wall_and_floor
from ..sky import paint_sky
from ..sprite import Sprite
from ..vapour import plume
from .outdoors import boulder


def log(canvas, light, x, v, length, thick, angle, glow=0.0, depth=0.3):
    """A log with bark along it and rings at its end."""
    reach = length * 0.6 + thick
    at = canvas.window(x - reach, v - reach, x + reach, v + reach)
    along, across = canvas.turned(at, x, v, angle)
    if along.size == 0:
        return
    along, across = along / length, across / (thick * 0.5)
    seed = canvas.seed()
    rough = fbm(along * length * 0.25, across * thick, 22 / (thick * 10), 4, seed, gain=0.6)
    ridges = fbm(along * length * 0.18, across * thick * 0.5, 3.0 / thick, 4, seed + 1, shape="ridged")
    inside = np.minimum((0.5 - np.abs(along)) * length, (1 + 0.06 * rough - np.abs(across)) * thick * 0.5)
    alpha = np.clip(inside / canvas.px + 0.5, 0, 1)
    round_off = np.sqrt(np.clip(1.02 - across**2, 0.0, 1))
    bark = mix(srgb("#2a1f18"), srgb("#6b5240"), np.clip(ridges * 1.2 - 0.2, 0, 1))
    lit = light.sun * np.clip(0.5 - 0.5 * across, 0, 1)[..., None] + light.ambient
    colour = bark * lit * (0.35 + 0.75 * round_off * (0.5 + ridges))[..., None]
    if glow:
        hot = smooth(0.25, 0.0, ridges) * glow + smooth(0.32, 0.5, np.abs(along)) * glow * 0.35
        colour = colour + np.clip(hot, 0, 1)[..., None] * np.float32([1.6, 0.36, 0.06])
    canvas.put(alpha, colour, "rigid", depth, at)
    end = along * length - 0.5 * length
    disc = 1 - np.hypot(end / (thick * 0.2), across)
    ring = 0.7 + 0.3 * np.sin(np.hypot(end / (thick * 0.2), across) * 22)
    canvas.put(
        np.clip(disc * thick * 0.3 / canvas.px + 0.5, 0, 1),
        srgb("#a9835a") * (light.flat(0.4)) * ring[..., None],
        "rigid",
        depth,
        at,
    )


def campfire(canvas, style):
    """A fire in a ring of stones at night; woods, water or friends around it, stars above."""
    rng = canvas.rng
    time = style.pick("time", ("night", "dusk"), (0.75, 0.25))
    light = light_at(time, rng)
    canvas.exposure = style.between("exposure", 0.9, 1.35)
    horizon_v = style.between("horizon", 0.45, 0.62) * canvas.aspect
    paint_sky(canvas, light, horizon_v, style.pick("clouds", ("clear", "sheet", "cumulus"), (0.6, 0.25, 0.15)), 0.45)
    far = rolling(canvas.seed(), 14, 4, 6, 0.4, flat_until=9)
    paint_land(canvas, light, horizon_v, 1.0, far, 8, 60, "alpine", forest=0.9, haze_distance=90)
    fire_u, fire_v = style.between("fire_u", 0.36, 0.64), style.between("fire_v", 0.78, 0.88) * canvas.aspect
    size = style.between("size", 0.13, 0.5)
    trees_kind = style.pick("trees", ("conifer", "leafy", "none"), (0.55, 0.25, 0.2))
    count = int(style.between("tree_count", 5, 13))
    ground_grass = style.chance("grass", 0.7)
    ground = rolling(canvas.seed(), 2.2, 0.12, 4)
    paint_land(
        canvas,
        light,
        horizon_v,
        1.0,
        lambda x, z: ground(x, z) - 0.05,
        0.8,
        16,
        style.pick("land", ("dry", "heath", "meadow", "sand")),
        haze_distance=80,
        foliage=ground_grass,
    )
    if trees_kind != "none":
        for base in np.sort(rng.uniform(horizon_v + 0.015, horizon_v + 0.09, count)):
            x = rng.uniform(-0.05, 1.05)
            tall = rng.uniform(0.22, 0.5) * min(1.0, canvas.aspect * 1.5)
            if trees_kind == "conifer":
                conifer(canvas, light, x, base, tall, 0.6)
            else:
                tree(canvas, light, x, base, tall * 0.9, "olive", 0.6, leaf=tall * 0.035, density=0.7)
    if style.chance("tent", 0.3):
        _tent(canvas, light, style.between("tent_u", 0.15, 0.85), horizon_v + 0.1, 0.24)
    if style.chance("bushes", 0.6):
        for _ in range(3):
            bush(canvas, light, rng.uniform(0, 1), horizon_v + rng.uniform(0.05, 0.12), 0.2, 0.08, "olive", 0.5)
    if ground_grass:
        clear = lambda x, v: (np.hypot((x - fire_u) / (size * 1.15), (v - fire_v) / (size * 0.45)) > 1).astype(
            np.float32
        )
        grass(
            canvas,
            light,
            canvas.aspect + 0.05,
            horizon_v + 0.06,
            "olive",
            style.between("grass_count", 0.8, 1.4),
            style.between("grass_height", 0.03, 0.07),
            horizon_v=horizon_v,
            mask=clear,
            dry=0.6,
        )
    for _ in range(int(style.between("people", 0, 3.4))):
        side = rng.choice([-1, 1])
        person(
            canvas,
            light,
            fire_u + side * size * rng.uniform(1.3, 2.0),
            fire_v + rng.uniform(-0.05, 0.0),
            size * 1.35,
            0.3,
            "stand",
            shadow=False,
        )
    # Ash and stones, then the light of the fire on all of it, then the fire itself.
    distance = np.hypot((canvas.u - fire_u) / (size * 1.35), (canvas.v - fire_v) / (size * 0.52))
    rough = fbm(canvas.u, canvas.v * 2.4, 16, octaves_for(16, canvas.width_px, 2, 6), canvas.seed(), gain=0.62)
    _, border, tone = cells(canvas.u, canvas.v * 2.4, 70, canvas.seed())
    earth = (
        mix(srgb("#3a2e24"), srgb("#5c4a3a"), smooth(-1, 1.2, rough))
        * (0.8 + 0.4 * tone * smooth(0, 0.3, border))[..., None]
    )
    ash = smooth(0.75, 0.35, distance + 0.06 * rough)
    earth = mix(earth, srgb("#1f1b19") * (1 + 0.3 * rough[..., None]), ash * 0.8)
    canvas.put(smooth(1.0, 0.78, distance + 0.07 * rough), earth * (light.ambient + light.sun), "rigid", 0.3)
    ring = np.linspace(0, 2 * np.pi, 15)[:-1] + rng.normal(0, 0.08, 14)
    stones = [(fire_u + size * 0.72 * np.cos(a), fire_v + size * 0.25 * np.sin(a), a) for a in ring]
    for x, v, a in sorted(stones, key=lambda s: s[1]):
        if np.sin(a) < 0.15:
            boulder(
                canvas,
                light,
                x,
                v + 0.02,
                size * rng.uniform(0.13, 0.2),
                size * rng.uniform(0.11, 0.16),
                0.3,
                colour=srgb("#8a8076"),
            )
    for _ in range(int(style.between("seats", 0, 3))):
        side = rng.choice([-1, 1])
        log(
            canvas,
            light,
            fire_u + side * size * rng.uniform(1.6, 2.2),
            fire_v + rng.uniform(-0.02, 0.1),
            size * 1.1,
            size * 0.22,
            rng.normal(0, 0.15),
            depth=0.25,
        )
    thrown_light(
        canvas,
        fire_u,
        fire_v - size * 0.35,
        style.between("reach", 0.10, 0.16) * (size / 0.18),
        style.between("throw", 1.5, 2.6) * (2.4 if time == "night" else 0.45),
        flatten=1.5,
    )
    smoke = style.chance("smoke", 0.45)
    if smoke:
        plume(
            canvas,
            light,
            fire_u,
            fire_v - size * 0.9,
            fire_v * 0.9,
            size * 0.4,
            0.35,
            0.35,
            (0.5, 0.48, 0.46),
            glow=np.float32([0.5, 0.2, 0.07]) * 0.3,
            wisps=0.5,
            depth=0.32,
        )
    _logs(canvas, _lit_by_fire(light, 0.3), rng, fire_u, fire_v, size)
    embers(canvas, fire_u, fire_v, size * 0.9, size * 0.2, 0.29, 0.8)
    halo(canvas, fire_u, fire_v - size * 0.4, size * 2.3, 0.14)
    halo(canvas, fire_u, fire_v - size * 0.4, size * 0.8, 0.30)
    flames(
        canvas,
        fire_u - size * 0.05,
        fire_v - size * 0.02,
        size * 0.95,
        size * style.between("flame_height", 1.2, 1.9),
        0.29,
        bright=0.8,
    )
    flames(
        canvas,
        fire_u + size * 0.04,
        fire_v + size * 0.03,
        size * 0.75,
        size * style.between("front_height", 0.8, 1.15),
        0.28,
        bright=1.1,
    )
    sparks(canvas, fire_u, fire_v - size * 0.5, size, size * 2.2, int(style.between("sparks", 30, 110)))
    for x, v, a in sorted(stones, key=lambda s: s[1]):
        if np.sin(a) >= 0.15:
            boulder(
                canvas,
                _lit_by_fire(light, x - fire_u),
                x,
                v + 0.025,
                size * rng.uniform(0.15, 0.22),
                size * rng.uniform(0.11, 0.16),
                0.27,
                colour=srgb("#8a8076"),
            )
            where = canvas.depth == np.float32(0.27)
            canvas.light[where] = np.maximum(canvas.light[where], 0.35)
    canvas.lens(bloom=0.10, vignette=0.35)


def _lit_by_fire(light, side):
    """Light on the stones between the viewer and the fire: their far faces glow, these are nearly dark."""
    from dataclasses import replace

    return replace(
        light,
        sun=np.float32([1.5, 0.55, 0.15]),
        sun_to=np.float32([-np.sign(side) * 0.45, 0.85, -0.3]),
        ambient=light.ambient * 1.2 + np.float32([0.06, 0.026, 0.010]),
    )


def _logs(canvas, light, rng, x, v, size):
    """The stack that burns: logs leaning together."""
    for k in range(7):
        angle = rng.uniform(-0.5, 0.5) + (0.9 if k % 2 else -0.9) * (k > 2)
        log(
            canvas,
            light,
            x + rng.normal(0, 0.12) * size,
            v - size * (0.05 + 0.10 * (k > 2)) + rng.normal(0, 0.02) * size,
            size * rng.uniform(0.75, 1.0),
            size * rng.uniform(0.10, 0.15),
            angle,
            glow=0.7,
            depth=0.29,
        )


def _tent(canvas, light, x, base, wide):
    sprite = Sprite(canvas)
    colour = srgb(("#b5622a", "#3f6a5a", "#5a6f8a")[int(canvas.rng.integers(3))])
    tall = wide * 0.55
    sprite.shape(
        [(x - wide * 0.5, base), (x - wide * 0.05, base - tall), (x + wide * 0.5, base - 0.03)],
        colour * light.flat(0.7),
    )
    sprite.shape(
        [(x - wide * 0.5, base), (x - wide * 0.05, base - tall), (x - wide * 0.02, base + 0.015)],
        colour * light.flat(0.3),
    )
    sprite.shape(
        [(x - wide * 0.3, base + 0.005), (x - wide * 0.06, base - tall * 0.8), (x - wide * 0.08, base + 0.012)],
        colour * 0.15 * light.flat(0.3),
    )
    sprite.put("rigid", 0.5)


def fireplace(canvas, style):
    """A fire in a chimney breast, with a mantelpiece, indoors in the evening."""
    rng = canvas.rng
    light = light_at("night", rng)
    light.ambient = np.float32([0.055, 0.045, 0.04]) * np.float32(style.between("room_light", 0.8, 3.5))
    light.sun = np.float32([0.20, 0.14, 0.08]) * np.float32(style.between("lamp", 0.3, 1.5))
    light.sun_to = np.float32([rng.uniform(-0.6, 0.6), 0.5, 0.6])
    canvas.exposure = style.between("exposure", 1.2, 1.6)
    floor_v = canvas.aspect * style.between("floor", 0.8, 0.88)
    wall_and_floor(
        canvas,
        light,
        floor_v,
        style.pick("wall", ("plaster", "brick", "planks", "stone"), (0.5, 0.2, 0.1, 0.2)),
        style.pick("floor_name", ("planks", "floor_tiles", "carpet")),
        soft=0.9,
    )
    x, wide = style.between("u", 0.42, 0.58), style.between("width", 0.34, 0.5)
    tall = min(wide * 0.68, floor_v * 0.62)
    breast = wide * 0.75
    stuff = style.pick("breast", ("brick", "stone", "marble", "plaster"), (0.4, 0.35, 0.15, 0.1))
    panel(canvas, light, x - breast, -0.02, x + breast, floor_v + 0.01, stuff, depth=0.6, zoom=1.1)
    at = canvas.window(x - wide / 2, floor_v - tall, x + wide / 2, floor_v)
    u, v = canvas.u[at], canvas.v[at]
    t = (u - x) / (wide / 2)
    albedo, _ = material("brick", u * 1.6, v * 1.6, rng, srgb("#5a3a2c"))
    arch = style.chance("arch", 0.4)
    top = floor_v - tall * (1 - (0.22 * t * t if arch else 0))
    depth_shade = 0.25 + 0.5 * np.abs(t) ** 2
    canvas.put(
        np.clip((v - top) / canvas.px + 0.5, 0, 1),
        albedo * depth_shade[..., None] * (light.ambient + 0.05),
        "rigid",
        0.7,
        at,
    )
    panel(
        canvas,
        light,
        x - breast * 1.08,
        floor_v - tall - 0.07,
        x + breast * 1.08,
        floor_v - tall - 0.035,
        style.pick("mantel", ("wood", "marble")),
        depth=0.5,
    )
    mantel = floor_v - tall - 0.07
    for k in range(int(style.between("ornaments", 0, 6))):
        px = x + rng.uniform(-0.9, 0.9) * breast
        if rng.random() < 0.35:
            candle(canvas, px, mantel, 0.05, 0.5, lit=rng.random() < 0.6)
        else:
            jar(canvas, light, px, mantel, rng.uniform(0.05, 0.1), 0.5)
    if mantel > 0.2 and style.chance("picture", 0.6):
        picture(canvas, light, x - 0.12, max(0.02, mantel - 0.24), x + 0.12, mantel - 0.09, 0.6)
    panel(canvas, light, x - wide * 0.62, floor_v - 0.012, x + wide * 0.62, floor_v + 0.03, "concrete", depth=0.45)
    size = wide * style.between("fire_size", 0.5, 0.72)
    fire_v = floor_v - 0.02
    for k in range(4):
        log(
            canvas,
            light,
            x + rng.normal(0, 0.05) * wide,
            fire_v - size * 0.07 * (k > 1) - 0.005,
            size * rng.uniform(0.8, 1.05),
            size * 0.13,
            rng.normal(0, 0.15),
            0.8,
            0.55,
        )
    thrown_light(canvas, x, fire_v - size * 0.25, 0.13, style.between("throw", 1.0, 2.2), flatten=1.3)
    embers(canvas, x, fire_v, size, size * 0.16, 0.55, 0.9)
    halo(canvas, x, fire_v - size * 0.4, wide * 1.0, 0.16)
    flames(
        canvas, x, fire_v - size * 0.02, size * 0.9, min(tall * 0.85, size * rng.uniform(0.8, 1.1)), 0.54, bright=0.85
    )
    flames(
        canvas, x, fire_v + size * 0.02, size * 0.7, min(tall * 0.6, size * rng.uniform(0.5, 0.8)), 0.53, bright=1.05
    )
    if style.chance("grate", 0.4):
        sprite = Sprite(canvas)
        bars = np.linspace(x - wide * 0.36, x + wide * 0.36, 11)
        sprite.strokes(
            [[(b, fire_v - size * 0.12), (b, fire_v + 0.012)] for b in bars]
            + [[(bars[0], fire_v - size * 0.12), (bars[-1], fire_v - size * 0.12)]],
            [0.005] * 12,
            [np.float32([0.03, 0.015, 0.01])] * 12,
        )
        sprite.put("rigid", 0.5)
    if style.chance("shelf", 0.4):
        panel(canvas, light, -0.01, 0.2, x - breast - 0.02, 0.225, "wood", depth=0.6)
        books(canvas, light, 0.01, x - breast - 0.04, 0.2, 0.1, 0.6)
        thrown_light(canvas, x, fire_v, 0.2, 0.3)
    canvas.lens(bloom=0.10, vignette=0.35)


def candles(canvas, style):
    """Candles on a table in the dark, with glass and things around them."""
    rng = canvas.rng
    light = light_at("night", rng)
    light.ambient = np.float32([0.05, 0.042, 0.045]) * np.float32(style.between("room_light", 0.7, 3.0))
    light.sun = np.float32([0.12, 0.09, 0.06])
    light.sun_to = np.float32([0.3, 0.5, 0.8])
    canvas.exposure = style.between("exposure", 1.2, 1.7)
    paint_surface(canvas, light, style.pick("wall", ("plaster", "brick", "planks", "stone", "carpet")), depth=0.85)
    if style.chance("bokeh", 0.5):
        bokeh(canvas, 30, (0.0, 0.6 * canvas.aspect), 0.025, strength=0.7)
    edge = canvas.aspect * style.between("edge", 0.52, 0.7)
    table_top(canvas, light, edge, name=style.pick("table", ("planks", "wood", "marble", "weave")), gloss=0.12)
    count = int(style.between("count", 1, 6.9))
    places = sorted(
        ((edge + rng.uniform(0.05, 0.6) * (canvas.aspect - edge), rng.uniform(0.12, 0.88)) for _ in range(count))
    )
    for _ in range(int(style.between("things", 0, 4))):
        jar(canvas, light, rng.uniform(0.05, 0.95), edge + rng.uniform(0.03, 0.12), rng.uniform(0.1, 0.22), 0.45)
    heights = [rng.uniform(0.07, 0.24) * (0.6 + 0.6 * (v - edge) / (canvas.aspect - edge)) for v, _ in places]
    for (v, x), tall in zip(places, heights):
        thrown_light(canvas, x, v - tall, 0.09, 1.5 / np.sqrt(count))
        halo(canvas, x, v - tall * 1.12, 0.10, 0.18)
    for (v, x), tall in zip(places, heights):
        candle(
            canvas,
            x,
            v, tall, 0.3,
            ("#e8dcc0", "#f2efe8", "#a33a2c", "#d8b060")[int(rng.integers(4))],
            thick=min(0.8, 0.034 / tall * rng.uniform(0.8, 1.6)),
        )
        halo(canvas, x, v - tall * 1.14, 0.03, 0.35, (1.0, 0.6, 0.25))
    canvas.lens(bloom=0.12, vignette=0.35)
