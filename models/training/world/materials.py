"""Surfaces: walls, woods, stones, floors and fabrics as colour (linear albedo) and relief.

Each material is a function of positions ``x, y`` (widths, or any unit in which the whole surface is about 1 across)
and returns (albedo H x W x 3, relief in the same unit).
"""

import numpy as np

from .light import mix, smooth, srgb
from .noise import cells, fbm, warp

WALLS = ("brick", "plaster", "planks", "stone", "tiles", "concrete")
CLOSE_UPS = (
    "brick",
    "plaster",
    "planks",
    "wood",
    "stone",
    "tiles",
    "concrete",
    "carpet",
    "cobbles",
    "asphalt",
    "rock",
    "sand",
    "setts",
    "bark",
    "metal",
    "rust",
    "knit",
    "pebbles",
    "paper",
    "marble",
    "leather",
    "floor_tiles",
    "weave",
)

HUES = (
    "#a0492f",
    "#b98b5e",
    "#c8b48a",
    "#7d8a8f",
    "#d9cfbd",
    "#8f6b4a",
    "#5f6f5a",
    "#b7744f",
    "#e3dccd",
    "#6b6f7a",
    "#c98a6a",
    "#a9b7a0",
    "#dcbf8c",
    "#93a6b5",
    "#c4a4a0",
)


def hue(rng, names=HUES):
    return srgb(names[int(rng.integers(len(names)))]) * np.float32(rng.uniform(0.75, 1.15))


def _colour(albedo, tone, amount):
    return np.maximum(albedo * (1 + np.float32(amount) * tone)[..., None], 0)


def _grid(x, y, columns, rows, shift=0.5):
    """Courses of bricks: position inside the brick (0..1, 0..1) and a random value per brick."""
    row = np.floor(y * rows)
    column = np.floor(x * columns + shift * (row % 2))
    inside_x = x * columns + shift * (row % 2) - column
    inside_y = y * rows - row
    tone = np.modf(np.abs(np.sin(column * 127.1 + row * 311.7) * 43758.5))[0].astype(np.float32)
    return inside_x, inside_y, tone


def _joint(inside_x, inside_y, width_x, width_y):
    near = np.minimum(np.minimum(inside_x, 1 - inside_x) / width_x, np.minimum(inside_y, 1 - inside_y) / width_y)
    return smooth(0.35, 1.0, near)


def brick(x, y, rng, base=None, scale=8.0):
    base = hue(rng, HUES[:6]) if base is None else base
    seed = int(rng.integers(1 << 30))
    fine = fbm(x, y, scale * 5, 4, seed)
    bx, by, tone = _grid(x + 0.002 * fine / scale, y + 0.002 * fine / scale, scale, scale * 3.1)
    solid = _joint(bx, by, 0.045, 0.12)
    albedo = _colour(np.broadcast_to(base, x.shape + (3,)), (tone - 0.5) * 0.9 + 0.2 * fine, 0.5)
    mortar = mix(srgb("#b9b0a2"), base, 0.15)
    return mix(mortar * (1 + 0.12 * fine)[..., None], albedo, solid), (solid * 0.012 + 0.003 * fine) / scale * 6


def plaster(x, y, rng, base=None, scale=3.0):
    base = hue(rng) if base is None else base
    seed = int(rng.integers(1 << 30))
    stain = fbm(x, y * 0.5, scale * 0.8, 4, seed)
    grain = fbm(x, y, scale * 16, 4, seed + 1, gain=0.65)
    worn = smooth(1.3, 2.0, fbm(x, y, scale * 1.2, 5, seed + 2) + 0.2 * grain) * (rng.random() < 0.5)
    albedo = mix(_colour(np.broadcast_to(base, x.shape + (3,)), stain, 0.09), srgb("#a89a86"), worn * 0.7)
    return _colour(albedo, grain, 0.035), (grain * 0.00028 - worn * 0.003) * 3 / scale


def concrete(x, y, rng, base=None, scale=3.0):
    return plaster(x, y, rng, srgb("#9b9890") * np.float32(rng.uniform(0.6, 1.1)) if base is None else base, scale)


def _grain(x, y, seed, scale):
    """Wood along y: rings cut lengthwise."""
    wx, wy = warp(x * scale, y * scale * 0.12, 0.8, 0.25, seed)
    rings = np.sin((wx * 5 + fbm(wx, wy, 0.9, 3, seed + 1) * 1.1) * 6.28)
    pores = fbm(x * scale * 6, y * scale * 0.16, 3, 3, seed + 2)
    return rings, pores


def wood(x, y, rng, base=None, scale=3.0):
    base = srgb(("#8a5a34", "#b07d4a", "#5d3a22", "#c9a06a", "#6e4a30")[int(rng.integers(5))]) if base is None else base
    rings, pores = _grain(x, y, int(rng.integers(1 << 30)), scale)
    albedo = _colour(np.broadcast_to(base, x.shape + (3,)), 0.17 * rings + 0.14 * pores, 1.0)
    return albedo, (0.0006 * rings + 0.0007 * pores) * 3 / scale


def planks(x, y, rng, base=None, scale=6.0):
    base = srgb(("#8a5a34", "#a9805a", "#6a4a34", "#b8a58c", "#7d7468")[int(rng.integers(5))]) if base is None else base
    seed = int(rng.integers(1 << 30))
    column = np.floor(x * scale)
    inside = x * scale - column
    tone = np.modf(np.abs(np.sin(column * 57.3) * 9173.7))[0].astype(np.float32)
    rings, pores = _grain(x + column * 3.7, y + column * 1.3, seed, scale * 0.8)
    gap = smooth(0.0, 0.035, np.minimum(inside, 1 - inside))
    albedo = _colour(np.broadcast_to(base, x.shape + (3,)), 0.14 * rings + 0.16 * pores + 0.5 * (tone - 0.5), 1.0)
    return albedo * (0.25 + 0.75 * gap)[..., None], gap * 0.03 / scale + (0.003 * rings + 0.004 * pores) / scale


def stone(x, y, rng, base=None, scale=6.0):
    """A wall of rough blocks."""
    base = hue(rng, ("#8f8a80", "#a89f8d", "#7a7672", "#b5a78c", "#6f7276")) if base is None else base
    seed = int(rng.integers(1 << 30))
    wx, wy = warp(x, y, scale, 0.06 / scale, seed)
    _, border, tone = cells(wx, wy * 1.5, scale, seed + 2)
    fine = fbm(x, y, scale * 2, 6, seed + 3, gain=0.6)
    solid = smooth(0.03, 0.16, border)
    albedo = _colour(np.broadcast_to(base, x.shape + (3,)), (tone - 0.5) * 0.7 + 0.16 * fine, 1.0)
    return mix(base * 0.45, albedo, solid), (np.sqrt(np.minimum(border, 0.6)) * 0.10 + 0.014 * fine) / scale


def cobbles(x, y, rng, base=None, scale=12.0):
    return stone(x, y * 0.75, rng, hue(rng, ("#77736c", "#8b8375", "#65676b")) if base is None else base, scale)


def setts(x, y, rng, base=None, scale=9.0):
    """Paving of small worn stones laid in courses."""
    base = hue(rng, ("#8a8378", "#77736c", "#94897a")) if base is None else base
    seed = int(rng.integers(1 << 30))
    wobble = fbm(x, y, scale * 0.8, 2, seed)
    bx, by, tone = _grid(x + 0.05 / scale * wobble, y + 0.10 / scale * wobble, scale, scale * 1.15)
    fine = fbm(x, y, scale * 4, 4, seed + 1, gain=0.6)
    near = np.minimum(np.minimum(bx, 1 - bx), np.minimum(by, 1 - by) * 1.1) + 0.02 * fine
    top = smooth(0.02, 0.22, near)
    albedo = _colour(np.broadcast_to(base, x.shape + (3,)), 0.55 * (tone - 0.5) + 0.10 * fine, 1.0)
    return mix(base * 0.42, albedo, smooth(0.02, 0.1, near)), (top * 0.12 + 0.01 * fine) / scale


def pebbles(x, y, rng, base=None, scale=11.0):
    seed = int(rng.integers(1 << 30))
    near, border, tone = cells(x, y, scale, seed)
    fine = fbm(x, y, scale * 3, 4, seed + 1)
    colours = mix(srgb("#6f6a63"), srgb("#c9bfae"), tone)
    colours = mix(colours, srgb("#8a5f48"), smooth(0.82, 0.9, np.modf(tone * 7.3)[0]))
    dome = np.sqrt(np.maximum(0.0, 1 - (near / 0.75) ** 2)) * smooth(0.0, 0.25, border)
    return _colour(colours, 0.1 * fine, 1.0) * (0.3 + 0.7 * smooth(0, 0.3, border))[..., None], dome * 0.32 / scale


def tiles(x, y, rng, base=None, scale=7.0):
    base = hue(rng) if base is None else base
    other = hue(rng)
    tx, ty, tone = _grid(x, y, scale, scale * rng.choice([1.0, 2.0]), shift=rng.choice([0.0, 0.5]))
    solid = _joint(tx, ty, 0.04, 0.04)
    fine = fbm(x, y, scale * 2, 4, int(rng.integers(1 << 30)))
    albedo = mix(base, other, (tone > 0.7).astype(np.float32) * rng.choice([0.0, 0.6, 1.0]))
    albedo = _colour(albedo, 0.06 * fine + 0.14 * (tone - 0.5), 1.0)
    return mix(srgb("#8d8880"), albedo, solid), solid * 0.012 / scale + 0.0004 * fine


def floor_tiles(x, y, rng, base=None, scale=6.0):
    base, other = hue(rng) if base is None else base, hue(rng)
    column, row = np.floor(x * scale), np.floor(y * scale)
    check = ((column + row) % 2).astype(np.float32)
    fine = fbm(x, y, scale, 5, int(rng.integers(1 << 30)))
    joint = _joint(x * scale - column, y * scale - row, 0.03, 0.03)
    return _colour(mix(base, other, check), 0.08 * fine, 1.0) * (0.5 + 0.5 * joint)[..., None], joint * 0.008 / scale


def asphalt(x, y, rng, base=None, scale=4.0):
    seed = int(rng.integers(1 << 30))
    base = srgb("#4a4a4c") * np.float32(rng.uniform(0.6, 1.3)) if base is None else base
    fine = fbm(x, y, scale * 14, 4, seed, gain=0.75)
    patch = fbm(x, y, scale * 0.5, 4, seed + 1)
    crack = smooth(0.035, 0.0, np.abs(fbm(x, y, scale * 0.5, 5, seed + 2))) * smooth(0.2, 1.0, patch)
    return _colour(np.broadcast_to(base, x.shape + (3,)), 0.16 * fine + 0.12 * patch - 0.6 * crack, 1.0), 0.0009 * fine


def carpet(x, y, rng, base=None, scale=4.0):
    base, other = hue(rng) if base is None else base, hue(rng)
    seed = int(rng.integers(1 << 30))
    grain = fbm(x, y, scale * 20, 3, seed, gain=0.8)
    pattern = smooth(-0.1, 0.1, np.sin(x * scale * 6.28) * np.sin(y * scale * 6.28) + rng.uniform(-0.5, 0.5))
    return _colour(mix(base, other, pattern * rng.choice([0, 0.8])), 0.12 * grain, 1.0), 0.0012 * grain


def rock(x, y, rng, base=None, scale=2.0):
    base = hue(rng, ("#6e6a64", "#857a6c", "#5c5e60", "#8c7460", "#777d78")) if base is None else base
    seed = int(rng.integers(1 << 30))
    wx, wy = warp(x, y, scale, 0.12 / scale, seed)
    ridges = fbm(wx, wy * 1.4, scale, 8, seed + 2, gain=0.55, shape="ridged")
    _, border, tone = cells(wx, wy * 1.5, scale * 2.3, seed + 3)
    layers = fbm(wx * 0.3, wy * 2.4, scale * 2.5, 6, seed + 4, gain=0.6)
    albedo = _colour(
        np.broadcast_to(base, x.shape + (3,)), 0.2 * layers + 0.35 * (tone - 0.5) + 0.5 * (ridges - 0.5), 1.0
    )
    lichen = smooth(1.1, 1.7, fbm(x, y, scale * 3, 5, seed + 6))
    albedo = mix(albedo, srgb("#8f9468"), lichen * 0.45)
    return albedo, (0.14 * ridges + 0.05 * smooth(0, 0.18, border) + 0.016 * layers) / scale


def sand(x, y, rng, base=None, scale=5.0):
    base = srgb("#cdb387") * np.float32(rng.uniform(0.8, 1.1)) if base is None else base
    seed = int(rng.integers(1 << 30))
    wx, wy = warp(x, y, scale * 0.4, 0.25 / scale, seed)
    ripples = np.sin(wy * scale * 22 + 2 * fbm(wx, wy, scale * 0.6, 2, seed + 2))
    grain = fbm(x, y, scale * 22, 3, seed + 3, gain=0.8)
    return _colour(np.broadcast_to(base, x.shape + (3,)), 0.07 * grain + 0.03 * ripples, 1.0), (
        0.012 * ripples + 0.004 * grain
    ) / scale


def bark(x, y, rng, base=None, scale=5.0):
    base = srgb("#5a4636") * np.float32(rng.uniform(0.7, 1.3)) if base is None else base
    seed = int(rng.integers(1 << 30))
    wx, wy = warp(x, y * 0.35, scale, 0.1 / scale, seed)
    ridges = fbm(wx, wy, scale * 1.6, 6, seed + 2, gain=0.55, shape="ridged")
    return _colour(np.broadcast_to(base, x.shape + (3,)), 1.5 * (ridges - 0.5), 1.0), 0.16 * ridges / scale


def metal(x, y, rng, base=None, scale=4.0):
    base = srgb("#9aa0a6") * np.float32(rng.uniform(0.5, 1.1)) if base is None else base
    seed = int(rng.integers(1 << 30))
    brushed = fbm(x * 0.05, y, scale * 30, 4, seed, gain=0.8)
    sheen = fbm(x, y, 0.7, 2, seed + 1)
    return _colour(np.broadcast_to(base, x.shape + (3,)), 0.10 * brushed + 0.3 * sheen, 1.0), 0.0003 * brushed


def rust(x, y, rng, base=None, scale=4.0):
    seed = int(rng.integers(1 << 30))
    paint = hue(rng) if base is None else base
    wx, wy = warp(x, y, scale, 0.12 / scale, seed)
    field = fbm(wx, wy, scale * 0.6, 7, seed + 2, gain=0.6)
    fine = fbm(x, y, scale * 8, 4, seed + 3)
    eaten = smooth(0.1, 0.5, field)
    return mix(
        _colour(np.broadcast_to(paint, x.shape + (3,)), 0.05 * fine, 1),
        _colour(mix(srgb("#6b2f14"), srgb("#b0622a"), smooth(-1, 1.5, fine)), 0.2 * fine, 1),
        eaten,
    ), (0.006 * (1 - eaten) + 0.003 * fine * eaten) / scale


def knit(x, y, rng, base=None, scale=22.0):
    base = hue(rng) if base is None else base
    column = np.floor(x * scale)
    inside = x * scale - column - 0.5
    row = y * scale * 1.3 + np.abs(inside) * 1.4
    stitch = (0.5 - np.abs(np.modf(np.abs(row))[0] - 0.5)) * (1 - (2 * inside) ** 2)
    fine = fbm(x, y, scale * 3, 3, int(rng.integers(1 << 30)))
    return _colour(np.broadcast_to(base, x.shape + (3,)), 1.3 * (stitch - 0.2) + 0.12 * fine, 0.8), 0.6 * stitch / scale


def weave(x, y, rng, base=None, scale=26.0):
    base, other = hue(rng) if base is None else base, hue(rng)
    over = np.sin(x * scale * 6.28) * np.sin(y * scale * 6.28) > 0
    warp_thread = np.abs(np.sin(x * scale * 6.28))
    weft_thread = np.abs(np.sin(y * scale * 6.28))
    height = np.where(over, warp_thread, weft_thread)
    band = smooth(0.2, 0.3, np.abs(np.sin(x * scale * 0.4))) * rng.choice([0, 1])
    return mix(base, other, band) * (0.45 + 0.55 * height)[..., None], 0.05 * height / scale


def paper(x, y, rng, base=None, scale=3.0):
    base = srgb("#e8e2d4") if base is None else base
    seed = int(rng.integers(1 << 30))
    crumple = fbm(x, y, scale, 6, seed, gain=0.45, shape="ridged")
    return _colour(
        np.broadcast_to(base, x.shape + (3,)), 0.04 * fbm(x, y, scale * 20, 3, seed + 1), 1.0
    ), 0.06 * crumple / scale * rng.choice([0.1, 1])


def marble(x, y, rng, base=None, scale=2.0):
    base = srgb(("#e9e6e1", "#3b4440", "#c9b8a5")[int(rng.integers(3))]) if base is None else base
    seed = int(rng.integers(1 << 30))
    wx, wy = warp(x, y, scale, 0.3 / scale, seed, 4)
    vein = smooth(0.16, 0.0, np.abs(fbm(wx, wy, scale, 6, seed + 2)))
    cloud = fbm(wx, wy, scale * 1.5, 5, seed + 3)
    return mix(_colour(np.broadcast_to(base, x.shape + (3,)), 0.08 * cloud, 1), 1 - base, vein * 0.45), np.zeros_like(x)


def leather(x, y, rng, base=None, scale=16.0):
    base = srgb(("#6a3c22", "#2c2524", "#8a5a38")[int(rng.integers(3))]) if base is None else base
    seed = int(rng.integers(1 << 30))
    wx, wy = warp(x, y, scale * 0.5, 0.3 / scale, seed)
    _, border, _ = cells(wx, wy, scale, seed + 2)
    _, fine, _ = cells(wx, wy, scale * 2.2, seed + 3)
    bump = smooth(0, 0.4, border) + 0.5 * smooth(0, 0.4, fine)
    return _colour(np.broadcast_to(base, x.shape + (3,)), 0.2 * (bump - 1), 1.0), 0.05 * bump / scale


def material(name, x, y, rng, base=None, scale=None):
    """(albedo, relief) of the material called ``name``."""
    surface = globals()[name]
    return surface(x, y, rng, base) if scale is None else surface(x, y, rng, base, scale)


def paint_surface(
    canvas,
    light,
    name,
    alpha=1.0,
    at=(slice(None), slice(None)),
    depth=0.3,
    base=None,
    scale=None,
    relief=1.0,
    zoom=1.0,
    shade=1.0,
    flat=False,
):
    """A wall of a material that faces the viewer, lit; ``zoom`` enlarges the pattern, ``shade`` (H x W) darkens it.

    ``flat`` lights it by sky light alone, as inside a house.
    """
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0 or min(u.shape) < 2:
        return
    albedo, height = material(name, u / zoom, v / zoom, canvas.rng, base, scale)
    lit = light.on_relief((height * zoom).astype(np.float32), canvas.px, relief, 0.35)
    if flat:
        lit = lit * 0.6 + light.ambient * 0.2
    colour = albedo * lit * np.asarray(shade, np.float32)[..., None]
    canvas.put(np.broadcast_to(np.float32(alpha), u.shape), colour, "rigid", depth, at)
