"""Indoors: walls, floors, windows, tables and the furniture and crockery that stand about in rooms."""

import numpy as np

from .light import blur, mix, smooth, srgb
from .materials import hue, material
from .noise import fbm
from .sprite import Sprite


def wall_and_floor(
    canvas, light, floor_v, wall="plaster", floor="planks", wall_base=None, floor_base=None, lamp=(0.5, 0.1), soft=0.6
):
    """A back wall down to ``floor_v`` and the floor in front of it, lit from ``lamp`` (u, v)."""
    rng = canvas.rng
    rows = int(np.clip(floor_v * canvas.width_px, 1, canvas.height_px))
    at = (slice(0, rows), slice(None))
    fall = 1 / (1 + (np.hypot(canvas.u - lamp[0], canvas.v - lamp[1]) / soft) ** 2)
    albedo, relief = material(wall, canvas.u[at] * 0.8, canvas.v[at] * 0.8, rng, wall_base)
    colour = albedo * light.on_relief(relief.astype(np.float32), canvas.px, 1.0, 0.3) * fall[at][..., None]
    canvas.put(np.ones_like(canvas.u[at]), colour, "rigid", 0.8, at)
    if rows < canvas.height_px:
        at = (slice(rows, None), slice(None))
        z = 0.5 / (canvas.v[at] - floor_v + 0.22)
        x = (canvas.u[at] - 0.5) * z
        albedo, _ = material(floor, x * 0.8, z * 0.8, rng, floor_base)
        colour = albedo * (light.sun * 0.45 + light.ambient * 0.8) * fall[at][..., None]
        canvas.put(np.ones_like(x), colour, "rigid", np.clip(z / 2.5, 0.05, 0.8), at)
        edge = np.exp(-np.abs(canvas.v - floor_v) / 0.02)
        canvas.rgb *= (1 - 0.4 * edge)[..., None]
        board = canvas.window(0, floor_v - 0.02, 1, floor_v)
        canvas.rgb[board] = srgb("#d8d0c2") * light.flat(0.25) * fall[board][..., None]


def panel(canvas, light, u0, v0, u1, v1, name="wood", base=None, depth=0.4, shade=1.0, zoom=0.6, shadow=0.02):
    """An upright board or box front of a material, with the shadow it throws on what is behind."""
    rng = canvas.rng
    if shadow:
        soft_shadow(canvas, u0 + shadow * 0.4, v0 + shadow * 0.6, u1 + shadow * 0.4, v1 + shadow * 0.6, shadow, 0.45)
    at = canvas.window(u0 - canvas.px, v0 - canvas.px, u1 + canvas.px, v1 + canvas.px)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0 or min(u.shape) < 2:
        return
    albedo, relief = material(name, (u - u0) / zoom, (v - v0) / zoom, rng, base)
    edge = np.minimum(np.minimum(u - u0, u1 - u), np.minimum(v - v0, v1 - v))
    rim = 1 + 0.25 * smooth(0.004, 0.0, v - v0) - 0.25 * smooth(0.004, 0.0, v1 - v)
    lit = light.sun * 0.4 + light.ambient * 0.85
    canvas.put(
        np.clip(edge / canvas.px + 0.5, 0, 1), albedo * lit * np.float32(shade) * rim[..., None], "rigid", depth, at
    )


def soft_shadow(canvas, u0, v0, u1, v1, softness, amount):
    """Darken around a rectangle."""
    at = canvas.window(u0 - 3 * softness, v0 - 3 * softness, u1 + 3 * softness, v1 + 3 * softness)
    u, v = canvas.u[at], canvas.v[at]
    if u.size:
        edge = np.minimum(np.minimum(u - u0, u1 - u), np.minimum(v - v0, v1 - v))
        canvas.rgb[at] *= (1 - amount * smooth(-softness, softness, edge))[..., None]


def pool_shadow(canvas, x, v, wide, tall, amount, shift=0.0):
    """The soft shadow at the foot of a thing on a table or floor."""
    distance = np.hypot((canvas.u - x - shift) / wide, (canvas.v - v) / tall)
    canvas.rgb *= (1 - amount * smooth(1.15, 0.35, distance))[..., None]


def _framed(canvas, light, u0, v0, u1, v1, depth, frame, margin, shade):
    """A panel whose inner part is to be painted: its window, coordinates, and height 0 top .. 1 bottom, or None."""
    panel(canvas, light, u0, v0, u1, v1, frame, depth=depth, shade=shade)
    m = (u1 - u0) * margin
    at = canvas.window(u0 + m, v0 + m, u1 - m, v1 - m)
    u, v = canvas.u[at], canvas.v[at]
    return (at, u, v, (v - v0 - m) / (v1 - v0 - 2 * m)) if u.size else None


def picture(canvas, light, u0, v0, u1, v1, depth=0.7):
    """A framed picture with an abstract landscape: nothing in it moves."""
    rng = canvas.rng
    inner = _framed(canvas, light, u0, v0, u1, v1, depth, "wood", 0.08, 0.9)
    if inner is None:
        return
    at, u, v, t = inner
    seed = int(rng.integers(1 << 30))
    bend = t + 0.12 * fbm(u, v * 0.3, 6, 4, seed)
    a, b, c, d = (hue(rng) for _ in range(4))
    colour = np.where((bend < 0.45)[..., None], mix(a, b, t), np.where((bend < 0.65)[..., None], c, d))
    canvas.put(
        np.ones_like(u),
        colour * light.flat(0.3) * (1 + 0.08 * fbm(u, v, 60, 3, seed + 1))[..., None],
        "rigid",
        depth,
        at,
    )


def screen(canvas, light, u0, v0, u1, v1, depth=0.6):
    """A television or a sign that glows: whatever it shows, it stays."""
    rng = canvas.rng
    inner = _framed(canvas, light, u0, v0, u1, v1, depth, "metal", 0.025, 0.25)
    if inner is None:
        return
    at, u, v, t = inner
    seed = int(rng.integers(1 << 30))
    rough = fbm(u, v * 1.6, rng.uniform(6, 30), 5, seed)
    line = rng.uniform(0.3, 0.8) + 0.06 * fbm(u, v * 0, 8, 4, seed + 1)
    above, below = srgb(str(rng.choice(["#8fbbe8", "#e8a46a", "#20262e", "#f2f2ee"]))), hue(rng)
    shown = np.where((t < line)[..., None], above * (1.15 - 0.3 * t)[..., None], below * (0.7 + 0.3 * rough)[..., None])
    if rng.random() < 0.5:
        bars = (np.abs((t * rng.integers(5, 11)) % 1 - 0.5) < 0.18) & (u < u0 + (u1 - u0) * rng.uniform(0.4, 0.9))
        shown = np.where(bars[..., None], srgb("#f7f7f2"), shown)
    glow = np.float32(rng.uniform(0.5, 1.4))
    canvas.put(np.ones_like(u), np.maximum(shown, 0) * glow, "rigid", depth, at)


def window_light(canvas, light, u0, v0, u1, v1, outside, depth=0.9, panes=(2, 3), frame="#e6dfd2"):
    """A window in the wall; ``outside(u, v)`` is the H x W x 3 view through it."""
    at = canvas.window(u0, v0, u1, v1)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return
    canvas.put(np.ones_like(u), outside(u, v), "rigid", depth, at)
    wood = srgb(frame) * light.flat(0.25)
    bar = (u1 - u0) * 0.028
    for k in range(panes[0] + 1):
        x = u0 + (u1 - u0) * k / panes[0]
        _bar(canvas, x - bar, v0 - bar, x + bar, v1 + bar, wood)
    for k in range(panes[1] + 1):
        y = v0 + (v1 - v0) * k / panes[1]
        _bar(canvas, u0 - bar, y - bar * 0.8, u1 + bar, y + bar * 0.8, wood)


def _bar(canvas, u0, v0, u1, v1, colour):
    at = canvas.window(u0, v0, u1, v1)
    if canvas.u[at].size:
        t = (canvas.u[at] - u0) / (u1 - u0)
        canvas.put(np.ones_like(t), colour * (1.1 - 0.35 * t)[..., None], "rigid", 0.75, at)


def bokeh(canvas, count=40, v_range=(0.0, 0.4), size=0.03, colours=None, strength=1.0):
    """Lights out of focus behind a near subject."""
    rng = np.random.default_rng(canvas.seed())
    colours = colours or (
        np.float32([1.0, 0.6, 0.25]),
        np.float32([1.0, 0.78, 0.5]),
        np.float32([0.5, 0.7, 1.0]),
        np.float32([0.9, 0.35, 0.25]),
    )
    for _ in range(count):
        x, y, r = rng.uniform(0, 1), rng.uniform(*v_range), size * rng.uniform(0.5, 1.5)
        at = canvas.window(x - r * 1.2, y - r * 1.2, x + r * 1.2, y + r * 1.2)
        u, v = canvas.u[at], canvas.v[at]
        if u.size == 0:
            continue
        d = np.hypot(u - x, v - y) / r
        disc = smooth(1.12, 0.82, d) * (0.7 + 0.3 * d * d)
        canvas.rgb[at] += (
            disc[..., None] * colours[int(rng.integers(len(colours)))] * np.float32(strength * rng.uniform(0.1, 0.8))
        )


def table_top(canvas, light, edge_v, base=None, name="planks", depth=(0.05, 0.5), zoom=0.9, gloss=0.25, turn=0.0):
    """A table that fills the picture below ``edge_v``, seen in perspective, with a soft sheen of what is behind."""
    at = (slice(int(np.clip(edge_v * canvas.width_px, 0, canvas.height_px - 1)), None), slice(None))
    u, v = canvas.u[at], canvas.v[at]
    below = v - edge_v
    z = 0.42 / (below + 0.20)
    x = (u - 0.5) * z
    c, s = np.cos(turn), np.sin(turn)
    albedo, relief = material(name, (x * c - z * s) * zoom, (x * s + z * c) * zoom, canvas.rng, base)
    lit = light.sun * 0.5 + light.ambient * 0.8
    colour = albedo * lit
    mirrored = blur(canvas.rgb, 0.015 / canvas.px)
    rows = np.clip(((2 * edge_v - v) / canvas.px).astype(int), 0, canvas.height_px - 1)
    columns = np.clip((u / canvas.px).astype(int), 0, canvas.width_px - 1)
    sheen = gloss * (0.12 + 0.88 * np.exp(-below * 3.5))
    colour = colour + mirrored[rows, columns] * (sheen * (1 + np.clip(relief * 60, -0.5, 0.5)))[..., None]
    t = np.clip(below / (canvas.aspect - edge_v), 0, 1)
    canvas.put(np.clip(below / canvas.px + 0.5, 0, 1), colour, "rigid", depth[1] + (depth[0] - depth[1]) * t, at)


def revolve(
    canvas,
    light,
    x,
    base_v,
    height,
    radius,
    albedo,
    depth=0.2,
    tilt=0.3,
    gloss=0.6,
    glow=None,
    rim=0.03,
    inside=None,
    fill=None,
    fill_level=0.85,
    shallow=False,
):
    """A thing turned on a lathe: ``radius(t)`` in widths at ``t`` 0 (foot) .. 1 (rim).

    ``tilt`` is the height of its ellipses over their width. ``fill`` is the colour of a liquid at ``fill_level``;
    without ``inside`` the top is closed; the inside of a ``shallow`` dish is lit evenly. Returns the centre (u, v)
    and half width of the rim.
    """
    widest = max(radius(t) for t in np.linspace(0, 1, 30))
    top_r = radius(1.0)
    at = canvas.window(
        x - widest - 0.01, base_v - height - top_r * tilt - 0.01, x + widest + 0.01, base_v + widest * tilt + 0.01
    )
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0:
        return (x, base_v - height), top_r
    table_t = np.linspace(0, 1, 200)
    table_r = np.array([radius(t) for t in table_t])
    across = u - x
    t = np.clip((base_v - v) / height, 0, 1)
    for _ in range(6):
        r = np.interp(t, table_t, table_r)
        t = np.clip((base_v - v + tilt * np.sqrt(np.maximum(r * r - across**2, 0))) / height, 0, 1)
    r = np.interp(t, table_t, table_r)
    residual = base_v - v + tilt * np.sqrt(np.maximum(r * r - across**2, 0)) - t * height
    edge = np.minimum(
        r - np.abs(across),
        np.where(t >= 1, -np.maximum(residual, 0) + canvas.px, np.where(t <= 0, residual + canvas.px, 1)),
    )
    body = np.clip(edge / canvas.px + 0.5, 0, 1).astype(np.float32)
    nx = np.clip(across / np.maximum(r, 1e-5), -1, 1)
    nz = np.sqrt(np.maximum(1 - nx * nx, 0))
    slope = np.interp(t, table_t, np.gradient(table_r, table_t)) / height
    ny = -slope
    length = np.sqrt(1 + ny * ny)
    colour = _glaze(light, nx / length, ny / length, nz / length, albedo, gloss)
    colour = colour * (0.55 + 0.45 * smooth(0.0, 0.25, t))[..., None]
    canvas.put(body, colour, "rigid", depth, at)
    if inside is not None or fill is not None:
        top_v = base_v - height
        ring = np.hypot(across / top_r, (v - top_v) / (top_r * tilt))
        inner = 1 - rim / max(top_r, 1e-5)
        mouth = np.clip((1 - ring) * top_r * tilt / canvas.px + 0.5, 0, 1)
        lip = albedo * (light.sun * 0.55 + light.ambient) * 1.1
        canvas.put(mouth, np.broadcast_to(lip, u.shape + (3,)), "rigid", depth, at)
        hole = np.clip((inner - ring) * top_r * tilt / canvas.px + 0.5, 0, 1)
        side = np.clip(0.55 - 0.4 * nx * np.sign(light.sun_to[0] + 1e-6) + 0.5 * (v - top_v) / (top_r * tilt), 0.12, 1)
        if shallow:
            well = smooth(0.52, 0.56, ring) - smooth(0.56, 0.62, ring)
            side = (
                0.92
                - 0.10 * nx * np.sign(light.sun_to[0] + 1e-6)
                - 0.14 * well
                + 0.25 * smooth(0.8, 1.0, ring) * (v - top_v) / (top_r * tilt)
            )
        wall = (albedo if inside is None else inside) * (light.sun * 0.35 + light.ambient * 0.7) * side[..., None]
        canvas.put(hole, wall, "rigid", depth, at)
        if fill is not None:
            level_v = top_v + (1 - fill_level) * height * 0.8
            pool_r = top_r * inner * 0.97
            pool = np.hypot(across / pool_r, (v - level_v) / (pool_r * tilt))
            cover = np.clip((1 - pool) * pool_r * tilt / canvas.px + 0.5, 0, 1) * hole
            crema = mix(fill, fill * 2.6, smooth(0.72, 1.0, pool) * 0.5)
            gleam = smooth(
                0.35,
                0.0,
                np.hypot((across / pool_r + 0.35 * np.sign(light.sun_to[0])), (v - level_v) / (pool_r * tilt) + 0.35),
            )
            canvas.put(
                cover,
                crema * (light.sun * 0.5 + light.ambient) + gleam[..., None] * light.horizon * 0.22,
                "rigid",
                depth,
                at,
            )
    return (x, base_v - height), top_r


def _glaze(light, nx, ny, nz, albedo, gloss):
    """Light on a smooth round surface: soft key light, dim fill, a window's gleam and a bright rim."""
    sun = light.sun_to
    key = np.clip((nx * sun[0] + ny * sun[1] + nz * sun[2]) * 0.75 + 0.25, 0, 1) ** 1.4
    fill = 0.45 + 0.55 * (0.5 + 0.5 * ny)
    colour = albedo * (key[..., None] * light.sun * 0.8 + fill[..., None] * light.ambient)
    half = sun + np.array([0, 0, 1.0])
    half = half / np.linalg.norm(half)
    gleam = np.clip(nx * half[0] + ny * half[1] + nz * half[2], 0, 1)
    strip = smooth(0.955, 0.985, gleam) * gloss
    rim = (1 - nz) ** 4 * 0.35 * gloss
    return colour + strip[..., None] * light.sun * 0.55 + rim[..., None] * light.horizon * 0.6


def handle(canvas, light, x, v, radius, thick, albedo, side=1, depth=0.2):
    """The ear of a cup, beside it at ``x, v``."""
    turn = np.linspace(-1.75, 1.75, 26)
    line = np.stack([x + side * radius * 0.95 * np.cos(turn), v + radius * 1.05 * np.sin(turn)], -1)
    sprite = Sprite(canvas)
    lit = albedo * light.flat(0.45)
    for shrink, tone, shift in ((1.0, 0.62, 0.0), (0.72, 0.85, -0.08), (0.36, 1.12, -0.16)):
        sprite.strokes([line + np.float32([0, shift * thick])], [thick * shrink], [lit * tone])
    sprite.put("rigid", depth)


def books(canvas, light, u0, u1, base_v, tall, depth=0.5):
    """A row of books on a shelf."""
    rng = canvas.rng
    x = u0
    while x < u1 - 0.006:
        wide = rng.uniform(0.012, 0.034) * tall / 0.13
        if x + wide > u1:
            break
        high = tall * rng.uniform(0.62, 0.97)
        at = canvas.window(x, base_v - high, x + wide, base_v)
        u, v = canvas.u[at], canvas.v[at]
        if u.size:
            t = (u - x) / wide
            round_back = 0.55 + 0.6 * np.sqrt(np.clip(1 - (2 * t - 1) ** 2, 0, 1))
            y = (base_v - v) / high
            cover, band = hue(rng), hue(rng)
            stripe = smooth(0.03, 0.02, np.abs(y - rng.uniform(0.2, 0.85))) + smooth(0.02, 0.012, np.abs(y - 0.12))
            colour = mix(cover, band, np.clip(stripe, 0, 1)) * round_back[..., None] * light.flat(0.3)
            canvas.put(np.ones_like(u), colour, "rigid", depth, at)
        x += wide


def jar(canvas, light, x, base_v, size, depth=0.4):
    """A vase, bottle or bowl of some lathe form."""
    rng = canvas.rng
    k = [rng.uniform(0.5, 1.0), rng.uniform(0.7, 1.2), rng.uniform(0.5, 1.1), rng.uniform(0.25, 0.8)]
    half = size * rng.uniform(0.22, 0.42)
    form = np.polyfit([0, 0.3, 0.65, 0.9, 1], [k[0], k[1], k[2], k[3], k[3] * 1.1], 4)
    curve = lambda t: half * float(np.clip(np.polyval(form, t), 0.15, 1.4))
    pool_shadow(canvas, x, base_v, half * 1.6, half * 0.5, 0.5, shift=-half * 0.4 * np.sign(light.sun_to[0]))
    revolve(
        canvas,
        light,
        x,
        base_v,
        size,
        curve,
        hue(rng),
        depth,
        tilt=0.16,
        gloss=rng.uniform(0.1, 1),
        inside=srgb("#2a2420"),
        rim=half * 0.08,
    )
