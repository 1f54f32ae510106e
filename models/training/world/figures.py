"""People and vehicles, as a street shows them from some way off."""

import numpy as np

from .light import mix, srgb
from .sprite import Sprite

SKINS = ("#c99a7a", "#b07a58", "#7a4e34", "#523422", "#d3ab90")
CLOTHES = (
    "#2b3140",
    "#5a2f33",
    "#33493a",
    "#8a7a5c",
    "#9a9384",
    "#7a1f24",
    "#2f5c86",
    "#1d1d22",
    "#b7863c",
    "#6a6f7a",
    "#a9a69e",
)
PAINTS = ("#8c1a1c", "#1d3557", "#d9d9d6", "#23262b", "#5f6b72", "#2f5d46", "#c7a23b", "#7fa3b8")


def _cap(x0, y0, x1, y1, r0, r1, steps=7):
    """Outline of a limb: a capsule from one joint to the next."""
    angle = np.arctan2(y1 - y0, x1 - x0)
    far = angle + np.linspace(-np.pi / 2, np.pi / 2, steps)
    near = angle + np.linspace(np.pi / 2, 3 * np.pi / 2, steps)
    return np.concatenate(
        [
            np.stack([x1 + r1 * np.cos(far), y1 + r1 * np.sin(far)], -1),
            np.stack([x0 + r0 * np.cos(near), y0 + r0 * np.sin(near)], -1),
        ]
    )


def person(canvas, light, x, foot_v, height, depth=0.3, pose=None, shadow=True, veil=None):
    """Someone standing or walking; ``height`` in widths. People are never made to move."""
    rng = np.random.default_rng(canvas.seed())
    pose = pose or rng.choice(["stand", "walk", "walk"])
    h = height
    skin, coat, legs = (srgb(table[int(rng.integers(len(table)))]) for table in (SKINS, CLOTHES, CLOTHES))
    hair = srgb(("#2a1d15", "#4a3020", "#15131a", "#a9824f", "#6a6661")[int(rng.integers(5))])
    lit = light.flat(0.24)
    sprite = Sprite(canvas)
    if shadow:
        direction = -light.sun_to[0] * 0.5
        points = np.array(
            [
                [x - 0.08 * h, foot_v],
                [x + 0.08 * h, foot_v],
                [x + (0.06 + direction) * h, foot_v - 0.05 * h],
                [x + (direction - 0.06) * h, foot_v - 0.05 * h],
            ]
        )
        shade = Sprite(canvas)
        shade.shape(points, [0, 0, 0])
        _, cover = shade.decoded()
        canvas.rgb *= (1 - 0.55 * cover)[..., None]
    stride = h * {"walk": rng.uniform(0.06, 0.13), "stand": 0.035}[pose]
    hip, shoulder, head = foot_v - 0.48 * h, foot_v - 0.82 * h, foot_v - 0.93 * h
    face = rng.choice([-1, 1])
    for side in (-1, 1):
        knee = (x + side * stride * 0.55 + face * 0.012 * h * (pose == "walk"), foot_v - 0.26 * h)
        foot = (x + side * stride, foot_v - 0.012 * h)
        tone = 0.85 if side < 0 else 1.0
        sprite.shape(_cap(x + side * 0.02 * h, hip, *knee, 0.052 * h, 0.036 * h), legs * lit * tone)
        sprite.shape(_cap(*knee, *foot, 0.036 * h, 0.022 * h), legs * lit * tone * 0.9)
        sprite.shape(
            _cap(
                foot[0] - 0.015 * h,
                foot_v - 0.008 * h,
                foot[0] + face * 0.05 * h,
                foot_v - 0.006 * h,
                0.014 * h,
                0.011 * h,
            ),
            srgb("#1c1a19") * lit,
        )
    swing = stride * 0.9
    sprite.shape(
        _cap(x - 0.075 * h, shoulder + 0.03 * h, x - 0.085 * h - swing, hip + 0.02 * h, 0.028 * h, 0.02 * h),
        coat * lit * 0.7,
    )
    torso = np.array(
        [
            [x - 0.095 * h, shoulder + 0.015 * h],
            [x - 0.04 * h, shoulder - 0.02 * h],
            [x + 0.04 * h, shoulder - 0.02 * h],
            [x + 0.095 * h, shoulder + 0.015 * h],
            [x + 0.078 * h, hip],
            [x + 0.09 * h, hip + 0.08 * h * rng.uniform(0, 1.6)],
            [x - 0.09 * h, hip + 0.08 * h],
            [x - 0.078 * h, hip],
        ]
    )
    sprite.shape(torso, coat * lit)
    bright = torso.copy()
    bright[:, 0] = x + (bright[:, 0] - x) * 0.45 + 0.045 * h * np.sign(light.sun_to[0] + 1e-6)
    sprite.shape(bright, coat * light.flat(0.38))
    sprite.shape(
        _cap(x + 0.075 * h, shoulder + 0.03 * h, x + 0.08 * h + swing * 0.7, hip + 0.03 * h, 0.028 * h, 0.02 * h),
        coat * lit * 0.88,
    )
    sprite.shape(_cap(x, shoulder, x, head, 0.024 * h, 0.024 * h), skin * lit * 0.8)
    around = np.linspace(0, 2 * np.pi, 16)
    sprite.shape(
        np.stack([x + 0.045 * h * np.cos(around), head - 0.005 * h + 0.058 * h * np.sin(around)], -1), hair * lit
    )
    if rng.random() < 0.5:
        sprite.shape(
            np.stack(
                [x + face * 0.014 * h + 0.034 * h * np.cos(around), head + 0.006 * h + 0.046 * h * np.sin(around)], -1
            ),
            skin * lit,
        )
    sprite.put("person", depth, veil)


def car(canvas, light, x, base_v, length, depth=0.3, paint=None, veil=None, lamps=False):
    """A parked car from the side, ``length`` in widths, wheels on ``base_v``."""
    rng = np.random.default_rng(canvas.seed())
    van = rng.random() < 0.22
    face = rng.choice([-1, 1])
    L = length
    colour = srgb(paint or PAINTS[int(rng.integers(len(PAINTS)))])
    shade = Sprite(canvas)
    around = np.linspace(0, 2 * np.pi, 26)
    shade.shape(np.stack([x + 0.53 * L * np.cos(around), base_v + 0.028 * L * np.sin(around)], -1), [0, 0, 0])
    _, cover = shade.decoded()
    canvas.rgb *= (1 - 0.75 * cover)[..., None]
    sprite = Sprite(canvas)

    def outline(points):
        points = np.asarray(points, np.float32)
        return np.stack([x + face * points[:, 0] * L, base_v - points[:, 1] * L], -1)

    roof = 0.40 if van else 0.325
    body = outline(
        [
            (-0.5, 0.09),
            (-0.5, 0.2),
            (-0.46, 0.235),
            (-0.33, 0.25),
            (0.2, 0.25),
            (0.42, 0.215),
            (0.49, 0.17),
            (0.5, 0.09),
        ]
    )
    cabin = outline(
        [(-0.47, 0.23), (-0.42, roof - 0.02), (-0.3, roof), (0.06, roof), (0.12, roof - 0.012), (0.27, 0.24)]
        if van
        else [(-0.38, 0.245), (-0.29, roof - 0.015), (-0.2, roof), (0.03, roof), (0.09, roof - 0.012), (0.25, 0.24)]
    )
    sprite.shape(cabin, colour * light.flat(0.75))
    glass = mix(srgb("#10151a"), light.horizon, 0.22)
    rear = -0.40 if van else -0.31
    sprite.shape(outline([(rear, 0.25), (rear + 0.06, roof - 0.03), (-0.11, roof - 0.025), (-0.11, 0.25)]), glass)
    sprite.shape(
        outline([(-0.09, 0.25), (-0.09, roof - 0.025), (0.04, roof - 0.028), (0.08, roof - 0.035), (0.2, 0.25)]),
        glass * 0.85,
    )
    sprite.shape(body, colour * light.flat(0.45))
    sprite.shape(
        outline([(-0.49, 0.19), (-0.46, 0.235), (-0.33, 0.25), (0.2, 0.25), (0.42, 0.215), (0.48, 0.185)]),
        colour * light.flat(0.9),
    )
    sprite.shape(outline([(-0.5, 0.09), (-0.5, 0.12), (0.5, 0.12), (0.5, 0.09)]), srgb("#17181a") * light.flat(0.3))
    sprite.strokes(
        [outline([(-0.09, 0.245), (-0.09, 0.13)]), outline([(0.16, 0.24), (0.14, 0.13)])],
        [0.004 * L] * 2,
        [colour * light.flat(0.2)] * 2,
    )
    lamp = np.float32([2.6, 2.1, 1.3]) if lamps else srgb("#e9e6da") * light.flat(0.7)
    sprite.shape(outline([(0.44, 0.165), (0.49, 0.16), (0.485, 0.19), (0.44, 0.195)]), lamp)
    sprite.shape(
        outline([(-0.5, 0.17), (-0.47, 0.17), (-0.47, 0.21), (-0.495, 0.2)]),
        srgb("#a01414") * (light.flat(0.6) + (1.2 if lamps else 0)),
    )
    for wheel in (-0.3, 0.31):
        cx, cy = x + face * wheel * L, base_v - 0.085 * L
        for radius, tone in (
            (0.1, srgb("#0b0b0c") * 0.5),
            (0.086, srgb("#1e1e20") * light.flat(0.35)),
            (0.052, srgb("#a9abad") * light.flat(0.5)),
            (0.02, srgb("#3a3a3c") * light.flat(0.4)),
        ):
            sprite.shape(np.stack([cx + radius * L * np.cos(around), cy + radius * L * np.sin(around)], -1), tone)
    sprite.put("vehicle", depth, veil)


def bicycle(canvas, light, x, base_v, length, depth=0.28):
    """A bicycle leaning on something."""
    rng = np.random.default_rng(canvas.seed())
    L = length
    colour = srgb(PAINTS[int(rng.integers(len(PAINTS)))]) * light.flat(0.5)
    dark = srgb("#1b1b1d") * light.flat(0.35)
    around = np.linspace(0, 2 * np.pi, 30)
    sprite = Sprite(canvas)
    point = lambda a, b: (x + a * L, base_v - b * L)
    rings = [
        np.stack([x + s * 0.3 * L + 0.19 * L * np.cos(around), base_v - 0.19 * L + 0.19 * L * np.sin(around)], -1)
        for s in (-1, 1)
    ]
    sprite.strokes(rings, [0.02 * L] * 2, [dark] * 2)
    frame = [
        [point(-0.3, 0.19), point(-0.1, 0.45), point(0.22, 0.48), point(-0.02, 0.2), point(-0.3, 0.19)],
        [point(-0.02, 0.2), point(-0.12, 0.5)],
        [point(0.3, 0.19), point(0.2, 0.56), point(0.3, 0.58)],
    ]
    sprite.strokes(frame, [0.022 * L] * 3, [colour] * 3)
    sprite.strokes([[point(-0.19, 0.51), point(-0.05, 0.5)]], [0.035 * L], [dark])
    sprite.put("vehicle", depth)


def parked_car(canvas, light, x, z, vanish_u, horizon_v, eye, depth=0.3, veil=None, paint=None):
    """A car parked along a street, seen from behind in perspective.

    ``x, z`` is the middle of its tail on the ground, in street units of ten metres; it is 0.42 long.
    """
    rng = np.random.default_rng(canvas.seed())
    colour = srgb(paint or PAINTS[int(rng.integers(len(PAINTS)))])
    half, length = 0.088, 0.42
    inner = x + half if x < 0 else x - half
    high = rng.choice([1.0, 1.0, 1.18])
    point = lambda px, h, dz: (vanish_u + px / (z + dz * length), horizon_v + (eye - h * high) / (z + dz * length))
    around = np.linspace(0, 2 * np.pi, 24)
    shade = Sprite(canvas)
    shade.shape(
        [point(x + sx * half * 1.25, 0, dz) for sx, dz in ((-1, -0.06), (1, -0.06), (1, 1.05), (-1, 1.05))], [0, 0, 0]
    )
    _, cover = shade.decoded()
    canvas.rgb *= (1 - 0.7 * cover)[..., None]
    sprite = Sprite(canvas)
    sun_x = light.sun_to[0]
    top, tail = (
        colour * light.flat(0.95 * max(light.sun_to[1], 0.2)),
        colour * light.flat(0.5 * max(light.sun_to[2], 0.12)),
    )
    side = colour * light.flat(0.55 * float(np.clip(np.sign(inner - x) * sun_x + 0.25, 0.05, 1)))
    glass = mix(srgb("#0e1317"), light.horizon, 0.2)
    # Outline along the length: (share of the length, height); roof glass first, as the far parts lie behind.
    outline = [
        (1.0, 0.05),
        (0.98, 0.075),
        (0.74, 0.092),
        (0.56, 0.142),
        (0.24, 0.146),
        (0.10, 0.098),
        (0.0, 0.09),
        (0.0, 0.035),
    ]
    inks = [tail, top, glass * 1.2, top * 1.05, glass, top * 0.9, tail]
    for (a, h0), (b, h1), ink in zip(outline[:-1], outline[1:], inks):
        inset = lambda h: half * (1 - 0.18 * np.clip((h - 0.09) / 0.055, 0, 1))
        sprite.shape(
            [
                point(x - inset(h0), h0, a),
                point(x + inset(h0), h0, a),
                point(x + inset(h1), h1, b),
                point(x - inset(h1), h1, b),
            ],
            ink,
        )
    flank = [
        point(inner, h, dz)
        for dz, h in ((0.0, 0.03), (1.0, 0.03), (0.99, 0.075), (0.74, 0.09), (0.10, 0.096), (0.0, 0.09))
    ]
    lean = inner + np.sign(x - inner) * half * 0.18
    cabin = [point(inner, 0.092, 0.12), point(lean, 0.140, 0.25), point(lean, 0.137, 0.55), point(inner, 0.09, 0.72)]
    sprite.shape(cabin, side * 1.1)
    for a, b in ((0.2, 0.39), (0.42, 0.62)):
        sprite.shape(
            [
                point(inner, 0.097, a - 0.03),
                point(lean, 0.134, a + 0.07),
                point(lean, 0.132, b - 0.04),
                point(inner, 0.095, b),
            ],
            glass * 0.8,
        )
    sprite.shape(flank, side)
    for dz in (0.2, 0.8):
        for radius, ink in ((0.034, srgb("#0c0c0d") * light.flat(0.3)), (0.02, srgb("#9a9c9e") * light.flat(0.35))):
            sprite.shape(
                [
                    point(inner, 0.034 / high + radius / high * np.sin(a), dz + radius / length * np.cos(a))
                    for a in around
                ],
                ink,
            )
    for sx in (-1, 1):
        sprite.shape(
            [
                point(x + sx * half * 0.95, 0.062, 0),
                point(x + sx * half * 0.62, 0.062, 0),
                point(x + sx * half * 0.66, 0.082, 0),
                point(x + sx * half * 0.95, 0.082, 0),
            ],
            srgb("#b01212") * (light.flat(0.5) + (1.5 if light.dark else 0.1)),
        )
        sprite.shape(
            [
                point(x + sx * half * 0.9, 0.0, 0),
                point(x + sx * half * 0.62, 0.0, 0),
                point(x + sx * half * 0.62, 0.036, 0),
                point(x + sx * half * 0.9, 0.036, 0),
            ],
            srgb("#0c0c0d") * 0.5,
        )
    sprite.shape(
        [point(x - half, 0.034, 0), point(x + half, 0.034, 0), point(x + half, 0.048, 0), point(x - half, 0.048, 0)],
        tail * 0.45,
    )
    sprite.shape(
        [
            point(x - half * 0.28, 0.053, 0),
            point(x + half * 0.28, 0.053, 0),
            point(x + half * 0.28, 0.068, 0),
            point(x - half * 0.28, 0.068, 0),
        ],
        srgb("#e8e4d0") * light.flat(0.3),
    )
    sprite.put("vehicle", depth, veil)
