"""A fountain in a square or garden."""

import numpy as np

from ..figures import person
from ..light import mix, smooth, srgb
from ..noise import fbm
from ..room import pool_shadow, revolve
from ..sprite import Sprite
from ..town import road, skyline
from .falls import fall_sheet
from .outdoors import fringe, sky_over


def fountain(canvas, style):
    """A stone fountain in a square or garden: jets, a bowl and a basin."""
    horizon_v = style.between("horizon", 0.38, 0.5) * canvas.aspect
    light = sky_over(canvas, style, horizon_v, (0.55, 0.2, 0.05, 0.2, 0.0))
    if style.chance("in_town", 0.6):
        skyline(canvas, light, horizon_v + 0.05, 0.3, 0.85, 0.12, count=14)
        road(
            canvas,
            light,
            horizon_v,
            0.25,
            0.5,
            9.0,
            style.pick("paving", ("cobbles", "floor_tiles", "concrete")),
            start_v=horizon_v + 0.03,
        )
    else:
        fringe(canvas, light, horizon_v + 0.03, 0.2, depth=0.8, veil=0.12)
        road(canvas, light, horizon_v, 0.25, 0.5, 9.0, "sand", start_v=horizon_v + 0.02)
    for _ in range(int(style.between("people", 0, 4))):
        person(
            canvas,
            light,
            canvas.rng.choice([canvas.rng.uniform(0, 0.2), canvas.rng.uniform(0.8, 1)]),
            canvas.aspect * 0.72,
            0.2,
            0.5,
        )
    x, foot = style.between("fountain_u", 0.42, 0.58), canvas.aspect * 0.84
    wide = style.between("basin", 0.28, 0.36)
    stone = srgb(style.pick("stone", ("#b5aa96", "#8f8a80", "#c9bda5")))
    u, v = canvas.u, canvas.v
    pool_shadow(canvas, x, foot + 0.02, wide * 1.3, 0.08, 0.5)
    basin_top = foot - 0.10
    revolve(
        canvas,
        light,
        x,
        foot,
        0.10,
        lambda t: wide * (1.0 - 0.07 * np.sin(np.pi * t)),
        stone,
        0.35,
        0.26,
        0.15,
        inside=stone,
        rim=0.025,
    )
    ring = np.hypot((u - x) / (wide * 0.9), (v - basin_top - 0.01) / (wide * 0.9 * 0.26))
    seed = canvas.seed()
    ripple = np.sin(ring * 42 + 2 * fbm(u, v * 3, 8, 3, seed))
    water = mix(
        srgb("#2d5e60") * light.flat(0.3),
        mix(light.horizon, light.zenith, 0.5) * 0.8,
        np.clip(0.45 + 0.25 * ripple + 0.15 * fbm(u, v * 3, 20, 4, seed + 1), 0, 1),
    )
    canvas.put(
        np.clip((1 - ring) * wide * 0.25 / canvas.px + 0.5, 0, 1),
        water,
        "water_still",
        0.34,
        mobility=0.8,
        sway=np.array([0.0006, 0.0014j]),
        profile="ripple",
        light=0.1,
    )
    top_v = basin_top - style.between("column", 0.14, 0.2)
    revolve(
        canvas,
        light,
        x,
        basin_top + 0.03,
        basin_top + 0.03 - top_v,
        lambda t: 0.035 + 0.02 * np.cos(t * 7) * (1 - t),
        stone,
        0.33,
        0.26,
        0.1,
    )
    bowl = wide * 0.42
    revolve(
        canvas,
        light,
        x,
        top_v + 0.02,
        0.05,
        lambda t: bowl * (0.25 + 0.75 * np.sqrt(t)),
        stone,
        0.32,
        0.26,
        0.2,
        inside=stone * 0.6,
        rim=0.01,
    )
    speed = 0.04
    for angle in np.linspace(0, 2 * np.pi, 9)[:-1]:
        bx, bv = x + bowl * 0.97 * np.cos(angle), top_v - 0.03 + bowl * 0.26 * np.sin(angle) * 0.9
        if np.sin(angle) > -0.4:
            fall_sheet(
                canvas,
                light,
                bx,
                bv,
                basin_top + 0.02 + 0.12 * wide * np.sin(angle),
                bowl * 0.16,
                bowl * 0.28,
                0.31,
                speed,
                0.9,
            )
    jets(canvas, light, x, top_v - 0.03, style.between("jet", 0.12, 0.24), bowl)
    canvas.lens()


def jets(canvas, light, x, base_v, tall, reach):
    """Drops thrown up and falling back in arcs."""
    rng = np.random.default_rng(canvas.seed())
    count = 1600 if canvas.width_px < 600 else 9000
    spread = rng.normal(0, 0.33, count)
    t = rng.uniform(0, 1, count)
    px = x + spread * reach * t + canvas.wind[0] * 0.03 * t
    pv = base_v - tall * (1 - np.abs(spread) * 0.5) * 4 * t * (1 - t)
    size = np.maximum(tall * 0.02 * rng.uniform(0.5, 1.4, count), 1.3 * canvas.px)
    going = np.arctan2(-(1 - 2 * t) * tall * 4, spread * reach)
    sprite = Sprite(canvas)
    colours = (light.flat(0.6) * 0.9) * rng.uniform(0.55, 1.1, (count, 1))
    sprite.leaves(px, pv, size * 2.2, going, colours, 0.4)
    colour, cover = sprite.decoded()
    body = (
        np.exp(-(((canvas.u - x) / (0.012 + 0.25 * reach * np.clip((base_v - canvas.v) / tall, 0, 1))) ** 2))
        * (canvas.v < base_v)
        * smooth(base_v - tall * 1.05, base_v - tall * 0.4, canvas.v)
    )
    haze = body * (0.5 + 0.2 * fbm(canvas.u * 3, canvas.v * 0.7, 30, 4, canvas.seed()))
    outward = np.clip((canvas.u - x) / max(reach, 1e-3), -1, 1)
    flow = np.stack([0.03 * outward, np.where(np.abs(outward) < 0.25, -0.05, 0.045) * np.ones_like(canvas.u)], -1)
    canvas.put(
        np.clip(haze, 0, 0.85),
        light.flat(0.55) * 0.85,
        "water_flow",
        0.3,
        mobility=0.9,
        flow=flow,
        threshold=0.25,
        spread=0.005,
    )
    canvas.put(cover * 0.85, colour, "water_flow", 0.3, mobility=0.9, flow=flow, threshold=0.3)
