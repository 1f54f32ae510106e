"""Fire: flame tongues, embers, sparks, candles, and the light that they throw on everything near."""

import numpy as np

from .light import flame_colour, smooth, srgb
from .noise import cells, fbm, octaves_for, swirl
from .sprite import Sprite


def flames(canvas, x, base_v, width, height, depth=0.3, tongues=None, bright=1.0, lean=0.25, pace=1.0):
    """A fire on ``x, base_v``; ``pace`` scales its rise of 0.07 to 0.2 widths/s.

    Returns the brightness field that was painted, H x W over the whole canvas.
    """
    rng = np.random.default_rng(canvas.seed())
    margin = width * 0.8
    drift = canvas.wind[0] * lean * height
    at = canvas.window(x - margin - abs(drift), base_v - height * 1.5, x + margin + abs(drift), base_v + height * 0.2)
    u, v = canvas.u[at], canvas.v[at]
    field = np.zeros(canvas.u.shape, np.float32)
    if u.size == 0:
        return field
    rise = (base_v - v) / height
    seed = canvas.seed()
    up = np.maximum(rise, 0)
    sx = (u - x - drift * up**1.4) / width
    sy = rise * 0.62
    # Lifting eddies: the higher, the further a flame is torn from where it started.
    wx, wy = swirl(sx, sy, 1.3, 0.17, 4, seed, growth=1.8)
    torn = np.clip(up * 1.15, 0.05, 0.95)
    px, py = sx + (wx - sx) * torn, rise + (wy - sy) * torn * 0.7
    heat = np.full(u.shape, -1.0, np.float32)
    tongues = tongues or int(rng.integers(5, 9))
    places = np.linspace(-0.42, 0.42, tongues) + rng.normal(0, 0.04, tongues)
    for place in places:
        tall = rng.uniform(0.55, 1.1) * (1.05 - 1.1 * abs(place)) + 0.12
        broad = rng.uniform(0.10, 0.18)
        t = py / tall
        bend = place * (1 - 0.55 * np.clip(t, 0, 1)) + 0.09 * np.sin(
            t * rng.uniform(3, 6) + rng.uniform(0, 6)
        ) * np.clip(t, 0, 1)
        half = (
            broad
            * (1.15 - np.clip(t, 0, 1))
            * (0.75 + 0.9 * np.clip(t * 2.2, 0, 1))
            * (1 - np.clip(t, 0, 1) ** 3 * 0.5)
        )
        edge = 1 - np.abs(px - bend) / np.maximum(half, 0.012)
        tongue = np.minimum(edge * 0.95, (1 - t) * 1.7)
        heat = np.maximum(heat, tongue - 0.1 * t)
    fine = fbm(px * 2.6, py * 1.05 + seed % 97, 2.2, octaves_for(3 / width, canvas.width_px, 2, 6), seed + 5, gain=0.55)
    strands = fbm(px * 3.4, py * 0.8, 2.6, 4, seed + 6, gain=0.5, shape="ridged")
    heat = heat + 0.15 * fine * (0.35 + up) + 0.24 * (strands - 0.5) * (0.4 + up)
    shape = smooth(0.0, 0.22, heat) * smooth(-0.16, 0.03, rise)
    core = np.clip(0.26 + 0.66 * heat + 0.55 * (strands - 0.5) + 0.06 * fine - 0.26 * up, 0.10, 1.08)
    body = np.clip(core, 0, 1.2) * shape
    colour = flame_colour(body) * np.float32(bright * 1.15)
    alpha = np.clip(body * 1.35, 0, 1) * 0.9
    speed = pace * (0.07 + 0.13 * np.clip(0.4 + 0.6 * up, 0, 1))
    flow = np.stack([speed * drift / height * 0.8, -speed], -1)
    canvas.put(
        alpha * 0.85,
        colour,
        "fire",
        depth,
        at,
        mobility=np.clip(0.6 + 0.4 * up, 0, 1),
        flow=flow,
        sway=np.array([0.003, 0.0028j]),
        profile="flame",
        light=1.0,
        threshold=0.16,
    )
    field[at] = body
    return field


def thrown_light(canvas, x, v, reach, strength=1.0, colour=(1.0, 0.42, 0.13), flatten=1.0, albedo=None):
    """Light that a fire at ``x, v`` throws on what is painted so far, which then flickers.

    ``reach`` is the distance at which it has fallen to a quarter; ``flatten`` > 1 reaches further sideways.
    """
    distance = np.hypot((canvas.u - x) / flatten, canvas.v - v) / reach
    fall = (1 / (1 + distance) ** 2).astype(np.float32) * np.float32(strength)
    # What lies far behind the fire is too far away to be lit by it.
    fall *= smooth(0.85, 0.5, canvas.depth)
    base = canvas.rgb if albedo is None else albedo
    canvas.rgb += base * fall[..., None] * np.asarray(colour, np.float32) * 14
    np.maximum(
        canvas.light, np.clip(fall * 0.75 / max(strength, 1e-3), 0, 0.7) * (canvas.classes != 1), out=canvas.light
    )


def halo(canvas, x, v, radius, strength, colour=(1.0, 0.45, 0.14)):
    """Glow in the air and in the lens around a light."""
    distance = np.hypot(canvas.u - x, canvas.v - v) / radius
    canvas.rgb += (np.exp(-distance * 2.2) * strength)[..., None].astype(np.float32) * np.asarray(colour, np.float32)


def sparks(canvas, x, base_v, width, height, count=60, depth=0.3):
    """Glowing bits carried up from a fire."""
    rng = np.random.default_rng(canvas.seed())
    rise = rng.uniform(0, 1, count) ** 1.6
    px = x + rng.normal(0, 0.25, count) * width * (0.6 + rise) + canvas.wind[0] * 0.3 * height * rise
    py = base_v - height * (0.25 + 1.2 * rise)
    size = np.maximum(width * rng.uniform(0.003, 0.008, count), 0.8 * canvas.px)
    sprite = Sprite(canvas)
    colours = np.float32([2.6, 1.0, 0.22]) * (1.15 - rise)[:, None] * rng.uniform(0.4, 1, (count, 1))
    sprite.leaves(px, py, size * rng.uniform(1, 3, count), -np.pi / 2 + rng.normal(0, 0.6, count), colours, 0.6)
    flow = np.array([0.05 * canvas.wind[0], -0.1], np.float32)
    sprite.put("fire", depth, mobility=0.9, flow=flow, light=0.9)


def embers(canvas, x, v, width, height, depth=0.3, glow=1.0):
    """A bed of coals: dark lumps with red light in the cracks."""
    at = canvas.window(x - width * 0.6, v - height, x + width * 0.6, v + height)
    u, vv = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    seed = canvas.seed()
    _, border, tone = cells(u - x, (vv - v) * 2, 9 / width, seed)
    shape = smooth(1.0, 0.75, np.hypot((u - x) / (width * 0.5), (vv - v) / (height * 0.5)))
    hot = np.clip((1 - smooth(0, 0.28, border)) * (0.4 + tone) + 0.4 * smooth(0.7, 1, tone), 0, 1.1)
    hot *= smooth(1.1, 0.1, np.hypot((u - x) / (width * 0.5), (vv - v) / (height * 0.6)))
    colour = srgb("#241a16") * 0.25 + flame_colour(hot * 0.8) * np.float32(glow)
    canvas.put(shape, colour, "fire", depth, at, mobility=0.2, light=0.75)


def candle(canvas, x, base_v, height, depth=0.25, wax="#e8dcc0", lit=True, thick=0.26):
    """A candle of ``height`` widths and its flame; the caller throws its light."""
    half = height * thick * 0.5
    at = canvas.window(x - half * 1.4, base_v - height * 1.1, x + half * 1.4, base_v + half)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    top = base_v - height
    side = (u - x) / half
    inside = (
        smooth(1.02, 0.98, np.abs(side))
        * (v > top - half * 0.25 * np.sqrt(np.maximum(1 - side**2, 0)))
        * (v < base_v + half * 0.3 * np.sqrt(np.maximum(1 - side**2, 0)))
    )
    within = np.exp(-(v - top) / (height * 0.3)) * (1.0 if lit else 0.0)
    shade = 0.05 + 0.12 * np.sqrt(np.maximum(1 - side**2, 0))
    colour = srgb(wax) * (shade[..., None] + np.clip(within, 0, 1.2)[..., None] * np.float32([1.5, 0.75, 0.28]))
    canvas.put(inside, colour, "rigid", depth, at, light=np.clip(0.7 * within, 0, 0.7))
    if not lit:
        return
    tall = max(height * 0.3, half * 2.2)
    at = canvas.window(x - half * 2, top - tall * 1.4, x + half * 2, top + half * 0.4)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    t = (top - half * 0.3 - v) / tall
    bend = canvas.wind[0] * 0.12 * tall * np.clip(t, 0, 1) ** 2
    wide = half * 0.52 * np.sqrt(np.clip(t * 5, 0, 1)) * np.clip(1.02 - t, 0, 1) ** 0.75
    edge = 1 - np.abs(u - x - bend) / np.maximum(wide, canvas.px * 0.4)
    body = smooth(0, 0.55, edge) * (t > 0) * (t < 1.02)
    heat = np.clip(0.55 + 0.75 * edge - 0.35 * np.abs(t - 0.42), 0.2, 1.15)
    colour = flame_colour(heat) * 1.5
    base_blue = smooth(0.2, 0.0, t)[..., None] * np.float32([0.05, 0.12, 0.6])
    canvas.put(
        body,
        colour + base_blue,
        "fire",
        depth,
        at,
        mobility=np.clip(0.3 + 0.7 * t, 0, 1),
        sway=np.clip(t, 0, 1)[..., None] * np.array([0.002, 0.0012j]),
        flow=np.array([0, -0.07], np.float32),
        profile="flame",
        light=1.0,
        threshold=0.3,
    )
