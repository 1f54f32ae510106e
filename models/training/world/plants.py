"""Plants: crowns made of single leaves, conifers, bushes, grass blades, flowers and potted plants."""

import numpy as np

from .canvas import CLASS_INDEX
from .light import blur, mix, smooth, srgb
from .sprite import Sprite

GREENS = {
    "summer": ("#34502a", "#607f38", "#9fae5a"),
    "olive": ("#3f5232", "#6c7f45", "#a3ad74"),
    "autumn": ("#7a3a14", "#c2701d", "#e3b23a"),
    "red": ("#6a1a14", "#a8331c", "#d8702c"),
    "dark": ("#1d3b22", "#33592f", "#5a7d40"),
    "spring": ("#4c6c2a", "#83a244", "#bccb76"),
    "blossom": ("#9a6a70", "#e0aab4", "#fae6e8"),
}


def wind_sway(canvas, rms=1.0):
    """RMS displacement (x, y) of free leaf tips, in widths: mostly along the wind, and a little across it."""
    along = canvas.wind_direction
    size = rms * (0.0026 + 0.0065 * canvas.wind_strength)
    if canvas.wind_strength < 1e-3:
        return np.array([0.6 * size, 0.2j * size])
    across = np.array([-along[1], along[0]])
    return (along + 0.28j * across) * size


def crown(
    canvas,
    light,
    blobs,
    leaf,
    palette,
    depth,
    root,
    reach,
    density=1.0,
    veil=None,
    rms=1.0,
    profile="tree",
    sprite=None,
    slim=0.5,
    droop=0.6,
):
    """Leaves that fill ``blobs`` (N x 3: x, y, radius in widths), lit as round masses.

    ``leaf`` is the length of a leaf; ``root`` (x, y) and ``reach`` set how freely a leaf moves: not at all at the
    root, fully at ``reach`` from it.
    """
    rng = np.random.default_rng(canvas.seed())
    blobs = np.asarray(blobs, np.float32)
    leaf = max(leaf, 2.2 * canvas.px)
    per_blob = np.clip(density * 3.6 * (blobs[:, 2] / leaf) ** 2, 6, 4000).astype(int)
    owner = np.repeat(np.arange(len(blobs)), per_blob)
    count = owner.size
    radius = np.sqrt(rng.uniform(0, 1, count)) * rng.choice([1.0, 1.12], count)
    angle = rng.uniform(0, 2 * np.pi, count)
    nx, ny = radius * np.cos(angle), radius * np.sin(angle)
    nz = np.sqrt(np.maximum(1 - np.minimum(radius, 1) ** 2, 0)) * rng.choice([1, 1, 1, -0.6], count)
    x = blobs[owner, 0] + nx * blobs[owner, 2]
    y = blobs[owner, 1] + ny * blobs[owner, 2] * 0.86
    middle = blobs[:, :2].mean(0)
    spread = max(float(np.hypot(*(blobs[:, :2] - middle).T).max()), 1e-3) + blobs[:, 2].mean()
    ox, oy = (x - middle[0]) / spread, (y - middle[1]) / spread
    oz = np.sqrt(np.maximum(1 - ox**2 - oy**2, 0.05))
    normal = np.stack([0.55 * nx + 0.5 * ox, -(0.55 * ny + 0.5 * oy), 0.55 * nz + 0.35 * oz], -1)
    normal += rng.normal(0, 0.28, normal.shape)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-6
    facing = normal @ light.sun_to
    lit = np.clip(0.5 * facing + 0.22, 0.02, 1) ** 1.25 * 1.12
    through = np.clip(-light.sun_to[2], 0, 1) * 0.55 * np.clip(radius - 0.35, 0, 1)
    inside = np.clip(0.25 + 0.75 * (0.45 + 0.35 * nz + 0.35 * np.hypot(ox, oy)), 0.22, 1.0)
    low, middle_colour, high = (srgb(c) for c in GREENS[palette])
    pick = np.clip(rng.normal(0.45, 0.26, count) + 0.22 * facing, 0, 1)[:, None]
    albedo = np.where(
        pick < 0.5, low + (middle_colour - low) * pick * 2, middle_colour + (high - middle_colour) * (pick * 2 - 1)
    )
    sky = (0.55 + 0.45 * normal[:, 1])[:, None] * light.ambient
    colours = albedo * ((lit * inside)[:, None] * light.sun * 0.9 + sky * inside[:, None] * 1.05)
    colours += albedo * through[:, None] * light.sun * np.float32([0.9, 1.1, 0.3])
    order = np.argsort(nz + rng.normal(0, 0.25, count) + 0.5 * oz)
    size = leaf * rng.uniform(0.6, 1.25, count)
    lean = np.arctan2(ny + droop, nx + rng.normal(0, 0.5, count)) + rng.normal(0, 0.5, count)
    sprite = sprite or Sprite(canvas)
    # The shaded inside of the crown first, in a few large dark leaves, so that little sky shows through.
    core = rng.permutation(count)[: count // 4]
    sprite.leaves(x[core], y[core], size[core] * 2.0, lean[core], colours[core] * 0.33, slim * 1.2)
    sprite.leaves(x[order], y[order], size[order], lean[order], colours[order], slim)
    free = smooth(0.12, 1.0, np.hypot(canvas.u - root[0], canvas.v - root[1]) / reach)
    sprite.put(
        "foliage",
        depth,
        veil,
        mobility=np.clip(0.15 + 0.85 * free, 0, 1),
        sway=free[..., None] * wind_sway(canvas, rms),
        profile=profile,
    )


def _branch(rng, lines, widths, tips, x, y, angle, length, width, level):
    steps = 5
    points = [(x, y)]
    for _ in range(steps):
        angle += rng.normal(0, 0.12)
        x += np.cos(angle) * length / steps
        y += np.sin(angle) * length / steps
        points.append((x, y))
    lines.append(points)
    widths.append(width)
    if level == 0:
        tips.append((x, y, length))
        return
    for _ in range(rng.integers(2, 4)):
        px, py = points[rng.integers(2, steps + 1)]
        side = rng.uniform(0.3, 0.95) * rng.choice([-1, 1])
        _branch(
            rng, lines, widths, tips, px, py, angle + side, length * rng.uniform(0.62, 0.82), width * 0.58, level - 1
        )


def tree(canvas, light, x, base_v, height, palette="summer", depth=0.4, veil=None, leaf=None, density=1.0, spread=1.0):
    """A broad-leaved tree standing at ``x, base_v``; ``height`` in widths."""
    rng = np.random.default_rng(canvas.seed())
    lines, widths, tips = [], [], []
    trunk = height * rng.uniform(0.26, 0.36)
    _branch(rng, lines, widths, tips, x, base_v, -np.pi / 2 + rng.normal(0, 0.06), trunk, height * 0.055, 3)
    bark = srgb("#4a3a2c") * (light.ambient * 0.8 + light.sun * 0.28)
    sprite = Sprite(canvas)
    sprite.strokes(lines, widths, [bark * rng.uniform(0.75, 1.2) for _ in lines])
    foot = np.array(
        [
            [x - height * 0.045, base_v + height * 0.005],
            [x - height * 0.022, base_v - trunk * 0.35],
            [x + height * 0.022, base_v - trunk * 0.35],
            [x + height * 0.045, base_v + height * 0.005],
        ]
    )
    sprite.polygons([foot], [bark])
    free = smooth(0.3, 1.0, (base_v - canvas.v) / height) * 0.6
    sprite.put("foliage", depth, veil, mobility=free, sway=free[..., None] * wind_sway(canvas, 0.8), profile="tree")
    tips = np.array(tips)
    blobs = np.column_stack([x + (tips[:, 0] - x) * spread, tips[:, 1], rng.uniform(0.075, 0.13, len(tips)) * height])
    extra = blobs[rng.integers(0, len(blobs), max(4, len(blobs) // 2))].copy()
    extra[:, 0] = x + (extra[:, 0] - x) * rng.uniform(0, 0.8, len(extra))
    extra[:, 1] -= rng.uniform(0, 0.08, len(extra)) * height
    crown(
        canvas,
        light,
        np.vstack([extra, blobs]),
        leaf or height * (0.024 if canvas.width_px < 600 else 0.011),
        palette,
        depth,
        (x, base_v),
        height,
        density,
        veil,
        rms=min(1.0, 0.4 + height),
    )


def conifer(canvas, light, x, base_v, height, depth=0.5, veil=None, palette="dark", sprite=None):
    """A spruce: whorls of drooping branches. Several may share one ``sprite``, which the caller then paints."""
    rng = np.random.default_rng(canvas.seed())
    own = sprite is None
    sprite = sprite or Sprite(canvas)
    low, middle, high = (srgb(c) for c in GREENS[palette])
    levels = int(np.clip(height / (3.5 * canvas.px), 9, 38))
    bark = srgb("#3a2c22") * light.flat(0.2)
    sprite.polygons([[(x - height * 0.014, base_v), (x, base_v - height), (x + height * 0.014, base_v)]], [bark])
    for level in np.linspace(0.04, 0.98, levels):
        count = max(5, int(16 * (1 - level)) + 3)
        reach = height * 0.26 * (1 - level) ** 0.85 * rng.uniform(0.8, 1.15, count) + height * 0.012
        turn = rng.uniform(-1, 1, count)
        turn = turn[np.argsort(-np.abs(turn))]
        y = base_v - height * (0.06 + 0.9 * level) + rng.normal(0, height * 0.008, count)
        length = np.maximum(reach * (0.35 + 0.65 * np.abs(turn)), 2.5 * canvas.px)
        angle = np.where(turn > 0, 0.42, np.pi - 0.42) + rng.normal(0, 0.12, count)
        facing = 0.45 * turn * light.sun_to[0] + 0.4 * light.sun_to[1] + (1 - np.abs(turn)) * max(light.sun_to[2], 0.0)
        facing = np.clip(facing + rng.normal(0, 0.16, count), 0.02, 1)
        albedo = mix(low, mix(middle, high, 0.4), np.clip(rng.normal(0.5, 0.25, count), 0, 1))
        colours = albedo * (facing[:, None] * light.sun * 0.85 + light.ambient * (0.45 + 0.4 * level))
        sprite.leaves(np.full(count, x, np.float32), y, length, angle, colours, 0.34)
    if own:
        free = np.clip((base_v - canvas.v) / height, 0, 1) ** 1.5
        sprite.put(
            "foliage",
            depth,
            veil,
            mobility=0.1 + 0.9 * free,
            sway=free[..., None] * wind_sway(canvas, 0.7),
            profile="tree",
        )


def bush(
    canvas,
    light,
    x,
    base_v,
    width,
    height,
    palette="summer",
    depth=0.3,
    veil=None,
    leaf=None,
    density=1.0,
    flowers=None,
):
    """A bush or a length of hedge sitting on ``base_v``."""
    rng = np.random.default_rng(canvas.seed())
    count = int(np.clip(14 * width / max(height, 1e-3), 8, 60))
    t = rng.uniform(-1, 1, count)
    top = np.sqrt(np.maximum(1 - t**2, 0)) * rng.uniform(0.35, 1, count)
    blobs = np.column_stack([x + t * width * 0.5, base_v - top * height * 0.8, rng.uniform(0.16, 0.3, count) * height])
    crown(
        canvas,
        light,
        blobs,
        leaf or height * 0.08,
        palette,
        depth,
        (x, base_v + 0.2 * height),
        height * 1.2,
        density,
        veil,
        rms=0.7,
        profile="leaf",
    )
    if flowers:
        count = int(40 * width / height)
        blob = blobs[rng.integers(0, len(blobs), count)]
        sprite = Sprite(canvas)
        size = np.maximum(height * 0.035 * rng.uniform(0.6, 1.3, count), 1.4 * canvas.px)
        fx, fy = (
            blob[:, 0] + rng.normal(0, 0.5, count) * blob[:, 2],
            blob[:, 1] + rng.normal(0, 0.5, count) * blob[:, 2],
        )
        _petals(sprite, rng, fx, fy, size, srgb(flowers) * light.flat(0.5))
        sprite.put("foliage", depth, veil, mobility=0.9, sway=wind_sway(canvas, 0.7), profile="leaf")


def _petals(sprite, rng, x, y, size, colour):
    for k in range(5):
        angle = 2 * np.pi * k / 5 + rng.uniform(0, 1, len(x))
        tint = rng.uniform(0.75, 1.15, (len(x), 1))
        sprite.leaves(x, y, size, angle, tint * colour, 0.8)


def grass(
    canvas,
    light,
    near_v,
    far_v,
    palette="summer",
    count=1.0,
    height=0.05,
    horizon_v=None,
    x_range=(-0.02, 1.02),
    flowers=(),
    mask=None,
    depth_near=0.02,
    depth_far=0.4,
    dry=0.25,
    stout=0.045,
):
    """Blades from ``far_v`` to ``near_v``, growing towards the viewer; ``height`` is theirs at ``near_v``.

    ``mask(x, v)`` in 0..1 thins them; ``stout`` is a blade's width over its height. A blade stands still at its foot.
    """
    rng = np.random.default_rng(canvas.seed())
    horizon_v = far_v - 0.03 if horizon_v is None else horizon_v
    number = int(count * (2600 if canvas.width_px < 600 else 45000))
    closeness = np.sort(rng.uniform(0, 1, number) ** 1.35)
    v = far_v + (near_v - far_v) * closeness
    scale = (v - horizon_v) / (near_v - horizon_v)
    x = rng.uniform(*x_range, number)
    keep = np.ones(number, bool) if mask is None else rng.uniform(0, 1, number) < mask(x, v)
    clump = 0.65 + 0.5 * np.sin(x * 41 + 7 * np.sin(v * 63)) * np.sin(v * 57 + 3 * x)
    tall = np.maximum(height * scale * rng.uniform(0.45, 1.15, number) * clump, 2.5 * canvas.px)
    bend = canvas.wind_direction[0] * 0.5 * canvas.wind_strength
    lean = rng.normal(bend, 0.38, number)
    width = np.maximum(tall * stout, 1.1 * canvas.px)
    low, middle, high = (srgb(c) for c in GREENS[palette])
    pick = np.clip(rng.normal(0.5, 0.24, number) + 0.25 * (clump - 0.65), 0, 1)[:, None]
    albedo = np.where(pick < 0.5, low + (middle - low) * pick * 2, middle + (high - middle) * (pick * 2 - 1))
    straw = rng.uniform(0, 1, number) < dry * 0.4
    albedo[straw] = srgb("#b9a768") * rng.uniform(0.7, 1.1, (int(straw.sum()), 1))
    facing = np.clip(0.55 + 0.3 * np.sign(lean) * light.sun_to[0] + rng.normal(0, 0.18, number), 0.1, 1.1)
    back = 1 + np.clip(-light.sun_to[2], 0, 1) * 0.8
    if light.dapple:
        facing = facing * (
            1 - 0.8 * light.dapple * smooth(-0.2, 0.8, np.sin(x * 4.1 + 3 * scale) * np.sin(scale * 6 - x * 2 + 1.3))
        )
    colours = albedo * (facing[:, None] * light.sun * (0.22 + 0.38 * light.sun_to[1]) * back + light.ambient * 0.7)
    sprite = Sprite(canvas)
    sprite.blades(x[keep], v[keep], tall[keep], lean[keep], width[keep], colours[keep])
    for colour in flowers:
        drift = np.sin(x * rng.uniform(9, 16) + rng.uniform(0, 6) + 4 * v) + np.sin(
            v * rng.uniform(25, 50) + 7 * x + rng.uniform(0, 6)
        )
        some = rng.uniform(0, 1, number) < 0.016 * keep * np.clip(drift - 0.35, 0, 2) ** 2
        if not some.any():
            continue
        tip = np.stack([x[some] + lean[some] * tall[some], v[some] - tall[some] * 0.9], -1)
        _petals(
            sprite,
            rng,
            tip[:, 0],
            tip[:, 1],
            np.maximum(tall[some] * 0.075, 0.9 * canvas.px),
            srgb(colour) * light.flat(0.5),
        )
    row = np.clip((canvas.v - far_v) / (near_v - far_v), 0, 1)
    size = np.clip((canvas.v - horizon_v) / (near_v - horizon_v), 0, 1.2)
    free = 0.55 + 0.45 * float(rng.random())
    labels = {
        "mobility": np.clip(0.3 + 0.6 * size, 0, 1) * free,
        "profile": "leaf",
        "sway": np.clip(0.2 + size, 0, 1)[..., None] * wind_sway(canvas, min(1.0, 0.35 + height * 9)),
    }
    depth = depth_far + (depth_near - depth_far) * row
    cover = sprite.put("foliage", depth, **labels)
    # Turf between the blades moves with them as far as anyone can see.
    turf = (blur(cover, 0.008 / canvas.px) > 0.3) & (canvas.classes == CLASS_INDEX["foliage"])
    canvas.label(turf, "foliage", depth, **labels)


def potted_plant(canvas, light, x, base_v, size, palette="summer", depth=0.2, pot="#a4532f", still=0.35):
    """A plant in a pot of half its height; indoors it hardly moves (``still`` scales its sway)."""
    rng = np.random.default_rng(canvas.seed())
    top, foot, high = size * 0.24, size * 0.16, size * 0.36
    at = canvas.window(x - top * 1.2, base_v - high * 1.3, x + top * 1.2, base_v + 0.01)
    u, v = canvas.u[at], canvas.v[at]
    if u.size:
        t = np.clip((base_v - v) / high, 0, 1)
        half = foot + (top - foot) * t + 0.02 * size * (t > 0.84)
        side = (u - x) / half
        inside = smooth(0, -1.5, (np.abs(u - x) - half) / canvas.px) * (v < base_v) * (base_v - v < high)
        normal_x, normal_z = side, np.sqrt(np.maximum(1 - side**2, 0))
        facing = np.clip(normal_x * light.sun_to[0] + normal_z * light.sun_to[2] + 0.15, 0, 1)
        colour = srgb(pot) * (facing[..., None] * light.sun * 0.8 + light.ambient * (0.55 + 0.3 * normal_z)[..., None])
        colour = colour * (1 - 0.3 * smooth(0.8, 0.84, t) * smooth(0.9, 0.84, t))[..., None]
        canvas.put(inside, colour, "rigid", depth, at)
    stem_v = base_v - high
    sprite = Sprite(canvas)
    count = rng.integers(22, 60)
    angle = -np.pi / 2 + np.clip(rng.normal(0, 0.7, count), -1.35, 1.35)
    angle = angle[np.argsort(-np.abs(angle + np.pi / 2))]
    length = size * rng.uniform(0.3, 0.72, count)
    bx = x + rng.normal(0, top * 0.35, count)
    low, middle, bright = (srgb(c) for c in GREENS[palette])
    form = rng.integers(0, 3)
    if form == 0:
        for k in np.linspace(0, 1, 3):
            colours = mix(low, bright, np.clip(rng.normal(0.25 + 0.3 * k, 0.2, count), 0, 1)) * light.flat(
                0.22 + 0.1 * k
            )
            sprite.leaves(
                bx, np.full(count, stem_v), length * (1.1 - 0.3 * k), angle + rng.normal(0, 0.1, count), colours, 0.12
            )
    else:
        end = np.stack([bx + np.cos(angle) * length, stem_v + np.sin(angle) * length], -1)
        sprite.strokes(
            [[(bx[i], stem_v), tuple(end[i])] for i in range(count)],
            [size * 0.008] * count,
            [low * light.flat(0.3)] * count,
        )
        each = 1 if form == 1 else 7
        for k in range(each):
            t = 1 - k / max(each, 1) * 0.7
            px, py = bx + (end[:, 0] - bx) * t, stem_v + (end[:, 1] - stem_v) * t
            colours = (
                mix(low, bright, np.clip(rng.normal(0.4, 0.25, count), 0, 1))
                * light.flat(0.32)
                * rng.uniform(0.6, 1.1, (count, 1))
            )
            turn = angle + (0.9 if k % 2 else -0.9) * (each > 1) + 0.4
            sprite.leaves(
                px, py, size * rng.uniform(0.16, 0.28, count) * (1.3 if each == 1 else 0.7), turn, colours, 0.55
            )
    free = smooth(0.15, 0.9, np.hypot(canvas.u - x, canvas.v - stem_v) / size)
    sprite.put("foliage", depth, mobility=free, sway=free[..., None] * wind_sway(canvas, still), profile="leaf")
