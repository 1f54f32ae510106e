"""Scenes by open water: lake, sea, river."""

import numpy as np

from ..figures import person
from ..land import paint_land, rolling
from ..light import smooth, srgb
from ..materials import hue, material
from ..noise import cells, fbm, octaves_for, warp
from ..plants import grass, tree
from ..sprite import Sprite
from ..vapour import mist
from ..water import paint_water
from .outdoors import boulder, far_shore, fringe, shore_rocks, sky_over


def lake(canvas, style):
    """A lake with its far shore mirrored, reeds or rocks or a jetty in front."""
    horizon_v = style.between("horizon", 0.34, 0.58) * canvas.aspect
    light = sky_over(canvas, style, horizon_v)
    far_shore(canvas, style, light, horizon_v)
    if style.chance("mist", 0.25):
        mist(
            canvas,
            light,
            horizon_v + 0.004,
            0.010,
            style.between("mist_density", 0.25, 0.7),
            0.8,
            flow=(0.008 * np.sign(canvas.wind[0]), 0),
        )
    paint_water(
        canvas,
        light,
        horizon_v,
        frequency=style.between("wave_frequency", 0.9, 2.6),
        slope=style.between("wave_slope", 0.012, 0.06),
        body=style.pick("body", ("#0d3a44", "#12352e", "#0a2f4a", "#1e3a34")),
        start_v=horizon_v + 0.006,
        mirror_v=horizon_v + 0.006,
    )
    front = style.pick("front", ("rocks", "reeds", "jetty", "none", "tree", "boat"), (0.22, 0.22, 0.14, 0.2, 0.12, 0.1))
    bottom = canvas.aspect
    if front == "rocks":
        shore_rocks(
            canvas, light, lambda u, r: bottom - 0.22 * abs(u - 0.5) ** 1.4 * r.uniform(0.2, 1) + 0.02, 16, 0.07
        )
    if front in ("reeds", "tree"):
        reeds(canvas, light, style)
    if front == "jetty":
        jetty(canvas, light, horizon_v)
    if front == "tree":
        side = style.between("tree_u", -0.05, 1.05)
        tree(
            canvas,
            light,
            side,
            bottom + 0.02,
            0.75 * bottom,
            style.pick("leaves", ("summer", "olive", "autumn", "dark")),
            0.12,
        )
    if front == "boat" or style.chance("boat", 0.06):
        boat(
            canvas,
            light,
            style.between("boat_u", 0.2, 0.8),
            horizon_v + (bottom - horizon_v) * style.between("boat_v", 0.25, 0.6),
            style.between("boat_length", 0.09, 0.24),
            style.chosen.get("boat_paint"),
        )
    canvas.lens()


def reeds(canvas, light, style, count=1.0):
    """Reeds at the near edge, thick at the sides."""
    bottom = canvas.aspect
    rng = np.random.default_rng(canvas.seed())
    low = rng.uniform(0.0, 0.25)
    grass(
        canvas,
        light,
        bottom + 0.02,
        bottom - 0.05,
        style.pick("reed_palette", ("olive", "summer", "dark")),
        0.17 * count,
        style.between("reed_height", 0.1, 0.22),
        horizon_v=bottom - 0.5,
        mask=lambda x, v: np.clip(np.abs(x - 0.5 - low) * 2.2 - 0.25 + 0.25 * np.sin(x * 23), 0, 1),
        depth_far=0.12,
        stout=0.032,
    )


def jetty(canvas, light, horizon_v):
    """A wooden jetty that runs into the lake."""
    rng = np.random.default_rng(canvas.seed())
    end_v = horizon_v + (canvas.aspect - horizon_v) * rng.uniform(0.25, 0.45)
    vanish = rng.uniform(0.3, 0.7)
    eye = 1.0
    at = canvas.window(0, end_v, 1, canvas.aspect)
    u, v = canvas.u[at], canvas.v[at]
    z = eye / np.maximum(v - horizon_v, 1e-3)
    x = (u - vanish) * z - rng.uniform(-0.3, 0.3)
    half = 0.42
    inside = np.clip((half - np.abs(x)) / (z * canvas.px) + 0.5, 0, 1)
    albedo, relief = material("planks", z * 0.9, x * 0.9, rng, srgb("#8a7a66"))
    colour = albedo * (light.sun * (0.55 * max(light.sun_to[1], 0.1) + 0.12) + light.ambient * 0.9)
    shade = canvas.window(0, end_v, 1, canvas.aspect)
    under = smooth(half + 0.16, half, np.abs(x))
    canvas.rgb[shade] *= (1 - 0.5 * under * (inside < 1))[..., None]
    canvas.put(inside, colour, "rigid", np.clip(1 - ((v - horizon_v) / 0.5) ** 0.5, 0, 0.9), at)


def boat(canvas, light, x, v, length, paint=None):
    """A rowing boat seen from the side, with its reflection."""
    t = np.linspace(0, 1, 16)
    hull = np.concatenate(
        [
            np.stack([x + (t - 0.5) * length, v - length * (0.13 + 0.09 * (2 * t - 1) ** 4)], -1),
            np.stack([x + (0.5 - t) * length * 0.88, v + length * 0.035 * np.sin(np.pi * t)], -1),
        ]
    )
    rng = np.random.default_rng(canvas.seed())
    paint = hue(rng) * np.float32(rng.uniform(0.25, 1.0)) if paint is None else srgb(paint)
    shade = Sprite(canvas)
    mirrored = hull.copy()
    mirrored[:, 1] = 2 * v - mirrored[:, 1] + length * 0.03
    shade.shape(mirrored, [0.01, 0.01, 0.01])
    _, cover = shade.decoded()
    canvas.rgb += (paint * light.flat(0.15) * 0.35 - canvas.rgb) * (cover * 0.65)[..., None]
    sprite = Sprite(canvas)
    sprite.shape(hull, paint * light.flat(0.45))
    sprite.shape(hull * np.float32([1, 1]) - np.float32([0, length * 0.022]), srgb("#3a2a20") * light.flat(0.3))
    inner = np.stack([x + (t - 0.5) * length * 0.9, v - length * (0.10 + 0.09 * (2 * t - 1) ** 4)], -1)
    sprite.shape(np.concatenate([inner, hull[16:]]), paint * light.flat(0.55))
    sprite.put("vehicle", 0.4)


def sea(canvas, style):
    """Open sea, perhaps with surf on a beach and rocks."""
    horizon_v = style.between("horizon", 0.3, 0.6) * canvas.aspect
    light = sky_over(canvas, style, horizon_v)
    if style.chance("cape", 0.4):
        field = rolling(canvas.seed(), 6, 3.2, 7, 0.48, flat_until=7)
        side = style.pick("cape_side", (-1, 1))
        paint_land(
            canvas,
            light,
            horizon_v,
            1.0,
            lambda x, z: field(x, z) * smooth(0.0, 9.0, side * x) * 1.4 - 0.5,
            7,
            40,
            style.pick("land", ("heath", "dry", "meadow", "sand")),
            haze_distance=45,
        )
    paint_water(
        canvas,
        light,
        horizon_v,
        frequency=style.between("wave_frequency", 0.5, 1.6),
        slope=style.between("wave_slope", 0.05, 0.13),
        body=style.pick("body", ("#0b4a5a", "#0a3350", "#11605c", "#24424a")),
        foam=style.between("foam", 0.0, 0.6),
        travels=True,
    )
    front = style.pick("front", ("none", "beach", "rocks", "both"), (0.3, 0.35, 0.2, 0.15))
    if front in ("beach", "both"):
        beach(canvas, light, style, horizon_v)
    if front in ("rocks", "both"):
        bottom = canvas.aspect
        shore_rocks(canvas, light, lambda u, r: bottom - 0.3 * abs(u - 0.5) * r.uniform(0, 1) + 0.02, 14, 0.08)
    if style.chance("people", 0.2):
        for _ in range(3):
            person(
                canvas, light, canvas.rng.uniform(0.1, 0.9), canvas.aspect * canvas.rng.uniform(0.88, 0.98), 0.16, 0.15
            )
    canvas.lens()


def beach(canvas, light, style, horizon_v):
    """Sand in front, with the last wave running up it."""
    bottom = canvas.aspect
    u, v = canvas.u, canvas.v
    seed = canvas.seed()
    edge = (
        bottom
        - style.between("beach_depth", 0.06, 0.22)
        + 0.03 * fbm(u, v * 0, 1.5, 4, seed)
        + (u - 0.5) * canvas.rng.uniform(-0.25, 0.25)
    )
    inside = v - edge
    z = 1 / np.maximum(v - horizon_v, 0.01)
    albedo, relief = material("sand", (u - 0.5) * z, z, canvas.rng)
    wet = smooth(0.05, 0.0, inside)
    lit = light.sun * (0.7 * max(light.sun_to[1], 0.1) + 0.1) + light.ambient
    colour = albedo * lit * (1 + np.clip(relief * 20, -0.2, 0.2))[..., None] * (1 - 0.5 * wet)[..., None]
    canvas.put(np.clip(inside / canvas.px + 0.5, 0, 1), colour, "rigid", 0.1)
    for k, reach in enumerate((0.0, 0.035, 0.075)):
        bend = fbm(u, v * 0, 3, 5, seed + 3 + k)
        line = inside + reach * (1.2 if k else 0.4) + 0.008 * bend
        lace, border, _ = cells(u, v * 3, 26, seed + 9)
        foam = (
            smooth(0.014, 0.0, np.abs(line)) * (0.75 + 0.25 * smooth(0.3, 0.0, border))
            + smooth(0.05, 0, line) * smooth(-0.05, 0, line) * smooth(0.16, 0.0, border) * 0.7
        )
        canvas.put(
            np.clip(foam, 0, 0.93),
            light.flat(0.6) * 0.85,
            "water_still",
            0.15,
            mobility=0.9,
            sway=np.array([0.0006, 0.0032j]),
            profile="swell",
            threshold=0.4,
        )


def river(canvas, style):
    """A stream coming towards the viewer between banks."""
    horizon_v = style.between("horizon", 0.2, 0.42) * canvas.aspect
    light = sky_over(canvas, style, horizon_v, (0.5, 0.2, 0.1, 0.2, 0.0))
    field = rolling(canvas.seed(), 12, 5, 6, 0.42, flat_until=10)
    palette = style.pick("land", ("meadow", "spring", "alpine", "heath", "dry"), (0.3, 0.25, 0.2, 0.15, 0.1))
    paint_land(
        canvas,
        light,
        horizon_v,
        1.0,
        lambda x, z: field(x, z) - 0.2,
        7,
        60,
        palette,
        forest=style.between("forest", 0.2, 0.9),
    )
    fringe(canvas, light, horizon_v + 0.012, style.between("tree_height", 0.06, 0.14), depth=0.75)
    # Ground of the banks from the horizon down to the viewer.
    bank = rolling(canvas.seed(), 1.2, 0.12, 4)
    paint_land(
        canvas, light, horizon_v, 1.0, lambda x, z: bank(x, z) - 0.05, 0.8, 14, palette, haze_distance=40, foliage=True
    )
    u, v = canvas.u, canvas.v
    below = np.maximum(v - horizon_v - 0.004, 1e-4)
    z = 1 / below
    bends, start = style.between("bends", 0.25, 0.7), style.between("start", 0, 6.28)
    near_x = style.between("near_x", -0.25, 0.25)
    centre = lambda d: near_x + 0.9 * np.sin(bends * d + start) * smooth(0.8, 7, d) * (0.4 + 0.1 * d) + 0.03 * d
    half = style.between("half_width", 0.4, 0.75)
    x = (u - 0.5) * z
    ragged = 0.06 * fbm(x, z, 2.2, 4, canvas.seed())
    inside = half + ragged - np.abs(x - centre(z))
    alpha = np.clip(inside / (z * canvas.px) + 0.5, 0, 1) * (z < 26)
    paint_water(
        canvas,
        light,
        horizon_v,
        alpha=alpha,
        frequency=style.between("wave_frequency", 2.5, 5),
        slope=style.between("wave_slope", 0.03, 0.09),
        body=style.pick("body", ("#2a3a26", "#1e3b38", "#3a3a2a", "#17404a")),
        kind="water_flow",
    )
    # Streaks drawn out along the bed, foam where it is rough.
    across = (x - centre(z)) / half
    seed = canvas.seed()
    wx, wy = warp(across, z * 0.6, 1.2, 0.12, seed)
    streak = fbm(wx * 3.2, wy * 0.55, 2.0, octaves_for(6, canvas.width_px, 3, 7), seed + 2, gain=0.6)
    rapid = smooth(0.1, 1.6, fbm(x, z, 0.7, 2, seed + 3) + style.between("rapid", -0.8, 1.0))
    foam = smooth(0.55, 1.7, streak + 0.9 * rapid - 0.35) * alpha * (0.35 + 0.65 * rapid)
    shade = np.clip(1 + 0.12 * streak, 0.6, 1.5)
    canvas.rgb *= (1 + (shade - 1) * alpha)[..., None]
    canvas.rgb += (light.flat(0.55) * 0.75 - canvas.rgb) * (foam * 0.85)[..., None]
    step = 0.05
    slope = (centre(z + step) - centre(z)) / step
    speed = style.between("speed", 0.02, 0.05)
    # Stream velocity (slope, 1) towards the viewer, seen in perspective and steadied to a range that renders well.
    fu, fv = -(slope - (u - 0.5)) * below, below * below * 1.2
    length = np.sqrt(fu**2 + fv**2) + 1e-5
    pace = speed * np.clip(0.35 + 1.6 * below, 0.3, 1.15) * (0.4 + 0.6 * smooth(0, 0.4, inside / half))
    flow = np.stack([fu / length * pace, fv / length * pace], -1)
    canvas.label(
        alpha > 0.5,
        "water_flow",
        np.clip(1 - (below / 0.6) ** 0.5, 0, 0.9),
        mobility=np.clip(0.5 + below, 0, 1),
        flow=flow,
        light=0.05,
    )
    rng = canvas.rng
    for _ in range(int(style.between("stones", 2, 16))):
        d = rng.uniform(1.1, 6)
        sx = centre(d) + rng.uniform(-0.95, 0.95) * half
        su, sv = 0.5 + sx / d, horizon_v + 1 / d
        boulder(
            canvas,
            light,
            su,
            sv,
            0.10 / d * rng.uniform(0.5, 1.6),
            0.07 / d * rng.uniform(0.5, 1.4),
            0.3,
            True,
            moss=0.2,
        )

    def dry_land(gx, gv):
        d = 1 / np.maximum(gv - horizon_v, 1e-3)
        return (np.abs((gx - 0.5) * d - centre(d)) > half * 1.02).astype(np.float32)

    grass(
        canvas,
        light,
        canvas.aspect + 0.05,
        horizon_v + 0.03,
        style.pick("grass_palette", ("summer", "spring", "olive")),
        1.3,
        style.between("grass_height", 0.05, 0.11),
        horizon_v=horizon_v,
        mask=dry_land,
        flowers=("#f2e6a0", "#ffffff", "#b07cc6")[: int(rng.integers(0, 4))],
    )
    if style.chance("side_tree", 0.5):
        side = style.between("tree_u", -0.17, 0.17)
        tree(
            canvas,
            light,
            side % 1.0,
            canvas.aspect * 0.72,
            0.5,
            style.pick("leaves", ("summer", "autumn", "olive", "spring")),
            0.3,
        )
    canvas.lens()
