"""Cloth: flags, curtains, laundry and awnings, with folds that shade them and say how they wave."""

import numpy as np

from .light import smooth, srgb
from .noise import fbm
from .sprite import Sprite

FLAG_COLOURS = ("#b3202c", "#f3efe6", "#1c3f8f", "#e9b824", "#1d7a45", "#20242b", "#e36a1e", "#4aa3c7", "#7b2d6b")


def pattern(kind, s, t, colours):
    """Colour of a flag at ``s`` along it and ``t`` down it, both 0..1."""
    a, b, c = colours
    if kind == "bands":
        return np.where((t < 1 / 3)[..., None], a, np.where((t < 2 / 3)[..., None], b, c))
    if kind == "pales":
        return np.where((s < 1 / 3)[..., None], a, np.where((s < 2 / 3)[..., None], b, c))
    if kind == "cross":
        inside = (np.abs(s - 0.38) < 0.075) | (np.abs(t - 0.5) < 0.11)
        return np.where(inside[..., None], b, a)
    if kind == "disc":
        return np.where((np.hypot((s - 0.5) * 1.5, t - 0.5) < 0.28)[..., None], b, a)
    if kind == "stripes":
        stripe = (np.floor(t * 9) % 2 == 0)[..., None]
        return np.where(((s < 0.42) & (t < 0.55))[..., None], c, np.where(stripe, a, b))
    if kind == "saltire":
        inside = (np.abs(s - t) < 0.1) | (np.abs(s + t - 1) < 0.1)
        return np.where(inside[..., None], b, a)
    return np.broadcast_to(a, s.shape + (3,))


PATTERNS = ("bands", "pales", "cross", "disc", "stripes", "saltire", "plain")


def flag(canvas, light, pole_u, top_v, width, height, depth=0.25, kind=None, colours=None, facing=None):
    """A flag on an upright pole, flying down the wind; in weak wind it hangs in folds."""
    rng = np.random.default_rng(canvas.seed())
    kind = kind or PATTERNS[int(rng.integers(len(PATTERNS)))]
    if colours is None:
        colours = [srgb(FLAG_COLOURS[i]) for i in rng.permutation(len(FLAG_COLOURS))[:3]]
    strength = canvas.wind_strength
    side = facing or (1 if canvas.wind[0] >= 0 else -1)
    fly = np.clip(0.25 + 1.1 * strength, 0.3, 1.0)
    reach = width * (0.45 + 0.55 * fly)
    sag = width * (1 - fly) * 0.85
    at = canvas.window(
        min(pole_u, pole_u + side * reach) - 2 * canvas.px,
        top_v - height * 0.3,
        max(pole_u, pole_u + side * reach) + 2 * canvas.px,
        top_v + height * 1.35 + sag,
    )
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    s = (u - pole_u) * side / reach
    grow = np.clip(s, 0, 1)
    waves, start = rng.uniform(1.3, 2.2), rng.uniform(0, 6.28)
    phase = 2 * np.pi * waves * s + start
    skew = 0.6 * (v - top_v) / height
    swing = np.sin(phase + skew) + 0.35 * np.sin(2.3 * phase + 1.4 * skew + 1)
    amplitude = height * 0.085 * grow**0.7 * (0.5 + 0.7 * strength)
    offset = amplitude * swing + sag * grow**1.5 + 0.05 * height * grow
    tall = height * (1 - 0.06 * grow)
    t = (v - top_v - offset) / tall
    edge = np.minimum(np.minimum(s * reach, (1 - s) * reach), np.minimum(t, 1 - t) * tall)
    alpha = np.clip(edge / canvas.px + 0.5, 0, 1)
    slope = np.cos(phase + skew) + 0.8 * np.cos(2.3 * phase + 1.4 * skew + 1)
    fold = slope * (0.35 + 0.65 * grow) * (0.6 + 0.5 * strength)
    lit = light.on_slopes(-0.55 * fold * side, 0.12 * swing)
    shine = 1 + np.clip(-light.sun_to[2], 0, 1) * 0.6
    weave = 1 + 0.03 * fbm(s * 3, t * 2, 18, 2, int(rng.integers(1 << 30)))
    cloth_colour = pattern(kind, np.clip(s, 0, 1), np.clip(t, 0, 1), colours)
    canvas.put(
        alpha,
        cloth_colour * lit * shine * (0.80 + 0.12 * swing * grow)[..., None] * weave[..., None],
        "cloth",
        depth,
        at,
        mobility=grow**0.8,
        profile="flag",
        delay=np.clip(s, 0, 1) * waves / 1.0,
        sway=(grow**0.8 * (0.004 + 0.0075 * strength) * np.clip(width / 0.12, 0.5, 1.0))[..., None]
        * np.array([0.42, 0.9j]),
    )


def pole(canvas, light, u0, top_v, base_v, thick, depth=0.25, colour="#c9c4b8", knob=True):
    """An upright pole with a round shading."""
    at = canvas.window(u0 - thick * 1.5, top_v - thick * 2, u0 + thick * 1.5, base_v)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    half = max(thick * 0.5, 0.6 * canvas.px)
    side = np.clip((u - u0) / half, -1, 1)
    lit = np.clip(side * light.sun_to[0] + np.sqrt(1 - side**2) * light.sun_to[2] + 0.15, 0, 1)
    alpha = np.clip((half - np.abs(u - u0)) / canvas.px + 0.5, 0, 1) * (v > top_v)
    if knob:
        alpha = np.maximum(alpha, np.clip((thick - np.hypot(u - u0, v - top_v)) / canvas.px + 0.5, 0, 1))
    canvas.put(alpha, srgb(colour) * (lit[..., None] * light.sun * 0.8 + light.ambient), "rigid", depth, at)


def drape(
    canvas,
    light,
    u0,
    u1,
    top_v,
    bottom_v,
    folds=9,
    colour="#9a3b3b",
    stripe=None,
    sheer=0.0,
    depth=0.3,
    gather=0.0,
    sway=1.0,
    behind=None,
    threshold=0.35,
):
    """A curtain or a hanging sheet between ``u0`` and ``u1``; ``sheer`` lets light through, ``gather`` ties it aside.

    ``stripe`` is a second colour; ``behind`` the light that falls through sheer cloth.
    """
    rng = np.random.default_rng(canvas.seed())
    bow = canvas.wind[0] * 0.03
    at = canvas.window(u0 - abs(bow) - 0.02, top_v - 0.01, u1 + abs(bow) + 0.02, bottom_v + 0.03)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    t = np.clip((v - top_v) / (bottom_v - top_v), 0, 1)
    seed = int(rng.integers(1 << 30))
    wander = fbm(u, v * 0.22, 3.0 / (u1 - u0) * 0.4, 3, seed)
    hang = 1 - gather * np.sin(np.pi * np.clip(t * 1.35, 0, 1)) * 0.55
    s = (u - bow * t * t - u0) / (u1 - u0)
    if gather:
        s = s / hang
    phase = 2 * np.pi * (s * folds + 0.38 * wander) + 0.6 * np.sin(6 * s)
    ripple = np.sin(phase) + 0.3 * np.sin(2.1 * phase + 3 * t)
    slope = (np.cos(phase) + 0.6 * np.cos(2.1 * phase + 3 * t)) * (0.55 + 0.45 * t)
    hem = bottom_v + 0.006 * ripple * (u1 - u0) / 0.3
    edge = np.minimum(np.minimum(s, 1 - s) * (u1 - u0) * hang, np.minimum(v - top_v, hem - v))
    alpha = np.clip(edge / canvas.px + 0.5, 0, 1)
    base = np.broadcast_to(srgb(colour), u.shape + (3,))
    if stripe is not None:
        base = np.where((np.sin(s * 2 * np.pi * folds * 1.5) > 0.2)[..., None], srgb(stripe), base)
    thread = 1 + 0.035 * fbm(u, v, 90, 2, seed + 1)
    lit = light.on_slopes(0.75 * slope, 0.05 * ripple)
    colour_lit = base * lit * (0.62 + 0.26 * ripple)[..., None] * thread[..., None]
    if sheer:
        inner = light.horizon if behind is None else behind
        colour_lit = colour_lit * (1 - 0.4 * sheer) + base * inner * sheer * (0.75 + 0.25 * ripple)[..., None]
    free = t**1.3
    rms = (0.004 + 0.006 * canvas.wind_strength) * sway
    canvas.put(
        alpha * (1 - 0.35 * sheer),
        colour_lit,
        "cloth",
        depth,
        at,
        mobility=free,
        threshold=threshold,
        sway=(free * rms)[..., None] * np.array([1.0, 0.25j]),
        profile="curtain",
        delay=t * 0.5,
    )


def laundry(canvas, light, line_v, u0, u1, count=6, size=0.16, depth=0.25):
    """A sagging line with shirts, towels and sheets."""
    rng = np.random.default_rng(canvas.seed())
    xs = np.linspace(u0, u1, 40)
    sag = lambda x: line_v + 0.05 * (u1 - u0) * (1 - ((x - (u0 + u1) / 2) / ((u1 - u0) / 2)) ** 2)
    sprite = Sprite(canvas)
    sprite.strokes([np.stack([xs, sag(xs)], -1)], [0.003], [srgb("#d8d4c8") * light.flat(0.4)])
    sprite.put("rigid", depth)
    x = u0 + 0.04
    for _ in range(count):
        wide, tall = size * rng.uniform(0.5, 1.2), size * rng.uniform(0.8, 1.5)
        if x + wide > u1:
            break
        colour = ("#f0ece2", "#4f7fb0", "#c9503f", "#e3c04a", "#7fa68a", "#d79aa5", "#3d4658")[int(rng.integers(7))]
        stripe = "#f4f1ea" if rng.random() < 0.3 else None
        top = sag(x + wide / 2)
        drape(
            canvas,
            light,
            x,
            x + wide,
            top,
            top + tall,
            folds=rng.uniform(0.8, 2.2),
            colour=colour,
            stripe=stripe,
            depth=depth,
        )
        if rng.random() < 0.45:
            for side in (-1, 1):
                sx = x if side < 0 else x + wide
                drape(
                    canvas,
                    light,
                    min(sx, sx + side * wide * 0.3),
                    max(sx, sx + side * wide * 0.3),
                    top,
                    top + tall * 0.42,
                    folds=0.8,
                    colour=colour,
                    depth=depth,
                )
        x += wide * rng.uniform(1.15, 1.7)


def awning(canvas, light, u0, u1, top_v, drop, depth=0.3, colours=("#a8322a", "#efe8da"), stripes=None):
    """A striped awning with a scalloped valance; only the valance and its edge move."""
    rng = np.random.default_rng(canvas.seed())
    stripes = stripes or max(5, int((u1 - u0) / 0.03))
    at = canvas.window(u0 - 0.02, top_v - 0.005, u1 + 0.02, top_v + drop * 1.5)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    t = (v - top_v) / drop
    spread = 0.10 * drop * np.clip(t, 0, 1)
    s = (u - u0 + spread) / (u1 - u0 + 2 * spread)
    lobe = np.abs(np.sin(np.pi * s * stripes))
    wave = fbm(u, v * 0.3, 6, 2, int(rng.integers(1 << 30)))
    low = 1.22 + 0.09 * lobe + 0.02 * wave
    edge = np.minimum(np.minimum(s, 1 - s) * (u1 - u0), np.minimum(t, low - t) * drop)
    alpha = np.clip(edge / canvas.px + 0.5, 0, 1)
    base = np.where((np.floor(s * stripes) % 2 == 0)[..., None], srgb(colours[0]), srgb(colours[1]))
    slant = np.clip(0.35 + 0.65 * light.sun_to[1], 0.2, 1)
    shade = np.where(t < 1, slant * (0.95 + 0.08 * np.sin(wave * 2 + s * 9)), 0.55 + 0.2 * wave * 0.5)
    shade = shade * (1 - 0.35 * smooth(0.03, 0.0, np.abs(t - 1)))
    canvas.put(
        alpha,
        base * (shade[..., None] * light.sun * 0.75 + light.ambient),
        "cloth",
        depth,
        at,
        mobility=np.clip((t - 0.5) * 1.3, 0.05, 1),
        profile="flag",
        sway=(np.clip(t - 0.6, 0, 0.7) * (0.003 + 0.007 * canvas.wind_strength))[..., None] * np.array([0.5, 0.9j]),
    )
