"""Sky: its gradient, sun, moon and stars, heaped clouds marched through a slab of air, and thin sheets of cloud."""

import cv2
import numpy as np

from .light import blur, mix, smooth
from .noise import fbm, octaves_for, solid, warp

FOCAL = 1.0
"""Distance of the picture plane, in widths: 53 degrees across."""


def cloud_flow(canvas):
    """Mean velocity of all clouds, widths per second."""
    return canvas.wind_direction * np.float32(0.01 + 0.02 * canvas.wind_strength)


def paint_sky(canvas, light, horizon_v, clouds="cumulus", cover=0.5, sun_u=None, scale=1.0):
    """Fill the picture with sky down to the horizon (and below it, for what haze may show).

    ``clouds`` is clear, cumulus, sheet or both; ``cover`` 0..1; ``sun_u`` puts the sun itself into the picture.
    """
    u, v = canvas.u, canvas.v
    rise = np.maximum(horizon_v - v, 0) / FOCAL
    # Towards evening the warm light keeps closer to the horizon.
    colour = mix(light.horizon, light.zenith, 1 - np.exp(-rise * (7.0 if light.name == "dusk" else 4.6)))
    sun_v = None
    if sun_u is not None:
        sun_v = horizon_v - max(light.sun_to[1], 0.02) * 0.9
        distance = np.hypot(u - sun_u, v - sun_v)
        around = np.exp(-distance * 6.5) * 0.6 + np.exp(-distance * 24) * 1.6
        colour = colour + around[..., None] * light.sun * (0.5 if light.name == "day" else 0.75)
        disc = smooth(0.021, 0.018, distance)
        colour = colour + disc[..., None] * light.sun * 14
    if light.name == "night":
        colour = colour + _stars(canvas, rise)[..., None]
    canvas.put(
        np.ones_like(u), colour, "sky", 1.0, mobility=0.06, flow=0.0 if clouds == "clear" else cloud_flow(canvas)
    )
    if clouds in ("sheet", "both"):
        _sheet(canvas, light, horizon_v, cover, sun_u, sun_v, scale)
    if clouds in ("cumulus", "both"):
        _heaps(canvas, light, horizon_v, cover, sun_u, sun_v, scale)


def _stars(canvas, rise):
    rng = np.random.default_rng(canvas.seed())
    stars = np.zeros((canvas.height_px, canvas.width_px), np.float32)
    count = int(500 * canvas.aspect)
    rows, columns = rng.uniform(0, canvas.height_px, count), rng.uniform(0, canvas.width_px, count)
    np.maximum.at(stars, (rows.astype(int), columns.astype(int)), rng.uniform(0.02, 0.5, count).astype(np.float32) ** 2)
    radius = 0.35 + canvas.width_px / 3500
    return blur(stars, radius) * (1.5 + 4.5 * radius * radius) * smooth(0.02, 0.2, rise)


def _plane(canvas, horizon_v, rows):
    """Direction of the view of the rows above the horizon: to the right and up, per unit of distance."""
    u, v = canvas.u[:rows], canvas.v[:rows]
    return (u - 0.5) / FOCAL, np.maximum(horizon_v - v, canvas.px) / FOCAL


def _sheet(canvas, light, horizon_v, cover, sun_u, sun_v, scale):
    """High thin cloud on a plane: ripples and mares' tails, glowing near a low sun."""
    rows = int(np.clip(horizon_v * canvas.width_px, 0, canvas.height_px))
    if rows < 4:
        return
    dx, dy = _plane(canvas, horizon_v, rows)
    distance = 1 / (dy + 0.045)
    x, z = dx * distance / scale, distance / scale
    seed = canvas.seed()
    along = canvas.wind_direction if canvas.wind_strength > 0 else np.array([1.0, 0.0])
    stretch = 2.2 if canvas.rng.random() < 0.5 else 1.1
    xs, zs = (x / stretch, z) if abs(along[0]) > 0.5 else (x, z / stretch)
    xs, zs = warp(xs, zs, 0.5, 0.25, seed)
    octaves = octaves_for(0.6, canvas.width_px, 3, 8)
    noise = fbm(xs, zs, 0.55, octaves, seed + 3, gain=0.58)
    streak = fbm(xs * 0.6, zs * 3, 0.9, max(octaves - 1, 2), seed + 4, gain=0.6)
    body = noise * 0.85 + streak * 0.12
    alpha = smooth(0.9 - 1.9 * cover, 2.5 - 1.7 * cover, body) * 0.93
    alpha *= smooth(0.0, 0.05, dy) * 0.8 + 0.2
    thick = smooth(0.9 - 1.9 * cover + 0.5, 3.0 - 1.5 * cover, body)
    slope = cv2.Sobel(body, cv2.CV_32F, 0, 1, ksize=3) / (8 * canvas.px) * 0.02
    lit = np.clip(1.0 - 0.5 * thick + 0.35 * np.clip(slope, -1, 1), 0.15, 1.6)
    shade = light.ambient * 0.85 + light.horizon * 0.15
    colour = lit[..., None] * (light.sun * 0.30 + light.ambient * 0.9) + thick[..., None] * shade * 0.3
    if light.name in ("dusk", "golden"):
        low = np.exp(-dy * 6.5)
        fire = mix(light.sun * 0.34 + light.ambient * 0.5, light.sun * np.float32([1.2, 0.8, 0.55]), low)
        colour = mix(light.ambient * 1.0, fire, lit * (0.25 + 0.75 * low))
    if sun_u is not None:
        near = np.exp(-np.hypot(canvas.u[:rows] - sun_u, canvas.v[:rows] - sun_v) * 6.5)
        colour = colour + (near * (1 - 0.75 * thick))[..., None] * light.sun * 1.1
    at = (slice(0, rows), slice(None))
    canvas.put(
        alpha,
        colour,
        "sky",
        1.0,
        at,
        mobility=np.clip(0.1 + 1.2 * blur(alpha, 0.01 / canvas.px), 0, 1),
        flow=cloud_flow(canvas),
        threshold=0.04,
    )


def _heaps(canvas, light, horizon_v, cover, sun_u, sun_v, scale):
    """Heaped clouds with flat bases: density and sunlight marched along each line of sight through a slab of air."""
    rows = int(np.clip(horizon_v * canvas.width_px, 0, canvas.height_px))
    if rows < 4:
        return
    # Clouds are soft: march them on a coarser grid than the picture's.
    shrink = min(0.6, 1400 / canvas.width_px)
    size = (max(4, int(canvas.width_px * shrink)), max(3, int(rows * shrink)))
    dx, dy = (cv2.resize(field, size, interpolation=cv2.INTER_AREA) for field in _plane(canvas, horizon_v, rows))
    fine = canvas.width_px >= 600
    steps, detail = (56, 7) if fine else (15, 3)
    thickness, base_frequency = 0.85, 0.42 / scale
    seed = canvas.seed()
    rng = np.random.default_rng(seed)
    ahead = rng.uniform(0, 50)
    sun = light.sun_to.copy()
    if sun_u is not None:
        sun = np.array([(sun_u - 0.5) * 0.8, max(light.sun_to[1], 0.12), -0.9], np.float32)
    sun = sun / np.linalg.norm(sun)
    drop = 1.45 - 2.0 * cover
    dy = dy + 0.015
    start, stop = 1 / dy, (1 + thickness) / dy
    # Near the horizon the slab is seen edge on; beyond this length of path nothing new comes into sight.
    stop = np.minimum(stop, start + 3.2)
    length = (stop - start) / steps
    shake = 0.5 + 0.7 * (rng.random(start.shape, np.float32) - 0.5)
    through = np.ones_like(start)
    glow = np.zeros_like(start)
    under = np.zeros_like(start)
    extinction = 15.0

    def density(x, h, z, octaves, level):
        shape = fbm(x, z, base_frequency, 2, seed + 1, gain=0.45)
        lumps = solid(x, h * 1.25, z, 1.5 / scale, octaves, seed + 2, gain=0.55, shape="billow")
        body = shape * 0.8 - drop + (lumps - 0.45) * 1.25
        body -= 1.9 * level**1.4 + 0.9 * smooth(0.10, 0.0, level)
        return np.maximum(body, 0)

    for step in range(steps):
        t = start + (step + shake) * length
        x, z, level = dx * t, t + ahead, np.clip((dy * t - 1) / thickness, 0, 1)
        here = density(x, level * thickness, z, detail, level)
        if not np.any(here > 0):
            continue
        shadow = np.zeros_like(here)
        for reach in (0.10, 0.28) if fine else (0.16,):
            up = np.clip(level + sun[1] * reach / thickness, 0, 1)
            shadow += density(x + sun[0] * reach, up * thickness, z - sun[2] * reach, max(2, detail - 3), up)
        shadow *= (5.0 / (2 if fine else 1)) * 0.62
        opacity = 1 - np.exp(-here * length * extinction)
        gain = through * opacity
        glow += gain * (np.exp(-shadow) * 0.86 + 0.14 * np.exp(-shadow * 0.25)) * (0.55 + 0.45 * np.exp(-here * 1.5))
        under += gain * (0.35 + 0.65 * level)
        through *= 1 - opacity
    alpha = 1 - through
    # The shaken steps leave grain that no lens would show.
    glow, under, alpha = (cv2.GaussianBlur(f, (0, 0), 0.7 if fine else 0.6) for f in (glow, under, alpha))
    colour = (
        glow[..., None] * light.sun * (0.6 if light.name == "dusk" else 0.95) + under[..., None] * light.ambient * 1.05
    )
    veil = np.exp(-start * 0.032 * light.haze_density)[..., None]
    colour = colour * veil + alpha[..., None] * mix(light.horizon, light.haze, 0.3) * (1 - veil)
    full = (canvas.width_px, rows)
    colour = cv2.resize(colour, full, interpolation=cv2.INTER_LINEAR)
    alpha = np.clip(cv2.resize(alpha, full, interpolation=cv2.INTER_LINEAR), 0, 1)
    if sun_u is not None:
        near = np.exp(-np.hypot(canvas.u[:rows] - sun_u, canvas.v[:rows] - sun_v) * 7)
        colour = colour + (near * alpha * (1 - alpha) * 3)[..., None] * light.sun
    canvas.put(
        alpha,
        np.maximum(colour, 0),
        "sky",
        1.0,
        (slice(0, rows), slice(None)),
        mobility=np.clip(0.1 + 1.2 * blur(alpha, 0.01 / canvas.px), 0, 1),
        flow=cloud_flow(canvas),
        threshold=0.04,
        premultiplied=True,
    )
