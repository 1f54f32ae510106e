"""Smoke, steam, mist and spray: plumes of swirled noise that lean with the wind."""

import numpy as np

from .light import smooth
from .noise import fbm, octaves_for, swirl


def plume(
    canvas,
    light,
    x,
    base_v,
    length,
    width,
    growth=0.5,
    density=1.0,
    colour=(0.9, 0.9, 0.92),
    glow=None,
    lean=1.0,
    depth=0.4,
    wisps=0.5,
    speed=0.02,
    fade=1.0,
    frequency=None,
):
    """A column rising ``length`` widths from ``x, base_v`` and bending with the wind.

    ``width`` at the source, ``growth`` of its half width per unit of height, ``wisps`` 0..1 from billows to thin
    threads, ``glow`` (colour) light from below, ``speed`` of rise in widths/s.
    """
    wind = canvas.wind * lean
    drift = wind[0] * length * 0.75
    margin = width + growth * length
    at = canvas.window(
        x - margin + min(drift * 1.3, 0), base_v - length * 1.15, x + margin + max(drift * 1.3, 0), base_v + width
    )
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    seed = canvas.seed()
    frequency = frequency or 0.55 / (width + growth * length * 0.35)
    rise = np.maximum((base_v - v) / length, 0)
    # Eddies are larger higher up: look at the noise through a coordinate that stretches with height.
    stretch = 1 / (0.45 + 0.9 * rise)
    local_x = (u - x - drift * rise**1.5) * stretch
    local_y = (v - base_v) * (stretch**0.6)
    sx, sy = swirl(local_x, local_y * 0.8, frequency, 0.12 / frequency, 5, seed, growth=1.7)
    bend = np.clip(rise * 3, 0, 1)
    cx = local_x + (sx - local_x) * bend
    half = (width * 0.5 + growth * 0.5 * (rise * length) ** 0.9) * stretch
    across = cx / half
    body = np.exp(-across * across * 1.6)
    octaves = octaves_for(frequency * 2, canvas.width_px, 3, 7)
    lumps = fbm(sx, sy, frequency * 1.6, octaves, seed + 9, gain=0.55)
    threads = fbm(sx * 1.5, sy * 0.55, frequency * 2.0, octaves, seed + 10, gain=0.5, shape="ridged")
    soft = smooth(-0.9, 1.3, lumps)
    texture = soft + (smooth(0.30, 1.0, threads) * (0.35 + 1.1 * soft) - soft) * np.float32(wisps)
    amount = body * texture * density
    amount *= smooth(-0.015, 0.04, (base_v - v) / length) * smooth(1.12, 0.35, rise) ** fade
    alpha = 1 - np.exp(-3.0 * amount)
    toward_sun = np.clip(
        0.5 + 0.55 * across * np.sign(light.sun_to[0] + 1e-3) * abs(light.sun_to[0]) + 0.28 * lumps, 0.05, 1.3
    )
    shade = np.asarray(colour, np.float32) * (toward_sun[..., None] * light.sun * 0.62 + light.ambient * 0.95)
    if light.sun_to[2] < 0:
        shade = shade + np.asarray(colour, np.float32) * light.sun * (0.55 * -light.sun_to[2] * (1 - alpha))[..., None]
    if glow is not None:
        shade = shade + np.asarray(glow, np.float32) * (np.exp(-rise * 5) * 0.8)[..., None]
    flow = np.empty(u.shape + (2,), np.float32)
    flow[..., 0] = speed * (drift / length * 1.5 * np.sqrt(rise + 0.02)) + 0.006 * wind[0]
    flow[..., 1] = -speed * (1.1 - 0.35 * np.minimum(rise, 1)) + 0.3 * speed * wind[1]
    canvas.put(
        alpha, shade, "smoke", depth, at, mobility=np.clip(0.5 + alpha, 0, 1), flow=flow, threshold=0.09, spread=0.006
    )


def mist(
    canvas,
    light,
    at_v,
    thickness,
    density=0.6,
    depth=0.6,
    x=None,
    spread=None,
    flow=(0.01, -0.004),
    frequency=3.0,
    colour=None,
    threshold=0.3,
):
    """A bank of mist or spray around ``at_v``, optionally gathered around ``x`` within ``spread``."""
    at = canvas.window(0, at_v - thickness * 3, 1, at_v + thickness * 3)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    seed = canvas.seed()
    sx, sy = swirl(u, v * 1.6, frequency, 0.018, 3, seed)
    noise = fbm(sx, sy, frequency, octaves_for(frequency, canvas.width_px, 4, 5), seed + 4)
    amount = np.exp(-(((v - at_v) / thickness) ** 2)) * smooth(-2.2, 1.4, noise) * density
    if x is not None:
        amount = amount * np.exp(-(((u - x) / spread) ** 2))
    alpha = 1 - np.exp(-1.8 * amount)
    colour = light.flat(0.5) * 0.85 if colour is None else np.asarray(colour, np.float32)
    canvas.put(
        alpha,
        colour * (0.9 + 0.1 * noise[..., None]),
        "smoke",
        depth,
        at,
        mobility=np.clip(0.4 + alpha, 0, 1),
        flow=np.asarray(flow, np.float32),
        threshold=threshold,
    )
