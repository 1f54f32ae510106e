"""Smoke seen from afar: columns, threads, towers, drifts and banks heaped up from lit puffs."""

import numpy as np

from .light import blur, mix, smooth, srgb
from .noise import fbm, octaves_for, swirl, warp

SHAPES = ("thread", "column", "tower", "drift", "front", "bank")
TONES = {
    #         young      old
    "white": ("#d8d4cc", "#f6f5f2"),
    "grey": ("#8f8a85", "#c4c2c0"),
    "brown": ("#7d6752", "#b3a291"),
    "dark": ("#2e2a28", "#6f6a66"),
    "tan": ("#a58d74", "#d6c8b6"),
    "blue": ("#747c8a", "#a3adbf"),
}
LABEL_ALPHA = 0.14
"""Smoke thinner than this is not told from haze by eye."""
CONTRAST_MIN = 0.28
"""Least difference between smoke and what it hides, as a share of the latter's brightness."""


def puffs(shape, size, lean, rng):
    """Puffs of a plume of extent ``size`` from its source at 0, 0, one a row: x, v, radius, strength 0..1, age 0..1.

    ``lean`` -1..1 is the wind that bends it. Sorted by age, so that the young lie below.
    """
    count = {"thread": 64, "bank": 44, "front": 64}.get(shape, 50)
    # Close together at the source, where they are small.
    t = np.sort(rng.uniform(0, 1, count)) ** 1.4
    scatter = rng.normal(0, 1, (2, count))
    sway = 0.05 * np.sin(t * rng.uniform(4, 9) + rng.uniform(0, 6.3))
    side = 1.0 if lean >= 0 else -1.0
    if shape == "thread":
        x, v = lean * 0.9 * t**1.4 + sway * t, -t * np.sqrt(1 - 0.6 * lean * lean)
        radius, strength, spread = 0.02 + 0.08 * t**1.2, 2.0 - 1.5 * t, 0.2
    elif shape == "column":
        x, v = lean * 0.8 * t**1.3 + sway * t, -t * (1 - 0.35 * abs(lean))
        radius, strength, spread = 0.055 + rng.uniform(0.1, 0.2) * t, 1.0 - 0.55 * t**2, 0.6
    elif shape == "tower":
        head = np.maximum(t - 0.45, 0) / 0.55
        x, v = lean * 0.4 * t**1.5 + side * 0.25 * head**2 * abs(lean), -np.minimum(t * 1.35, 0.8 + 0.12 * head)
        radius, strength, spread = 0.05 + 0.06 * t + 0.09 * np.sqrt(head), 1.0 - 0.15 * t, 0.5 + 1.1 * head
    elif shape == "drift":
        ceiling = rng.uniform(0.06, 0.4)
        x, v = side * t, -ceiling * (1 - np.exp(-t * rng.uniform(2, 6))) - 0.06 * t * rng.uniform(-0.3, 1)
        radius, strength, spread = 0.025 + rng.uniform(0.07, 0.16) * t**0.8, 1.0 - 0.85 * t**0.8, 0.5
    elif shape == "front":
        source = rng.uniform(0, rng.uniform(0.2, 0.6), count) * -side
        x, v = source + side * (0.25 + 0.5 * abs(lean)) * t**1.2, -rng.uniform(0.35, 0.7) * t**0.9
        radius, strength, spread = 0.04 + 0.13 * t, 1.0 - 0.6 * t, 0.5
    else:
        x, v = rng.uniform(-0.5, 0.5, count), -np.abs(rng.normal(0, rng.uniform(0.015, 0.045), count))
        radius, strength, spread = rng.uniform(0.03, 0.085, count), 0.8 - 1.1 * np.abs(x), 0.2
        t = 0.4 + 0.6 * t
    rows = np.stack([x + scatter[0] * radius * spread, v + scatter[1] * radius * spread * 0.7, radius, strength, t], -1)
    rows[:, :3] *= size
    return rows


def _heap(u, v, rows, sun_to, hardness, squash):
    """Puffs laid over one another, in the order of their rows: (depth of smoke, lit 0..1, age 0..1)."""
    through = np.ones_like(u)
    lit, age = np.zeros_like(u), np.zeros_like(u)
    lowest, highest = v.max(1), v.min(1)
    sun = sun_to / np.hypot(np.hypot(sun_to[0], sun_to[1]), 0.6)
    for x, at_v, radius, strength, years in rows.astype(np.float32):
        high = radius / squash
        inside = np.flatnonzero((lowest > at_v - high) & (highest < at_v + high))
        if inside.size == 0 or strength <= 0:
            continue
        part = slice(inside[0], inside[-1] + 1)
        dx, dy = (u[part] - x) / radius, (v[part] - at_v) / high
        body = np.maximum(1 - dx * dx - dy * dy, 0)
        alpha = 1 - np.exp(-hardness * strength * body * (0.4 + 0.6 * body))
        facing = np.clip(0.5 + 0.5 * (dx * sun[0] - dy * sun[1]) + 0.12 * np.sqrt(body) * sun[2], 0, 1)
        through[part] *= 1 - alpha
        lit[part] += (facing - lit[part]) * alpha
        age[part] += (years - age[part]) * alpha
    cover = np.maximum(1 - through, 1e-3)
    return -np.log(np.maximum(through, 1e-4)), np.clip(lit / cover, 0, 1), np.clip(age / cover, 0, 1)


def distant_smoke(
    canvas,
    light,
    x,
    base_v,
    size,
    shape="column",
    tone="white",
    density=1.0,
    billow=0.5,
    veil=0.2,
    glow=0.0,
    depth=0.9,
):
    """Smoke of extent ``size`` widths whose source lies at ``x, base_v``.

    ``density`` 0.15 is a breath, 2 opaque; ``billow`` 0..1 goes from soft to heaped like a cloud; ``veil`` 0..1 is
    the haze in front, ``glow`` the light of the fire from below. It bends with the wind.
    """
    rng = np.random.default_rng(canvas.seed())
    lean = float(np.clip(canvas.wind[0], -1, 1))
    rows = puffs(shape, size, lean, rng)
    rows[:, :2] += x, base_v
    reach = rows[:, 2] * 1.6
    at = canvas.window(
        (rows[:, 0] - reach).min(), (rows[:, 1] - reach).min(), (rows[:, 0] + reach).max(), base_v + 0.12 * size
    )
    u, v = canvas.u[at], canvas.v[at]
    if min(u.shape) < 2:
        return
    eddy = 5.0 / size
    seed = canvas.seed()
    wu, wv = warp(u, v, eddy, 0.014 * size, seed, octaves_for(eddy, canvas.width_px, 2.5, 4))
    wu, wv = swirl(wu, wv, eddy * 1.4, 0.022 * size * (1.2 - billow), 3, seed + 2, growth=1.6)
    squash = 1.7 if shape == "bank" else 1.0
    thick, lit, age = _heap(wu, wv, rows, light.sun_to, 0.8 + 3.0 * billow, squash)
    lumps = fbm(wu, wv * 1.2, eddy * 1.2, octaves_for(eddy * 1.2, canvas.width_px, 2, 5), seed + 5, gain=0.6)
    thick = thick * smooth(-2.2, 1.6, lumps) * smooth(0.10, -0.02, (v - base_v) / size)
    thick = blur(thick, 0.03 * size * (1 - billow) / canvas.px)
    alpha = 1 - np.exp(-1.6 * density * thick)
    if float(alpha.max()) < LABEL_ALPHA:
        return
    colour = _lit_smoke(light, tone, lit, age, lumps, alpha, billow)
    if glow:
        height = np.maximum(base_v - v, 0) / size
        colour = colour + np.float32([1.6, 0.55, 0.14]) * (glow * np.exp(-height * 5) * (0.6 + 0.4 * lit))[..., None]
    colour = mix(colour, light.haze, veil)
    colour = _set_off(colour, alpha, canvas.rgb[at])
    canvas.put(
        alpha,
        colour,
        "smoke",
        depth,
        at,
        mobility=np.clip(0.5 + alpha, 0, 1),
        flow=_drift(canvas, shape, size, lean, age, depth),
        threshold=LABEL_ALPHA,
        spread=min(0.006, 0.06 * size),
    )


def _lit_smoke(light, tone, lit, age, lumps, alpha, billow):
    """Colour of smoke under the sun: heaped smoke has a bright and a dark side, thin smoke against the sun shines."""
    young, old = (srgb(c) for c in TONES[tone])
    albedo = mix(young, old, smooth(0.0, 0.7, age))
    side = 0.55 + (smooth(0.2, 0.85, lit + 0.05 * lumps) - 0.5) * (0.25 + 0.65 * billow)
    shade = albedo * (side[..., None] * light.sun * 0.42 + light.ambient * (0.55 + 0.45 * side)[..., None])
    if light.sun_to[2] < 0:
        shade = shade + albedo * light.sun * (0.4 * -light.sun_to[2] * (1 - alpha))[..., None]
    return shade


def _set_off(colour, alpha, behind):
    """The colour, made brighter or darker where smoke would be lost in what it hides."""
    core = alpha > 0.5 * float(alpha.max())
    smoke, rest = float(colour[core].mean()), float(behind[core].mean())
    lacking = CONTRAST_MIN * rest / max(float(alpha.max()), 0.2) - abs(smoke - rest)
    if lacking <= 0:
        return colour
    return colour * np.float32(max(1 + (lacking if smoke > rest else -lacking) / max(smoke, 1e-3), 0.3))


def _drift(canvas, shape, size, lean, age, depth):
    """Velocity of distant smoke: up at first, later with the wind; small and far plumes are slow."""
    speed = min(0.002 + 0.02 * size, 0.01) * (2.0 - depth)
    away = {"bank": 0.9, "drift": 0.9, "front": 0.6}.get(shape, 0.5)
    if shape in ("drift", "front"):
        lean = np.copysign(max(abs(lean), 0.3), lean)
    flow = np.empty(age.shape + (2,), np.float32)
    flow[..., 0] = speed * lean * away * (0.5 + age)
    flow[..., 1] = -speed * (0.12 if shape == "bank" else 1.0 - away * 0.8 * age) + 0.3 * speed * canvas.wind[1]
    return flow
