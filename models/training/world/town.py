"""Houses: fronts drawn flat on a board of their own, then stood into the scene in perspective; roads and skylines."""

import cv2
import numpy as np

from .canvas import CLASS_INDEX, Canvas
from .light import blur, mix, smooth, srgb
from .materials import HUES, hue, material
from .noise import fbm
from .sprite import Sprite

WORDS = (
    "CAFE",
    "BAKERY",
    "HOTEL",
    "BOOKS",
    "OPEN",
    "PHARMACY",
    "BISTRO",
    "FLOWERS",
    "MUSEUM",
    "TEA ROOM",
    "CINEMA",
    "MARKET",
    "BAR",
    "WINE",
    "RECORDS",
    "SHOES",
    "ATELIER",
    "No. 17",
    "CYCLES",
    "GALLERY",
    "TAILOR",
    "KIOSK",
)


def text(canvas, words, x, v, height, colour, depth=0.3, width=None):
    """Letters centred on ``x`` standing on ``v``; ``height`` in widths."""
    font = (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX)[
        int(canvas.rng.integers(4))
    ]
    scale = height / canvas.px / 22
    if scale < 0.12:
        return
    (wide, _), _ = cv2.getTextSize(words, font, scale, 1)
    if width and wide * canvas.px > width:
        scale *= width / (wide * canvas.px)
        wide = width / canvas.px
    mask = np.zeros(canvas.u.shape, np.uint8)
    cv2.putText(
        mask,
        words,
        (int(x / canvas.px - wide / 2), int(v / canvas.px)),
        font,
        scale,
        255,
        max(1, int(round(scale * 1.6))),
        cv2.LINE_AA,
    )
    canvas.put(mask.astype(np.float32) / 255, colour, "rigid", depth)


def _rect(canvas, u0, v0, u1, v1, colour, soft=0.6):
    """Paint a rectangle of a front; a front is rigid all over, so this leaves the labels alone."""
    at = canvas.window(u0 - canvas.px, v0 - canvas.px, u1 + canvas.px, v1 + canvas.px)
    u, v = canvas.u[at], canvas.v[at]
    if u.size:
        edge = np.minimum(np.minimum(u - u0, u1 - u), np.minimum(v - v0, v1 - v))
        cover = np.clip(edge / canvas.px + soft, 0, 1)[..., None]
        canvas.rgb[at] += ((colour if np.ndim(colour) < 3 else colour[at]) - canvas.rgb[at]) * cover


def _shadow(canvas, u0, v0, u1, v1, amount):
    at = canvas.window(u0, v0, u1, v1)
    canvas.rgb[at] *= 1 - amount


def window_pane(canvas, light, u0, v0, u1, v1, frame, lit, curtain=True):
    """A window: frame, glass with the sky in it, perhaps a curtain, sill and the shadow of its reveal."""
    rng = canvas.rng
    wide, tall = u1 - u0, v1 - v0
    bar = wide * 0.07
    _rect(canvas, u0 - bar, v0 - bar, u1 + bar, v1 + bar, frame)
    at = canvas.window(u0, v0, u1, v1)
    u, v = canvas.u[at], canvas.v[at]
    seed = canvas.seed()
    if u.size:
        t = np.clip((v - v0) / tall, 0, 1)
        if lit:
            glass = np.float32([1.0, 0.62, 0.26]) * np.float32(rng.uniform(0.5, 1.3)) * (1 - 0.35 * t)[..., None]
        else:
            sheen = smooth(0.25, 0.9, 0.5 + 0.5 * fbm(u, v, 1.2 / wide, 2, seed) - t * 0.5)
            glass = mix(
                srgb("#1a2026") * (light.ambient + 0.05),
                mix(light.horizon, light.zenith, 0.4) * 0.8,
                (0.18 + 0.6 * sheen) * 0.75,
            )
        if curtain and rng.random() < 0.5:
            cloth = srgb("#e4ddcf") * (light.ambient * 0.6 + (np.float32([0.7, 0.4, 0.18]) if lit else light.sun * 0.1))
            folds = cloth * (0.75 + 0.25 * np.sin(u / wide * 60))[..., None]
            glass = np.where((np.abs(u - (u0 + u1) / 2) > wide * 0.26)[..., None], folds, glass)
        cross = bar * 0.3
        bars = (np.abs(u - (u0 + u1) / 2) < cross) | (np.abs(v - v0 - tall * 0.38) < cross)
        glass = np.where(bars[..., None], frame, glass)
        canvas.rgb[at] = glass * (1 - 0.5 * (t < 0.07))[..., None]
    _rect(canvas, u0 - bar * 2, v1 + bar, u1 + bar * 2, v1 + bar * 2.4, frame * 0.85)
    _shadow(canvas, u0 - bar * 2, v1 + bar * 2.4, u1 + bar * 2, v1 + bar * 3.6, 0.35)


def house_front(light, wide, tall, storey, px, rng, shop=None, base=None, night=False, sun_on=0.6, widest_px=1400):
    """A front ``wide`` x ``tall`` (street units) on a canvas of its own whose width is 1: returns that canvas.

    ``storey`` is the height of a floor, ``px`` the wanted size of a pixel in street units, held to ``widest_px``.
    """
    width_px = int(np.clip(wide / px, 24, widest_px))
    board = Canvas(width_px, max(24, int(width_px * tall / wide)), int(rng.integers(1 << 30)), wind=(0.0, 0.0))
    unit = 1 / wide
    kind = ("plaster", "plaster", "brick", "stone", "planks")[int(rng.integers(5))]
    base = hue(rng, HUES) if base is None and kind in ("plaster", "planks") else base
    albedo, relief = material(kind, board.u * wide * 0.33, board.v * wide * 0.33, rng, base)
    lit = light.sun * sun_on + light.ambient * (0.85 + 0.15 * (1 - board.v / board.aspect))[..., None]
    slope = cv2.Sobel(relief, cv2.CV_32F, 1, 1, ksize=3)
    lit = lit * (1 - np.clip(slope * 14, -0.3, 0.3))[..., None]
    stain = smooth(0.4, 2.2, fbm(board.u * 6 * wide, board.v * wide * 0.6, 1.0, 4, board.seed()))
    board.put(np.ones_like(board.u), albedo * lit * (1 - 0.22 * stain)[..., None], "rigid", 0.3)
    frame = srgb(("#efe9dc", "#5b3a28", "#2f4a40", "#33383f", "#d6cdb8")[int(rng.integers(5))]) * light.flat(
        0.4 * sun_on + 0.1
    )
    shutter = (
        srgb(("#3f6b52", "#7a3b2a", "#3b5673", "#b7a98c")[int(rng.integers(4))]) * light.flat(0.4 * sun_on + 0.1)
        if rng.random() < 0.4
        else None
    )
    storeys = max(1, int(round(tall / storey)))
    ground = tall - storey * 1.15
    columns = max(1, int(round(wide / (storey * rng.uniform(0.62, 0.95)))))
    pitch = wide / columns
    balcony = rng.random() < 0.35
    for floor in range(storeys - 1):
        top = tall - storey * 1.15 - (floor + 1) * storey + storey * 0.22
        if top < storey * 0.12:
            break
        for column in range(columns):
            cx = (column + 0.5) * pitch
            half = pitch * 0.23
            u0, v0, u1, v1 = (cx - half) * unit, top * unit, (cx + half) * unit, (top + storey * 0.56) * unit
            window_pane(board, light, u0, v0, u1, v1, frame, night and rng.random() < 0.45)
            if shutter is not None:
                for a, b in (
                    (u0 - half * 0.95 * unit, u0 - half * 0.14 * unit),
                    (u1 + half * 0.14 * unit, u1 + half * 0.95 * unit),
                ):
                    slats = 0.8 + 0.2 * np.sin(board.v / (unit * storey) * 110)
                    _rect(board, a, v0, b, v1, shutter * slats[..., None])
            if balcony and floor < 2:
                _rail(board, light, u0 - half * 0.7 * unit, v1, u1 + half * 0.7 * unit, storey * 0.3 * unit, rng)
    _rect(board, 0, 0, 1, storey * 0.1 * unit, hue(rng, ("#d9cfbd", "#8d8880")) * light.flat(0.5 * sun_on))
    _shadow(board, 0, storey * 0.1 * unit, 1, storey * 0.2 * unit, 0.4)
    _rect(board, 0, (ground - storey * 0.02) * unit, 1, (ground + storey * 0.05) * unit, frame * 0.8)
    if shop is None:
        shop = rng.random() < 0.7
    _ground_floor(board, light, ground, tall, storey, unit, rng, shop, night, frame, sun_on)
    board.rgb *= (1 - 0.3 * smooth(board.aspect * 0.86, board.aspect, board.v))[..., None]
    return board


def _rail(board, light, u0, v, u1, tall, rng):
    iron = srgb("#1c1d1f") * light.flat(0.3)
    sprite = Sprite(board)
    bars = np.linspace(u0, u1, 9)
    sprite.strokes(
        [[(b, v - tall), (b, v)] for b in bars] + [[(u0, v - tall), (u1, v - tall)], [(u0, v), (u1, v)]],
        [tall * 0.06] * 9 + [tall * 0.12] * 2,
        [iron] * 11,
    )
    sprite.put("rigid", 0.3)
    if rng.random() < 0.6:
        box = Sprite(board)
        count = 40
        x, y = rng.uniform(u0, u1, count), v - tall * rng.uniform(0.5, 1.15, count)
        green = mix(srgb("#2f5a22"), srgb("#86a83e"), rng.random(count)) * light.flat(0.4)
        petals = rng.random(count) < 0.3
        green[petals] = srgb(("#c8283c", "#e58aa8", "#f2e6e0")[int(rng.integers(3))]) * light.flat(0.5)
        box.leaves(x, y, np.full(count, max(tall * 0.3, 2.2 * board.px)), rng.uniform(0, 6.28, count), green, 0.6)
        box.put("foliage", 0.3, mobility=0.5)


def _ground_floor(board, light, ground, tall, storey, unit, rng, shop, night, frame, sun_on):
    foot = tall - storey * 0.06
    wide = 1 / unit
    door = storey * 0.42
    door_at = rng.uniform(0.1, 0.9) * (wide - door)
    panel = srgb(("#2a4a3c", "#5a2320", "#26384f", "#3a2a20", "#7a6a4a")[int(rng.integers(5))]) * light.flat(
        0.35 * sun_on + 0.1
    )
    top = (ground + storey * 0.3) * unit
    if shop:
        _rect(board, 0.02, (ground + storey * 0.06) * unit, 0.98, foot * unit, panel)
        _rect(board, 0.04, top, 0.96, (foot - storey * 0.16) * unit, srgb("#14171a") * (light.ambient + 0.05))
        inside = np.float32([1.0, 0.66, 0.34]) * np.float32(0.75 if night else 0.22)
        t = np.clip((board.v - top) / (storey * 0.6 * unit), 0, 1)
        glow = smooth(-1.0, 1.4, fbm(board.u, board.v, 5.0, 4, board.seed())) * (0.4 + 0.6 * t)
        for pane in range(3):
            a = 0.05 + pane * 0.3
            sky = mix(light.horizon, light.zenith, 0.3) * (0.05 if night else 0.22) * (1 - t)[..., None]
            _rect(board, a, top + 0.008, a + 0.29, (foot - storey * 0.18) * unit, inside * glow[..., None] + sky)
            for _ in range(6):
                x, w = rng.uniform(a + 0.02, a + 0.25), rng.uniform(0.015, 0.04)
                h = rng.uniform(0.08, 0.3) * storey * unit
                _rect(
                    board,
                    x,
                    (foot - storey * 0.2) * unit - h,
                    x + w,
                    (foot - storey * 0.2) * unit,
                    hue(rng) * (inside + light.ambient * 0.25),
                )
        _rect(board, 0.03, (ground + storey * 0.08) * unit, 0.97, (ground + storey * 0.27) * unit, panel * 0.8)
        text(
            board,
            WORDS[int(rng.integers(len(WORDS)))],
            0.5,
            (ground + storey * 0.235) * unit,
            storey * 0.12 * unit,
            srgb(("#f0e2b8", "#ffffff", "#e3b23a")[int(rng.integers(3))]) * (light.flat(0.5) + (0.8 if night else 0)),
            width=0.85,
        )
    a, b = door_at * unit, (door_at + door) * unit
    _rect(board, a - 0.1 * door * unit, (foot - storey * 0.76) * unit, b + 0.1 * door * unit, foot * unit, frame)
    _rect(board, a, (foot - storey * 0.72) * unit, b, foot * unit, panel * 0.75)
    for k in range(2):
        _rect(
            board,
            a + 0.12 * door * unit,
            (foot - storey * (0.36 + 0.32 * k)) * unit,
            b - 0.12 * door * unit,
            (foot - storey * (0.08 + 0.32 * k)) * unit,
            panel * 1.15 if k == 0 else srgb("#20262b") * light.flat(0.3),
        )
    if not shop and wide - door > storey:
        for cx in np.arange(storey * 0.5, wide - storey * 0.3, storey * 0.9):
            if abs(cx - door_at - door / 2) > storey * 0.55:
                window_pane(
                    board,
                    light,
                    (cx - storey * 0.2) * unit,
                    (foot - storey * 0.75) * unit,
                    (cx + storey * 0.2) * unit,
                    (foot - storey * 0.25) * unit,
                    frame,
                    night and rng.random() < 0.5,
                )


def stand(canvas, board, corners, depths, veil=None, shade=1.0, kind_override=None):
    """Put a board on the quadrilateral ``corners`` (top left, top right, bottom right, bottom left; in widths)."""
    h, w = board.rgb.shape[:2]
    source = np.float32([(0, 0), (w, 0), (w, h), (0, h)])
    target = np.float32(corners) / np.float32(canvas.px)
    left, top = np.floor(target.min(0)).astype(int)
    right, bottom = np.ceil(target.max(0)).astype(int)
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, canvas.width_px), min(bottom, canvas.height_px)
    if right - left < 1 or bottom - top < 1:
        return
    matrix = cv2.getPerspectiveTransform(source, target - np.float32([left, top]))
    size = (right - left, bottom - top)
    # Where the board is shrunk, soften it first: warping reads single pixels.
    shrink = np.sqrt(h * w / max(cv2.contourArea(target), 1.0))
    rgb = blur(board.rgb, 0.45 * (shrink - 1)) if shrink > 1.4 else board.rgb
    rgb = cv2.warpPerspective(rgb, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(alpha, np.round((target - np.float32([left, top])) * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    classes = cv2.warpPerspective(board.classes, matrix, size, flags=cv2.INTER_NEAREST)
    at = (slice(top, bottom), slice(left, right))
    t = np.clip((canvas.u[at] - corners[0][0]) / (corners[1][0] - corners[0][0] + 1e-9), 0, 1)
    depth = depths[0] + (depths[1] - depths[0]) * t
    colour = rgb * np.asarray(shade, np.float32)
    if veil is not None:
        colour = mix(colour, veil[0], veil[1] * smooth(0, 1, depth))
    canvas.put(alpha.astype(np.float32) / 255, colour, "rigid", depth, at)
    green = (classes == CLASS_INDEX["foliage"]) & (alpha > 128)
    if green.any():
        canvas.label(
            green,
            "foliage",
            depth,
            at,
            mobility=0.5,
            sway=np.array([0.0006, 0.0003j]) * (0.4 + canvas.wind_strength),
            profile="leaf",
        )


def skyline(canvas, light, base_v, tallest, depth=0.8, veil=0.5, night=False, count=22, range_u=(-0.05, 1.05)):
    """A row of distant houses and towers standing on ``base_v``."""
    rng = np.random.default_rng(canvas.seed())
    xs = np.sort(rng.uniform(*range_u, count))
    order = rng.permutation(count)
    for index in order:
        wide = rng.uniform(0.03, 0.09)
        tall = tallest * rng.uniform(0.25, 1.0) * (1.0 if rng.random() < 0.7 else 0.6)
        u0 = xs[index]
        base = hue(rng)
        sun_on = 0.75 if rng.random() < 0.5 else 0.2
        at = canvas.window(u0, base_v - tall, u0 + wide, base_v)
        u, v = canvas.u[at], canvas.v[at]
        if u.size == 0:
            continue
        rows, columns = max(3, tall / 0.012), max(2, wide / 0.009)
        x, y = (u - u0) / wide * columns, (v - base_v + tall) / tall * rows
        pane = smooth(0.16, 0.26, np.minimum(np.modf(x)[0], 1 - np.modf(x)[0])) * smooth(
            0.16, 0.26, np.minimum(np.modf(np.abs(y))[0], 1 - np.modf(np.abs(y))[0])
        )
        key = np.modf(np.abs(np.sin(np.floor(x) * 12.9 + np.floor(y) * 78.2 + index) * 43758.5))[0]
        wall = base * light.flat(sun_on) * (0.9 + 0.1 * (1 - (v - base_v + tall) / tall))[..., None]
        glass = mix(srgb("#20262c") * light.flat(0.3), light.horizon * 0.7, key * 0.6)
        if night:
            glass = np.where((key > 0.62)[..., None], np.float32([1.1, 0.72, 0.34]) * (0.4 + key[..., None]), glass)
        colour = mix(mix(wall, glass, pane * 0.85), light.haze, veil * (0.7 + 0.3 * rng.random()))
        edge = np.minimum(np.minimum(u - u0, u0 + wide - u), v - (base_v - tall))
        canvas.put(np.clip(edge / canvas.px + 0.5, 0, 1), colour, "rigid", depth, at)


def road(canvas, light, horizon_v, eye, vanish_u, half_width, surface="cobbles", start_v=None, grain=4.0):
    """The ground of a street: roadway between pavements, in perspective; one unit of length is about ten metres,
    ``grain`` scales the surface's pattern."""
    start_v = horizon_v if start_v is None else start_v
    top = int(np.clip(start_v * canvas.width_px, 0, canvas.height_px - 1))
    at = (slice(top, None), slice(None))
    u, v = canvas.u[at], canvas.v[at]
    z = eye / np.maximum(v - horizon_v, canvas.px)
    x = (u - vanish_u) * z
    rng = canvas.rng
    # A pattern finer than a pixel fades into its mean colour.
    soften = np.clip(1.4 - z * z * canvas.px * grain * 7 / eye, 0, 1)
    albedo, relief = material(surface, x * grain, z * grain, rng)
    plain = albedo.reshape(-1, 3).mean(0)
    albedo = mix(plain, albedo, soften)
    side, _ = material("floor_tiles", x * 2.5, z * 2.5, rng, srgb("#a59d90"), 4.0)
    pavement = smooth(-0.01, 0.01, np.abs(x) - half_width)
    albedo = mix(albedo, mix(srgb("#99948a"), side, 0.25 * soften), pavement)
    edge = smooth(0.06, 0.03, np.abs(np.abs(x) - half_width - 0.03))
    albedo = mix(albedo, srgb("#b9b3a6"), edge * 0.8)
    bump = np.clip((relief - relief.mean()) / (relief.std() + 1e-6), -2, 2) * soften * (1 - pavement)
    lit = light.sun * (0.72 * max(light.sun_to[1], 0.08) + 0.1) + light.ambient
    stain = fbm(x * 0.4, z * 0.15, 1.0, 4, canvas.seed())
    colour = albedo * lit * (1 + 0.16 * bump + 0.10 * stain)[..., None]
    colour = mix(colour, light.haze, np.clip(z / 60, 0, 0.6) * light.haze_density)
    canvas.put(np.ones_like(u), colour, "rigid", np.clip(np.log(z) / 4, 0.02, 0.95), at)
    return at, x, z
