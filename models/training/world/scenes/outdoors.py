"""What many outdoor scenes share: the choice of sky and light, rocks, rows of trees, a far shore."""

import numpy as np

from ..land import paint_land, rolling
from ..light import light_at, mix, smooth, srgb
from ..materials import material
from ..noise import cells, fbm, octaves_for
from ..plants import conifer, crown, wind_sway
from ..sky import paint_sky
from ..sprite import Sprite
from ..town import skyline

TIMES = ("day", "golden", "dusk", "overcast", "night")


def sky_over(
    canvas, style, horizon_v, weights=(0.4, 0.22, 0.18, 0.14, 0.06), cloud_weights=(0.5, 0.25, 0.17, 0.08)
):
    """Choose the time of day and the clouds and paint the sky; returns the light."""
    time = style.pick("time", TIMES, weights)
    in_view = style.chance("sun_in_view", 0.45 if time in ("dusk", "golden") else 0.06) and time not in (
        "night",
        "overcast",
    )
    sun_u = style.between("sun_u", 0.12, 0.88)
    azimuth = (sun_u - 0.5) * 1.6 if in_view else style.chosen.get("azimuth")
    light = light_at(
        time, canvas.rng, azimuth=azimuth, toward=-0.85 if in_view else None, elevation=style.chosen.get("elevation")
    )
    clouds = style.pick("clouds", ("cumulus", "sheet", "both", "clear"), cloud_weights)
    cover = style.between("cover", 0.35, 0.8)
    if time == "overcast":
        cover = max(cover, 0.7)
    light.haze_density *= style.between("haze", 0.5, 1.2)
    if clouds in ("cumulus", "both") and time in ("day", "golden"):
        light.dapple = style.between("dapple", 0.2, 0.75)
    paint_sky(
        canvas, light, horizon_v, clouds, cover, sun_u if in_view else None, style.between("cloud_scale", 0.7, 1.5)
    )
    canvas.exposure = light.exposure * style.between("exposure", 0.85, 1.15)
    return light


def fringe(canvas, light, base_v, tall, count=None, depth=0.7, veil=0.25, scatter=0.0):
    """A row of trees along a far shore or field; their feet lie within ``scatter`` tree heights of ``base_v``."""
    rng = np.random.default_rng(canvas.seed())
    kind = rng.choice(["conifer", "leafy", "mixed"])
    xs = np.sort(rng.uniform(-0.05, 1.05, count or int(rng.uniform(1.3, 4.0) / tall)))
    gap = fbm(xs[None].astype(np.float32), np.zeros((1, xs.size), np.float32), 3, 2, canvas.seed())[0]
    haze = (light.haze, veil * light.haze_density)
    sprite = Sprite(canvas)
    blobs = []
    for x, g in zip(xs, gap):
        if g < -0.5:
            continue
        high = tall * rng.uniform(0.5, 1.1) * (0.7 + 0.3 * g)
        foot = base_v + scatter * tall * rng.uniform(-1, 1)
        if kind == "conifer" or (kind == "mixed" and rng.random() < 0.5):
            conifer(canvas, light, x, foot, high * 1.2, depth, sprite=sprite)
        else:
            for _ in range(4):
                blobs.append(
                    (
                        x + rng.normal(0, 0.3) * high,
                        foot - high * rng.uniform(0.25, 0.75),
                        high * rng.uniform(0.2, 0.32),
                    )
                )
    free = np.clip((base_v - canvas.v) / tall, 0, 1)
    sprite.put(
        "foliage",
        depth,
        haze,
        mobility=0.15 + 0.6 * free,
        sway=free[..., None] * wind_sway(canvas, 0.35),
        profile="tree",
    )
    if blobs:
        crown(
            canvas,
            light,
            blobs,
            tall * (0.09 if canvas.width_px < 600 else 0.045),
            str(rng.choice(["summer", "olive", "dark", "autumn"], p=[0.4, 0.25, 0.2, 0.15])),
            depth,
            (0.5, base_v),
            tall,
            veil=haze,
            rms=0.35,
        )


def boulder(canvas, light, u0, foot, wide, tall, depth=0.2, wet=False, colour=None, moss=0.0):
    """One rock, ``wide`` x ``tall`` widths, standing on ``foot``."""
    at = canvas.window(u0 - wide, foot - tall * 1.5, u0 + wide, foot + tall * 0.25)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0 or min(u.shape) < 2:
        return
    seed = canvas.seed()
    octaves = octaves_for(2 / wide, canvas.width_px, 2, 7)
    x, y = (u - u0) / wide, (v - foot) / tall
    rough = fbm(u, v, 1.3 / wide, min(octaves, 5), seed, gain=0.5)
    inside = 1 - np.sqrt((x / 0.86) ** 2 + np.where(y < 0, (y / 1.05) ** 2, (y / 0.16) ** 2)) + 0.11 * rough
    alpha = np.clip(inside * min(wide, tall) / canvas.px + 0.5, 0, 1)
    dome = np.sqrt(np.clip(inside * 1.5, 0, 1))
    facets = fbm(u + 0.3 * wide * rough, v, 1.6 / wide, octaves, seed + 1, gain=0.58, shape="ridged")
    # A few flat faces, as broken stone has, on a rounded whole.
    _, border, tone = cells(u + 0.1 * wide * rough, v, 2.4 / wide, seed + 4)
    height = (0.55 * dome + 0.09 * facets + 0.11 * smooth(0, 0.2, border) * (0.5 + tone)) * wide * 0.55
    albedo, _ = material("rock", (u - u0) / (wide * 2.4), v / (wide * 2.4), np.random.default_rng(seed), colour)
    lit = light.on_relief(height.astype(np.float32), canvas.px, 0.9, 0.5)
    lit = lit * (0.55 + 0.45 * smooth(0.1, -0.9, y))[..., None]
    if moss:
        green = smooth(0.5, 1.2, fbm(u, v, 3 / wide, 5, seed + 7) + moss * 2 - 0.6 - 0.4 * y)
        albedo = mix(albedo, srgb("#48602a") * (1 + 0.3 * rough[..., None]), green * 0.85)
    if wet:
        albedo = albedo * (0.45 + 0.55 * smooth(0.0, -0.35, y))[..., None]
    canvas.put(alpha, albedo * lit, "rigid", depth, at)


def shore_rocks(canvas, light, v_of, count, size, depth=0.2, wet=True, colour=None):
    """Boulders whose feet stand on ``v_of(u)`` lines; drawn back to front."""
    rng = np.random.default_rng(canvas.seed())
    items = sorted(((v_of(u := rng.uniform(-0.05, 1.05), rng), u, size * rng.lognormal(0, 0.45)) for _ in range(count)))
    for foot, u0, r in items:
        boulder(canvas, light, u0, foot, r, r * rng.uniform(0.5, 0.85), depth, wet, colour)


def far_shore(canvas, style, light, horizon_v):
    """Hills, woods or a town along the horizon, before the water mirrors them."""
    shore = style.pick("shore", ("hills", "mountains", "woods", "town", "none"), (0.34, 0.24, 0.22, 0.1, 0.1))
    seed = canvas.seed()
    if shore in ("hills", "mountains"):
        ridged = shore == "mountains"
        tall = style.between("hill_height", 2.5, 5.5) * (2.6 if ridged else 1.0)
        field = rolling(
            seed,
            style.between("hill_scale", 9, 20),
            tall,
            8 if ridged else 6,
            0.43 if ridged else 0.4,
            ridged,
            flat_until=9,
        )
        paint_land(
            canvas,
            light,
            horizon_v,
            1.0,
            lambda x, z: field(x, z) - 0.35,
            8,
            70,
            style.pick("land", ("alpine", "meadow", "spring", "heath", "dry"), (0.4, 0.2, 0.15, 0.15, 0.1)),
            forest=style.between("forest", 0.2, 0.9),
            snow_above=tall * 0.62 if ridged and style.chance("snow", 0.5) else None,
            haze_distance=style.between("reach", 45, 110),
        )
    if shore == "town":
        skyline(canvas, light, horizon_v + 0.004, 0.11, 0.85, 0.35, light.dark)
    if shore == "woods" or style.chance("fringe", 0.5):
        fringe(
            canvas, light, horizon_v + 0.006, style.between("tree_height", 0.03, 0.10), style.chosen.get("fringe_count")
        )
    return shore
