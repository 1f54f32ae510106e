"""Open water: a plane of waves that mirrors what is already painted above the waterline."""

import cv2
import numpy as np

from .light import blur, mix, smooth, srgb
from .noise import CELLS, STEP, _curl_tile, _read

FOCAL = 1.0


def wave_slopes(canvas, x, z, footprint, frequency, octaves, seed, slope, crest=0.55, gain=0.62):
    """Slopes of a rough sea at ``x, z``: (across, away) and the variance too fine for pixels of ``footprint``.

    ``slope`` is the RMS slope of the slowest octave; crests are longer across than deep by 1 / ``crest``.
    """
    rng = np.random.default_rng(seed)
    across = np.zeros_like(x)
    away = np.zeros_like(x)
    lost = np.zeros_like(x)
    amplitude = slope
    for _ in range(octaves):
        ox, oz = rng.uniform(0, CELLS * STEP, 2).astype(np.float32)
        turn = np.float32(rng.normal(0, 0.35))
        scale = np.float32(frequency * STEP)
        velocity = _read(
            _curl_tile(int(rng.integers(4))), (x * crest + z * turn) * scale + ox, (z - x * turn * crest) * scale + oz
        )
        kept = smooth(0.9, 0.25, footprint * frequency) * np.float32(amplitude)
        across -= velocity[..., 1] * kept * crest
        away += velocity[..., 0] * kept
        lost += amplitude**2 - kept**2
        frequency *= 1.83
        amplitude *= gain
    return across, away, np.maximum(lost, 0)


def swell_flow(canvas, nearness):
    """Velocity of waves at sea: 1.5 to 3 % of the width per second, the nearer the faster, as clips of seas show."""
    going = np.array([1.4 * canvas.wind[0], 0.7], np.float32)
    going /= np.linalg.norm(going)
    pace = (0.013 + 0.017 * nearness) * (0.75 + 0.25 * canvas.wind_strength)
    return going * pace[..., None]


def paint_water(
    canvas,
    light,
    horizon_v,
    eye=1.0,
    alpha=None,
    frequency=1.6,
    slope=0.06,
    body="#0d3a44",
    start_v=None,
    octaves=None,
    kind="water_still",
    mirror_v=None,
    foam=0.0,
    travels=False,
):
    """Paint water below ``start_v`` (default the horizon) where ``alpha`` allows.

    ``eye`` is the viewer's height, ``frequency`` that of the longest waves per unit of length, ``slope`` their RMS
    slope. ``mirror_v`` is the line that the reflection is folded at (default the horizon). Waves that ``travels`` come
    towards the viewer and go with the wind, as those of the open sea do.
    """
    start_v = horizon_v if start_v is None else start_v
    mirror_v = horizon_v if mirror_v is None else mirror_v
    top = int(np.clip(np.floor(start_v * canvas.width_px), 0, canvas.height_px - 1))
    at = (slice(top, None), slice(None))
    u, v = canvas.u[at], canvas.v[at]
    below = np.maximum(v - horizon_v, canvas.px * 0.7)
    z = eye * FOCAL / below
    x = (u - 0.5) * z / FOCAL
    footprint = z * z * canvas.px / (eye * FOCAL)
    octaves = octaves or (5 if canvas.width_px < 600 else 8)
    across, away, lost = wave_slopes(canvas, x, z, footprint, frequency, octaves, canvas.seed(), slope)
    # Facets that lean away from the viewer hide behind the ones that lean towards him.
    tilt = away - 0.5 * np.sqrt(lost) - 0.15 * slope
    rise = below + 2 * tilt * FOCAL * smooth(0, 0.02, below)
    source_v = mirror_v - np.abs(rise)
    source_u = u + 2 * across * np.maximum(below, 0.06)
    picture = canvas.rgb.copy()
    picture[min(canvas.height_px - 1, max(1, int(mirror_v * canvas.width_px))) :] = picture[
        max(0, int(mirror_v * canvas.width_px) - 1)
    ]
    soft = blur(picture, 0.006 / canvas.px)
    # remap walks the whole way back from far outside, so keep positions near the picture.
    rows = np.clip(source_v / canvas.px - 0.5, -canvas.height_px, canvas.height_px)
    columns = np.clip(source_u / canvas.px - 0.5, -canvas.width_px, 2 * canvas.width_px).astype(np.float32)
    mirror = cv2.remap(picture, columns, rows.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    spread = np.sqrt(lost) * FOCAL / canvas.px
    taps = [
        cv2.remap(
            soft, columns, (rows - spread * k).astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        for k in (0.4, 1.2)
    ]
    mirror = mix(mirror, (taps[0] + taps[1]) * 0.5, smooth(0.0, 0.5 * slope, np.sqrt(lost)))
    grazing = np.clip((below + tilt * FOCAL) / np.sqrt(FOCAL**2 + below**2), 0.01, 1)
    fresnel = 0.03 + 0.97 * (1 - grazing) ** 5
    fresnel = np.clip(fresnel, 0, 0.96)
    deep = srgb(body) * (light.ambient * 1.2 + light.sun * 0.35 * max(light.sun_to[1], 0.1))
    inner = deep * (1 + np.clip(away[..., None] * 2.2, -0.5, 1.2))
    colour = mix(inner, np.minimum(mirror, 9), fresnel)
    glint = smooth(0.8, 3.0, mirror.max(-1)) * 0.25
    if foam > 0:
        crest = smooth(1.6 * slope, 3.2 * slope, away + 0.5 * across) * foam * smooth(0, 0.05, below)
        colour = mix(colour, light.flat(0.5) * 0.7, crest)
    alpha = np.ones_like(u) if alpha is None else alpha[at]
    alpha = alpha * np.clip((v - start_v) / canvas.px + 0.5, 0, 1)
    nearness = np.clip(below / 0.5, 0, 1)
    amplitude = 0.0006 + 0.0026 * nearness**0.8
    rms = amplitude[..., None] * (0.75 + 0.25 * canvas.wind_strength)
    canvas.put(
        alpha,
        colour,
        kind,
        np.clip(1 - (below / 0.55) ** 0.5, 0, 0.95),
        at,
        mobility=0.35 + 0.65 * np.sqrt(nearness),
        flow=swell_flow(canvas, nearness) if travels else 0.0,
        sway=rms * np.array([0.5, 0.87j]),
        profile="ripple" if frequency > 1 else "swell",
        light=glint,
    )
    return at, x, z
