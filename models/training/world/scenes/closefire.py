"""Fire seen so close that its flames fill much of the picture."""

import numpy as np

from ..backdrops import backdrop, soften
from ..fire import embers, flames, halo, sparks, thrown_light
from ..light import light_at, mix, smooth, srgb
from ..materials import material, paint_surface
from ..noise import fbm
from ..vapour import plume
from .hearths import log

FIRES = ("tipi", "crossed", "cabin", "pile", "stove", "grill", "torch")


def fire_close(canvas, style):
    """A camp fire, bonfire, stove, grill or torch near the lens, by night or by day."""
    rng = canvas.rng
    kind = style.pick("fire", FIRES, (0.2, 0.18, 0.12, 0.2, 0.12, 0.1, 0.08))
    dark = style.chance("dark", 0.62) or kind == "stove"
    light = light_at("night" if dark else style.pick("time", ("day", "overcast", "dusk")), rng)
    canvas.exposure = style.between("exposure", 0.8, 1.3) * (0.75 if dark else 1.0)
    behind = style.pick("behind", ("leaves", "street", "wall", "white", "clear"), (0.4, 0.15, 0.25, 0.1, 0.1))
    backdrop(canvas, light, "dark" if dark and rng.random() < 0.6 else behind, style.between("focus", 0.01, 0.03))
    x = style.between("fire_u", 0.35, 0.65)
    base_v = style.between("fire_v", 0.72, 1.0) * canvas.aspect
    width = style.between("width", 0.55, 1.6)
    height = style.between("height", 0.55, 1.5) * canvas.aspect
    if kind == "torch":
        width, base_v = width * 0.45, style.between("torch_v", 0.7, 0.85) * canvas.aspect
        _torch(canvas, light, x, base_v, width)
    elif kind == "stove":
        _chamber(canvas, light)
    else:
        _hearth_floor(canvas, light, rng, base_v - 0.12 * width, dark)
    if kind != "torch" and style.chance("smoke", 0.4):
        plume(
            canvas,
            light,
            x,
            base_v - height * 0.6,
            canvas.aspect * 0.9,
            width * 0.4,
            0.6,
            style.between("smoke_density", 0.15, 0.6),
            (0.5, 0.5, 0.52),
            glow=(0.5, 0.2, 0.06),
            speed=0.06,
            depth=0.35,
        )
    wood = [] if kind == "torch" else _logs(kind, rng, x, base_v, width)
    front = int(len(wood) * rng.uniform(0.3, 0.7))
    for piece in wood[front:]:
        _burning_log(canvas, light, rng, piece)
    if kind != "torch":
        embers(canvas, x, base_v, width * 1.1, width * 0.2, 0.2, style.between("embers", 0.6, 1.6))
    bright = style.between("bright", 1.0, 2.7)
    pace = style.between("pace", 0.7, 1.2)
    body = flames(canvas, x, base_v, width, height, 0.22, None, bright, pace=pace)
    for _ in range(int(style.between("more", 0.3, 2.2))):
        tongue = width * rng.uniform(0.3, 0.7), height * rng.uniform(0.4, 0.9)
        at = x + width * rng.uniform(-0.4, 0.4), base_v + rng.uniform(-0.03, 0.02)
        np.maximum(body, flames(canvas, *at, *tongue, 0.2, None, bright, pace=pace), out=body)
    for piece in wood[:front]:
        _burning_log(canvas, light, rng, piece)
    if wood:
        low = flames(canvas, x, base_v + 0.05 * width, width * 0.8, height * 0.3, 0.15, 7, bright, pace=0.8 * pace)
        np.maximum(body, low, out=body)
        thrown_light(canvas, x, base_v, width * 0.35, style.between("thrown", 0.02, 0.07) * (1.0 if dark else 0.3))
    if kind == "grill":
        _bars(canvas, light, rng, base_v - height * rng.uniform(0.1, 0.35))
    canvas.glow(smooth(0.5, 1.1, body), (1.0, 0.42, 0.1), 0.05, 0.5 if dark else 0.15)
    halo(canvas, x, base_v - height * 0.3, 0.5, 0.16 if dark else 0.03)
    if style.chance("sparks", 0.55):
        sparks(canvas, x, base_v - height * 0.3, width, height, int(style.between("spark_count", 10, 110)), 0.2)
    canvas.lens(bloom=0.1)
    if style.chance("unsharp", 0.2):
        soften(canvas, 0.004)


def _logs(kind, rng, x, base_v, width):
    """Places of the logs, the nearest first: (u, v, length, thickness, angle)."""
    thick = width * rng.uniform(0.1, 0.2)
    if kind == "tipi":
        leans = np.sort(rng.uniform(-0.7, 0.7, int(rng.integers(4, 8))))
        rng.shuffle(leans)
        return [
            (x + 0.32 * width * lean / 0.7, base_v - width * 0.2, width * 0.75, thick, np.pi / 2 + lean * 0.9)
            for lean in leans
        ]
    if kind == "crossed":
        leans = [(-1) ** k * rng.uniform(0.2, 0.6) for k in range(int(rng.integers(3, 6)))]
        return [
            (x + rng.normal(0, 0.08) * width, base_v - thick * 0.5 * k, width * 1.1, thick, lean)
            for k, lean in enumerate(leans)
        ]
    if kind == "cabin":
        rows = int(rng.integers(2, 5))
        return [
            (x + 0.05 * width * (-1) ** k, base_v + thick * (0.4 - 0.8 * k), width * 0.95, thick, rng.normal(0, 0.05))
            for k in range(rows)
        ]
    count = int(rng.integers(4, 9))
    return [
        (
            x + rng.normal(0, 0.28) * width,
            base_v + width * rng.uniform(-0.12, 0.1),
            width * rng.uniform(0.5, 0.9),
            thick * rng.uniform(0.7, 1.2),
            rng.normal(0, 0.6),
        )
        for _ in range(count)
    ]


def _burning_log(canvas, light, rng, piece):
    """A log, its charred face cracked into blocks that glow along their edges."""
    u, v, length, thick, angle = piece
    log(canvas, light, u, v, length, thick, angle, rng.uniform(0.1, 0.5), 0.2)
    reach = 0.6 * length
    at = canvas.window(u - reach, v - reach, u + reach, v + reach)
    x, y = canvas.u[at], canvas.v[at]
    if x.size == 0:
        return
    along, across = canvas.turned(at, u, v, angle)
    along, across = along / length, across / (thick * 0.5)
    inside = smooth(0.5, 0.47, np.abs(along)) * smooth(1.0, 0.9, np.abs(across))
    noise = fbm(x, y, 1 / thick, 3, canvas.seed())
    middle = rng.uniform(-0.4, 0.4)
    burnt = inside * smooth(0.45, 0.15, np.abs(along - middle) + 0.06 * noise)
    crack = np.abs(fbm(along * length, across * thick * 0.5, 0.9 / thick, 3, canvas.seed()))
    glow = burnt * smooth(0.22, 0.0, crack) * smooth(-0.3, 0.9, noise + 0.6 * across) * rng.uniform(0.3, 1.5)
    char = srgb("#1a1614") * (0.5 + 0.7 * crack)[..., None] * light.flat(0.4)
    canvas.rgb[at] += (char - canvas.rgb[at]) * (0.85 * burnt)[..., None]
    canvas.rgb[at] += glow[..., None] * np.float32([2.4, 0.5, 0.07])
    np.copyto(canvas.light[at], np.float32(0.5), where=(glow > 0.12) & (canvas.classes[at] == 0))


def _hearth_floor(canvas, light, rng, edge_v, dark):
    """Ground of ash, earth, sand, stones or grass-brown soil around the fire, seen from above."""
    below = np.maximum(canvas.v - edge_v, 0)
    z = 0.6 / (below + 0.3)
    name = str(rng.choice(["pebbles", "concrete", "cobbles", "asphalt"]))
    albedo, relief = material(name, (canvas.u - 0.5) * z, z, rng)
    ash = fbm(canvas.u, canvas.v * 2, 6, 4, canvas.seed())
    albedo = mix(albedo, srgb("#6a625a") * (1 + 0.2 * ash[..., None]), 0.6 * smooth(0.2, -0.8, ash))
    lit = light.on_relief(relief.astype(np.float32), canvas.px, 0.5, 0.4)
    alpha = smooth(-0.01, 0.02, canvas.v - edge_v)
    canvas.put(alpha, albedo * lit * (0.5 if dark else 0.7), "rigid", np.clip(0.6 - 0.8 * below, 0.1, 1))


def _chamber(canvas, light):
    """The sooty inside of a stove or a fireplace around the fire, with a warm light on its bricks."""
    paint_surface(canvas, light, "brick", depth=0.35, zoom=1.4)
    canvas.rgb *= np.float32(0.25)
    warm = np.exp(-2.5 * np.hypot(canvas.u - 0.5, canvas.v - canvas.aspect * 0.75))
    bricks = fbm(canvas.u, canvas.v, 9, 4, canvas.seed())
    canvas.rgb += (warm * (0.07 + 0.02 * bricks))[..., None] * np.float32([1.0, 0.36, 0.1])
    np.copyto(canvas.light, (0.6 * warm).astype(np.float32))


def _torch(canvas, light, x, base_v, width):
    """The shaft and the bowl of a torch."""
    fall = np.clip((canvas.v - base_v) / 0.12, 0, 1)
    half = width * (0.5 - 0.32 * np.sqrt(fall))
    side = np.clip((canvas.u - x) / half, -1, 1)
    alpha = np.clip((half - np.abs(canvas.u - x)) / canvas.px + 0.5, 0, 1) * smooth(-0.01, 0.0, canvas.v - base_v)
    lit = np.sqrt(np.maximum(1 - side**2, 0))[..., None] * light.flat(0.5)
    lit = lit + np.exp(-6 * fall)[..., None] * np.float32([0.25, 0.09, 0.02])
    canvas.put(alpha, srgb("#7a5a3c") * (0.15 + lit), "rigid", 0.2)


def _bars(canvas, light, rng, top_v):
    """The grate of a grill before the flames."""
    pitch, tilt = rng.uniform(0.05, 0.11), rng.normal(0, 0.25)
    rows = (canvas.v - top_v) / (0.4 + 0.6 * np.clip(canvas.v, 0, 1))
    cross = np.abs(((canvas.u + tilt * canvas.v) / pitch) % 1 - 0.5) * pitch
    alpha = np.clip((0.006 - cross) / canvas.px + 0.5, 0, 1) * (rows > 0) * (rows < rng.uniform(0.12, 0.3))
    rim = np.clip((0.01 - np.abs(canvas.v - top_v)) / canvas.px + 0.5, 0, 1)
    colour = srgb("#2b2a2a") * light.flat(0.5) + np.float32([0.06, 0.02, 0.005])
    canvas.put(np.maximum(alpha, rim), colour, "rigid", 0.12)
