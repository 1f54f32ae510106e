"""Still and running water seen from near and above, so that it fills most of the picture."""

import cv2
import numpy as np

from ..light import blur, light_at, mix, smooth, srgb
from ..materials import material
from ..noise import cells, fbm, octaves_for, warp
from ..plants import GREENS, grass
from ..sprite import Sprite
from ..water import wave_slopes
from .outdoors import boulder

WATERS = ("pond", "puddle", "lake", "basin", "brook")
BODIES = ("#0d1a14", "#14261c", "#0a2a30", "#2a2a1c", "#1c3a44", "#3a3424", "#10181c")
BEDS = ("pebbles", "pebbles", "concrete", "asphalt", "setts")


def water_close(canvas, style):
    """A pond, puddle, lake or basin at one's feet, or a brook over stones."""
    rng = canvas.rng
    kind = style.pick("water", WATERS, (0.36, 0.14, 0.14, 0.12, 0.24))
    time = style.pick("time", ("day", "overcast", "golden", "dusk"), (0.4, 0.38, 0.14, 0.08))
    light = light_at(time, rng)
    canvas.exposure = style.between("exposure", 0.75, 1.35)
    horizon_v = -style.between("pitch", 0.12, 1.2)
    below = canvas.v - horizon_v
    z = 1 / below
    x, footprint = (canvas.u - 0.5) * z, z * z * canvas.px
    bed_name = "pebbles" if kind == "brook" else style.pick("bed", BEDS)
    zoom = style.between("bed_zoom", 1.2, 3.2)
    bed, relief = material(bed_name, x * zoom, z * zoom, rng)
    # Silt dulls the stones.
    silt = srgb(style.pick("silt", ("#6a5c48", "#4a4a40", "#7a7264", "#3c3a34")))
    bed = mix(bed, silt, style.between("silted", 0.2, 0.75))
    wet = bed * light.on_relief(relief.astype(np.float32), canvas.px, 0.4, 0.3)
    shore = _shore(canvas, style, kind)
    if kind == "brook":
        _brook(canvas, light, style, x, z, wet)
    else:
        _pool(canvas, light, style, kind, x, z, footprint, wet)
    _bank(canvas, kind, shore, wet)
    if kind in ("pond", "lake", "brook") and style.chance("grassy", 0.55):
        _grassy(canvas, light, style, shore)
    if kind in ("pond", "brook", "lake") and style.chance("stones", 0.5):
        _stones(canvas, light, rng, shore if kind != "brook" else np.zeros_like(shore))
    if style.chance("unsharp", 0.25):
        canvas.rgb[:] = np.maximum(blur(canvas.rgb, style.between("blur", 0.002, 0.006) / canvas.px), 0)
    canvas.lens()


def _mirrored(canvas, style, light):
    """What the water mirrors, upright: sky with clouds, masses of trees and dark trunks, a little out of focus."""
    rng = np.random.default_rng(canvas.seed())
    clouds = fbm(canvas.u, canvas.v, rng.uniform(1, 3), 4, canvas.seed())
    sky = mix(light.zenith, light.horizon, np.clip(0.5 + 0.6 * (canvas.aspect - canvas.v), 0, 1))
    sky = mix(sky, light.flat(0.35), smooth(0.0, 1.4, clouds + rng.uniform(-1, 1)))
    palette = str(rng.choice(["summer", "dark", "olive", "autumn"], p=(0.35, 0.33, 0.24, 0.08)))
    low, middle, _ = (srgb(c) for c in GREENS[palette])
    wx, wy = warp(canvas.u, canvas.v, 3, 0.05, canvas.seed())
    mass = fbm(wx, wy * 0.6, rng.uniform(1.2, 3.5), 5, canvas.seed(), gain=0.6)
    shade = mix(low * 0.15, middle, smooth(0, 2.2, mass)) * light.flat(0.2)
    cover = style.between("trees", -0.7, 1.8)
    trees = smooth(-0.15, 0.15, mass * 0.6 + cover - 1.5 * rng.uniform(-0.3, 1) * (0.5 - canvas.v))
    if rng.random() < 0.3:
        trunks = fbm(canvas.u + 0.02 * mass, canvas.v * 0.06, 7, 3, canvas.seed())
        trees = np.maximum(trees, smooth(0.9, 1.1, trunks))
    return blur(mix(sky, shade, trees), rng.uniform(0.002, 0.02) / canvas.px)


def _rings(canvas, rng, x, z, footprint, count, across, away):
    """Add the slopes of rings that drops or fish have left to ``across`` and ``away``."""
    near, far = float(z.min()), float(z.max())
    for _ in range(count):
        cx, cz = rng.uniform(float(x.min()), float(x.max())), rng.uniform(near, far)
        radius = rng.uniform(0.01, 0.16)
        length = rng.uniform(0.014, 0.03)
        dx, dz = x - cx, z - cz
        distance = np.hypot(dx, dz) + 1e-4
        packet = np.exp(-(((distance - radius) / (1.5 * length)) ** 2)) * np.sin(6.28 * (distance - radius) / length)
        packet *= rng.uniform(0.1, 0.3) * np.exp(-radius * 5) * smooth(0.4, 0.12, footprint / length)
        across += packet * dx / distance
        away += packet * dz / distance


def _shaken(canvas, picture, shift_u, shift_v):
    """``picture`` looked at with every position moved by so many widths."""
    limit = lambda field, size: np.clip(field / canvas.px - 0.5, -size, 2 * size).astype(np.float32)
    return cv2.remap(
        picture,
        limit(canvas.u + shift_u, canvas.width_px),
        limit(canvas.v + shift_v, canvas.height_px),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )


def _pool(canvas, light, style, kind, x, z, footprint, bed):
    """Still water: its bed or depth, the mirrored world, rings, algae and leaves afloat."""
    rng = np.random.default_rng(canvas.seed())
    calm = style.between("calm", 0, 1)
    slope = 0.008 + 0.06 * (1 - calm) ** 1.5 * (0.4 + canvas.wind_strength) + 0.03 * (kind == "basin")
    frequency = style.between("frequency", 3.0, 11.0)
    across, away, _ = wave_slopes(
        canvas, x, z, footprint, frequency, 4, canvas.seed(), slope, crest=style.between("crest", 0.5, 1.0)
    )
    rain = style.pick("rain", (0, 1, 2), (0.45, 0.25, 0.3))
    _rings(canvas, rng, x, z, footprint, (0, int(rng.integers(1, 4)), int(rng.integers(12, 34)))[rain], across, away)
    mirror = _mirrored(canvas, style, light)
    shine = _shaken(canvas, mirror[::-1], 1.2 * across, 1.9 * away)
    grazing = np.clip((canvas.v + 0.45 + 1.2 * away) / np.hypot(1.0, canvas.v + 0.45), 0.05, 1)
    fresnel = np.clip(0.06 + 0.94 * (1 - grazing) ** 3 + style.between("gloss", 0.0, 0.5), 0, 0.92)
    deep = srgb(style.pick("body", BODIES)) * light.flat(0.35)
    clear = style.between("clear", 0.0, 0.7) * (kind != "lake") * smooth(0.11, 0.02, slope)
    ripple = fbm(x, z, 9, 2, canvas.seed())
    bed = _shaken(canvas, bed, 0.35 * across + 0.003 * ripple, 0.35 * away + 0.003 * ripple)
    web = smooth(0.6, 1.0, fbm(x + 0.03 * ripple, z, 7, 2, canvas.seed(), shape="ridged"))
    bed = bed * (0.75 + (1.0 if light.name == "day" else 0.2) * web)[..., None]
    murk = smooth(-1.2, 1.2, fbm(x, z, 1.2, 3, canvas.seed()))
    inner = mix(deep, bed * 0.45 * (0.5 + srgb("#9fb08a")), clear * murk)
    inner *= (1 + np.clip(3 * away + 2 * across, -0.5, 1.0))[..., None]
    colour = mix(inner, shine, fresnel)
    if light.name != "overcast":
        glints = smooth(2.2, 4.0, (away + across * light.sun_to[0]) / (slope + 0.01))
        colour += glints[..., None] * light.sun * 0.3
    near = np.clip(canvas.v / canvas.aspect, 0, 1)
    rms = (0.0012 + 0.0022 * near) * (0.6 + 0.4 * canvas.wind_strength) * (0.7 + 0.6 * (1 - calm))
    canvas.put(
        np.ones_like(x),
        colour,
        "water_still",
        np.clip(0.45 - 0.4 * near, 0, 1),
        mobility=0.7 + 0.3 * near,
        sway=rms[..., None] * np.array([0.5, 0.87j]),
        profile="ripple",
        light=np.clip(0.08 + 0.25 * smooth(0.3, 1.5, shine.max(-1)), 0, 0.35),
    )
    if kind in ("pond", "lake") and style.chance("algae", 0.35):
        _algae(canvas, light, rng, x, z)
    if style.chance("afloat", 0.4):
        _leaves_afloat(canvas, light, rng, int(style.between("leaf_count", 3, 40)))


def _algae(canvas, light, rng, x, z):
    """Green duckweed and algae on the water, which rock with it."""
    bent = warp(x, z, 2, 0.12, canvas.seed())
    patch = fbm(*bent, rng.uniform(0.8, 2.5), 5, canvas.seed(), gain=0.6)
    _, border, tone = cells(x, z, rng.uniform(90, 200), canvas.seed())
    cover = smooth(-0.1, 0.25, patch - rng.uniform(-0.4, 1.2) + 0.3 * (tone - 0.5))
    green = mix(srgb("#2c4518"), srgb("#74923c"), np.clip(tone * 0.8 + 0.2 * patch, 0, 1))
    colour = green * light.flat(0.45) * (0.5 + 0.6 * smooth(0, 0.3, border))[..., None]
    canvas.rgb += (colour - canvas.rgb) * (cover * rng.uniform(0.6, 0.95))[..., None]
    calmer = (1 - 0.5 * cover).astype(np.float32)
    canvas.mobility *= calmer
    canvas.sway *= calmer[..., None]
    canvas.light *= 1 - cover


def _leaves_afloat(canvas, light, rng, count):
    """Fallen leaves, blossoms and foam bits that lie on the water and rock with it."""
    sprite = Sprite(canvas)
    u, v = rng.uniform(0, 1, count), rng.uniform(0, canvas.aspect, count)
    size = rng.uniform(0.02, 0.07) * (0.4 + 0.8 * v / canvas.aspect) * rng.uniform(0.6, 1.3, count)
    palette = GREENS[str(rng.choice(["autumn", "olive", "blossom", "summer", "red"]))]
    inks = np.stack([srgb(palette[i]) for i in rng.integers(0, 3, count)]) * light.flat(0.5)
    angle = rng.uniform(0, 6.28, count)
    sprite.leaves(u + 0.004, v + 0.006, size, angle, inks * 0.12, rng.uniform(0.4, 0.8))
    sprite.leaves(u, v, size, angle, inks, rng.uniform(0.4, 0.8))
    colour, cover = sprite.decoded()
    canvas.rgb += (colour - canvas.rgb) * cover[..., None]


def _brook(canvas, light, style, x, z, bed):
    """Shallow running water over stones: streaks along the current, broken reflections and foam."""
    rng = np.random.default_rng(canvas.seed())
    angle = style.between("heading", -0.5, np.pi + 0.5)
    c, s = np.cos(angle), np.sin(angle)
    wx, wz = warp(canvas.u, canvas.v, 2.5, 0.05, canvas.seed())
    along, across = wx * c + wz * s, wz * c - wx * s
    octaves = octaves_for(6, canvas.width_px, 2, 5)
    streak = fbm(along * 0.3, across, 7, octaves, canvas.seed(), gain=0.6)
    rough = fbm(along * 0.6, across, 10, octaves, canvas.seed(), gain=0.65)
    lace = fbm(along * 0.45, across, 6, octaves, canvas.seed(), gain=0.62, shape="ridged")
    swift = fbm(canvas.u, canvas.v, 1.8, 3, canvas.seed()) + style.between("swift", -1.0, 0.9)
    mirror = _mirrored(canvas, style, light)
    shine = _shaken(canvas, mirror[::-1], 0.08 * rough, 0.15 * streak)
    bed = _shaken(canvas, bed, 0.006 * rough, 0.008 * streak)
    gloss = np.clip(0.14 + style.between("gloss", 0, 0.35) + 0.1 * rough, 0.02, 0.85)
    tint = srgb(style.pick("tint", ("#7a8a6a", "#6a7a78", "#8a7448", "#5a7a86")))
    deep = mix(bed * (0.3 + tint), tint * 0.25 * light.flat(0.4), style.between("deep", 0.1, 0.9))
    colour = mix(deep * (1 + 0.22 * streak[..., None]), shine, gloss)
    foam = smooth(0.62, 0.95, lace + 0.09 * swift + 0.05 * rough) * smooth(-0.4, 0.9, swift)
    colour = mix(colour, light.flat(0.5) * (0.75 + 0.1 * rough[..., None]), 0.85 * foam)
    glint = smooth(1.5, 2.6, rough + 0.6 * streak) * (0.5 if light.name in ("day", "golden") else 0.15)
    colour += glint[..., None] * light.sun * 0.5
    pace = np.clip(0.055 + 0.04 * swift + 0.05 * foam, 0.015, 0.2).astype(np.float32)
    # Streaks show the line of the current; it comes towards the viewer rather than away.
    going = np.array([c, s], np.float32) * (1 if s >= 0 else -1)
    canvas.put(
        np.ones_like(x),
        colour,
        "water_flow",
        np.clip(0.45 - 0.4 * canvas.v / canvas.aspect, 0, 1),
        mobility=np.clip(0.75 + 0.25 * swift, 0.5, 1),
        flow=pace[..., None] * going,
        sway=np.array([0.0015, 0.0018j]),
        profile="ripple",
        light=np.clip(0.12 + 0.25 * foam + 0.2 * glint, 0, 0.4),
    )


def _shore(canvas, style, kind):
    """How far each pixel lies on land, in widths; negative on the water."""
    rng = np.random.default_rng(canvas.seed())
    far_away = np.full_like(canvas.u, -1.0)
    if kind in ("pond", "lake", "brook") and not style.chance("bank", 0.45):
        return far_away
    bend = 0.06 * fbm(canvas.u, canvas.v, 2.5, 4, canvas.seed())
    angle = rng.uniform(0, 2 * np.pi)
    reach = rng.uniform(0.22, 0.48)
    if kind == "puddle":
        distance = np.hypot((canvas.u - 0.5) / 1.15, canvas.v - canvas.aspect / 2)
        return distance - rng.uniform(0.42, 0.6) + bend
    if kind == "basin":
        bend = 0.5 * (canvas.u - 0.5) ** 2
    return (canvas.u - 0.5) * np.cos(angle) + (canvas.v - canvas.aspect / 2) * np.sin(angle) - reach + bend


def _bank(canvas, kind, shore, bed):
    """Wet ground at the edge, dark where the water reaches it."""
    damp = 0.4 + 0.6 * smooth(0.0, 0.09, shore)
    colour = bed * damp[..., None]
    if kind == "basin":
        colour = colour * (1 - 0.4 * smooth(0.012, 0.0, np.abs(shore - 0.05)))[..., None]
    canvas.put(np.clip(shore / canvas.px + 0.5, 0, 1), colour, "rigid", 0.2)


def _grassy(canvas, light, style, shore):
    """Grass on the bank, whose blades lean out over the water."""
    last = canvas.height_px - 1, canvas.width_px - 1

    def ashore(x, v):
        rows, columns = (np.clip(f / canvas.px, 0, end).astype(int) for f, end in zip((v, x), last, strict=True))
        return shore[rows, columns] > 0.02

    grass(
        canvas,
        light,
        canvas.aspect + 0.06,
        0.0,
        style.pick("grass", ("summer", "olive", "dark", "spring")),
        style.between("grass_count", 0.8, 1.6),
        style.between("grass_height", 0.06, 0.16),
        horizon_v=-0.7,
        mask=ashore,
        depth_near=0.1,
        depth_far=0.3,
    )


def _stones(canvas, light, rng, shore):
    """Wet stones at the edge of the water or in it."""
    tone = srgb(str(rng.choice(["#5a5650", "#6f6a60", "#44464a", "#7a6a58"])))
    for v in np.sort(rng.uniform(0.05, 1.1, int(rng.integers(3, 16))) * canvas.aspect):
        u = rng.uniform(0, 1)
        row, column = min(int(v / canvas.px), canvas.height_px - 1), min(int(u / canvas.px), canvas.width_px - 1)
        if shore[row, column] < -0.09 and rng.random() < 0.8:
            continue
        size = rng.uniform(0.06, 0.2) * (0.5 + 0.6 * v / canvas.aspect)
        wet = np.float32(rng.uniform(0.35, 0.9))
        boulder(canvas, light, u, v, size, size * rng.uniform(0.4, 0.7), 0.2, colour=tone * wet)
