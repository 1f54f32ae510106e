"""Flowers and leaves seen very close before a background out of focus."""

import numpy as np

from ..backdrops import backdrop, soften
from ..light import blur, light_at, mix, smooth, srgb
from ..noise import cells, fbm
from ..plants import GREENS, wind_sway

FLOWERS = ("daisy", "sunflower", "cup", "rosette", "open", "leaf")
BACKDROPS = ("leaves", "wall", "clear", "white", "dark", "street")
#: Petal colours from the base to the tip.
TINTS = (
    ("#f4efe4", "#fbf8f4"), ("#f0c418", "#f8e04a"), ("#c2184a", "#ec5a8a"), ("#8a0f1c", "#d02030"),
    ("#7a3aa8", "#b88ad8"), ("#e86a1a", "#f8a83a"), ("#f8dce4", "#e88aa8"), ("#2a4ab8", "#7a9ae8"),
    ("#f6ead0", "#f8b8a0"), ("#d8289a", "#f47ac0"), ("#fdf6d8", "#f4e8a8"), ("#5a1030", "#a02858"),
)  # fmt: skip


def petals(canvas, style):
    """One to three blossoms, or leaves, near the lens."""
    rng = canvas.rng
    light = light_at(style.pick("time", ("day", "overcast", "golden"), (0.5, 0.35, 0.15)), rng)
    canvas.exposure = style.between("exposure", 0.8, 1.25)
    behind = style.pick("behind", BACKDROPS, (0.6, 0.12, 0.08, 0.06, 0.1, 0.04))
    backdrop(canvas, light, behind, style.between("focus", 0.02, 0.05))
    kind = style.pick("flower", FLOWERS, (0.2, 0.13, 0.19, 0.16, 0.18, 0.14))
    tint = TINTS[int(rng.integers(len(TINTS)))] if kind != "sunflower" else TINTS[1]
    root = (style.between("root_u", 0.2, 0.8), canvas.aspect * 1.25)
    for _ in range(int(style.between("unsharp", 0, 3.9))):
        place = rng.uniform(-0.1, 1.1), rng.uniform(0.1, 1.0) * canvas.aspect
        _blossom(canvas, light, rng, kind, *place, rng.uniform(0.14, 0.3), tint, root, 0.45)
        if rng.random() < 0.7:
            soften(canvas, rng.uniform(0.006, 0.02))
    size = style.between("size", 0.28, 0.75)
    count = 1 if size > 0.4 else int(rng.integers(1, 3))
    for k in range(count):
        x = style.between("u", 0.3, 0.7) + 0.45 * k * rng.choice([-1, 1])
        y = style.between("v", 0.32, 0.68) * canvas.aspect
        if kind != "leaf":
            _stem(canvas, light, rng, x, y, root, size)
        _blossom(canvas, light, rng, kind, x, y, size, tint, root, 0.12)
    if style.chance("leaves_in_front", 0.25):
        base = rng.choice([-0.05, 1.05]), canvas.aspect * rng.uniform(0.7, 1.1)
        heading = -0.6 if base[0] < 0.5 else np.pi + 0.6
        _petal(canvas, light, rng, base, heading, 0.6, 0.25, _green(rng), root, 0.08, veins=9)
    canvas.lens()


def _green(rng):
    """Colours of a leaf from its base to its tip."""
    low, middle, high = GREENS[str(rng.choice(["summer", "spring", "dark", "olive"]))]
    return (low, middle) if rng.random() < 0.5 else (middle, high)


def _labels(canvas, at, root, strength=1.0):
    """Mobility and sway of what grows from ``root``: the farther from it, the freer."""
    reach = np.hypot(canvas.u[at] - root[0], canvas.v[at] - root[1])
    free = smooth(0.0, 1.1, reach).astype(np.float32)
    return {
        "mobility": 0.25 + 0.65 * free,
        "sway": ((0.35 + 0.65 * free) * strength)[..., None] * wind_sway(canvas, 0.8),
        "profile": "leaf",
    }


def _petal(
    canvas, light, rng, base, angle, length, broad, tint, root, depth, veins=14, round_tip=0.5, cup=0.5, curl=0.0
):
    """One petal or leaf from ``base`` along ``angle``.

    ``tint`` holds the colours of its base and tip; ``veins`` below 12 are a leaf's ribs; ``round_tip`` 0..1 from
    pointed to a spoon; ``cup`` says how hollow it is, ``curl`` bends it sideways.
    """
    tip = base[0] + np.cos(angle) * length, base[1] + np.sin(angle) * length
    pad = broad * 0.75 + abs(curl) * length + 2 * canvas.px
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(base, tip, strict=True))
    at = canvas.window(left - pad, top - pad, right + pad, bottom + pad)
    u, v = canvas.u[at] - base[0], canvas.v[at] - base[1]
    if u.size == 0 or min(u.shape) < 2:
        return
    c, s = np.cos(angle), np.sin(angle)
    t = (u * c + v * s) / length
    inner = np.clip(t, 0, 1)
    side = v * c - u * s - curl * length * inner**2
    pointed = np.maximum(np.sin(np.pi * inner**0.75), 0) ** 0.8
    spoon = inner**0.6 * np.sqrt(np.maximum(1 - inner**6, 0))
    half = 0.5 * broad * (pointed * (1 - round_tip) + spoon * round_tip)
    wavy = 1 + 0.05 * fbm(u / length, v / length, 2.5, 1, int(rng.integers(1 << 30)))
    w = side / np.maximum(half * wavy, canvas.px * 0.5)
    alpha = np.clip((1 - np.abs(w)) * half / canvas.px + 0.5, 0, 1) * (t > 0) * (t < 1)
    fibre = np.sin(veins * np.arcsin(np.clip(w, -1, 1)) + 1.5 * np.sin(3 * t) + rng.uniform(0, 6))
    if veins < 12:
        ribs = np.abs(((t - 0.5 * np.abs(w)) * veins) % 1 - 0.5)
        fibre = 2.5 * smooth(0.16, 0.02, ribs) + 6 * smooth(0.08, 0.0, np.abs(w))
    bowl = cup * (2 * w + 0.25 * np.sign(w) * np.abs(w) ** 3)
    along = 0.9 * (inner - 0.45) * cup + 0.1 * wavy
    slope_x, slope_y = along * c - bowl * s * 0.5, along * s + bowl * c * 0.5
    lit = light.on_slopes(slope_x, slope_y)
    grain = fbm(t * 0.4, w * 0.8, 6, 2, int(rng.integers(1 << 30)))
    albedo = mix(srgb(tint[0]), srgb(tint[1]), np.clip(inner * 1.2 - 0.1 + 0.06 * grain, 0, 1))
    through = np.clip(0.55 - light.sun_to[2], 0, 1) * 0.35
    shade = (0.72 + 0.28 * smooth(0.0, 0.4, inner)) * (0.86 + 0.14 * smooth(1, 0.8, np.abs(w)))
    shade = shade * (1 + 0.05 * fibre + 0.04 * grain)
    colour = albedo * (lit * np.float32(0.62) + np.sqrt(albedo) * light.sun * np.float32(through)) * shade[..., None]
    shadow = blur(alpha.astype(np.float32), 0.035 * length / canvas.px)
    canvas.rgb[at] *= (1 - 0.45 * shadow)[..., None]
    canvas.put(alpha, colour, "foliage", depth, at, **_labels(canvas, at, root))


def _disc(canvas, light, rng, x, y, radius, ink, root, depth, squash=1.0):
    """The heart of a composite flower: a dome of florets in spirals."""
    at = canvas.window(x - radius * 1.1, y - radius * 1.1, x + radius * 1.1, y + radius * 1.1)
    u, v = (canvas.u[at] - x) / radius, (canvas.v[at] - y) / (radius * squash)
    if u.size == 0:
        return
    r, turn = np.hypot(u, v), np.arctan2(v, u)
    knobs = np.sin(13 * turn + 9 * np.sqrt(r + 0.01) * 3) * np.sin(13 * turn - 27 * np.sqrt(r + 0.01))
    _, border, tone = cells(u, v, 6, canvas.seed())
    rough = 0.5 * knobs + smooth(0, 0.3, border) * tone
    dome = np.sqrt(np.clip(1.02 - r * r, 0.03, 1))
    lit = light.on_slopes(0.7 * u / dome, 0.7 * v / dome)
    colour = srgb(ink) * lit * (0.55 + 0.45 * rough)[..., None] * (0.6 + 0.4 * smooth(0.1, 0.5, r))[..., None]
    alpha = np.clip((1 + 0.05 * rough - r) * radius / canvas.px + 0.5, 0, 1)
    canvas.put(alpha, colour * np.float32(0.8), "foliage", depth, at, **_labels(canvas, at, root))


def _stem(canvas, light, rng, x, y, root, size):
    """The stalk of a blossom down to the edge of the picture."""
    t = np.clip((canvas.v - y) / (root[1] - y), 0, 1)
    middle = x + (root[0] - x) * t**1.5
    half = size * 0.035 * (1 + 0.4 * t)
    w = (canvas.u - middle) / half
    alpha = np.clip((1 - np.abs(w)) * half / canvas.px + 0.5, 0, 1) * (canvas.v > y)
    lit = light.on_slopes(1.6 * np.clip(w, -1, 1), 0 * w)
    everywhere = (slice(None), slice(None))
    colour = srgb(_green(rng)[1]) * lit * np.float32(0.6)
    canvas.put(alpha, colour, "foliage", 0.14, **_labels(canvas, everywhere, root))


def _blossom(canvas, light, rng, kind, x, y, size, tint, root, depth):
    """One flower of ``size`` (its radius in widths) around ``x, y``."""
    draw = lambda base, angle, length, broad, ink=tint, **more: _petal(
        canvas, light, rng, base, angle, length, broad, ink, root, depth, **more
    )
    start = rng.uniform(0, 6.28)
    if kind == "leaf":
        green = _green(rng) if rng.random() < 0.8 else ("#7a2a18", "#d87a28")
        for _ in range(int(rng.integers(2, 6))):
            base = x + rng.normal(0, 0.2), y + rng.uniform(0, 0.5)
            heading, broad = -np.pi / 2 + rng.normal(0, 0.8), size * rng.uniform(0.4, 0.9)
            draw(base, heading, size * 1.3, broad, green, veins=8, round_tip=0.1)
        return
    if kind in ("daisy", "sunflower"):
        squash = rng.uniform(0.65, 1.0)
        heart = size * (rng.uniform(0.2, 0.3) if kind == "daisy" else rng.uniform(0.35, 0.55))
        count = int(rng.integers(11, 17))
        for layer in range(2):
            for turn in rng.permutation(count):
                angle = start + (turn + 0.5 * layer) * 2 * np.pi / count + rng.normal(0, 0.06)
                dx, dy = np.cos(angle), np.sin(angle) * squash
                base = x + dx * heart * 0.8, y + dy * heart * 0.8
                length = (size - heart * 0.8) * np.hypot(dx, dy) * rng.uniform(0.88, 1.05)
                broad = 2 * np.pi * size / count * rng.uniform(0.55, 0.8)
                draw(base, np.arctan2(dy, dx), length, broad, veins=15, curl=rng.normal(0, 0.06), round_tip=0.35)
        _disc(canvas, light, rng, x, y, heart, "#d8a018" if kind == "daisy" else "#4a2a14", root, depth, squash)
    elif kind == "cup":
        low = x, y + size * 0.75
        for lean in (-0.42, 0.42, -0.2, 0.22, 0.0):
            draw(low, -np.pi / 2 + lean + rng.normal(0, 0.05), size * rng.uniform(1.25, 1.45), size * 0.75,
                 veins=22, curl=-0.5 * lean, round_tip=0.25, cup=0.7)  # fmt: skip
    elif kind == "rosette":
        _disc(canvas, light, rng, x, y, 0.16 * size, tint[0], root, depth)
        for ring, count in ((1.0, 6), (0.8, 6), (0.6, 5), (0.42, 4), (0.26, 3)):
            for k in range(count):
                angle = start + ring * 9 + k * 2 * np.pi / count + rng.normal(0, 0.12)
                base = x + 0.05 * size * np.cos(angle), y + 0.05 * size * np.sin(angle)
                cup = rng.uniform(0.4, 0.8)
                draw(base, angle, size * ring, size * ring * 1.15, veins=18, round_tip=0.95, cup=cup)
    else:
        count = int(rng.integers(5, 8))
        for k in range(count):
            angle = start + k * 2 * np.pi / count + rng.normal(0, 0.08)
            draw((x, y), angle, size * rng.uniform(0.9, 1.05), size * 5.2 / count, veins=24, round_tip=0.9, cup=0.45)
        _disc(canvas, light, rng, x, y, size * rng.uniform(0.08, 0.18), "#e0b428", root, depth)
