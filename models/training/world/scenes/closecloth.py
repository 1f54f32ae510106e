"""Cloth seen so close that it fills the picture, and rigid things of the same colours."""

import cv2
import numpy as np

from ..backdrops import backdrop, soften
from ..light import blur, light_at, mix, smooth, srgb
from ..materials import material, paint_surface
from ..noise import fbm, octaves_for
from ..patterns import INKS, printed
from ..room import books

CLOTHS = ("flag", "sail", "sheet", "valance", "scarf", "tablecloth")
BOARDS = ("painted_wall", "poster", "container", "slats", "barber_pole", "books", "crate")
BACKDROPS = ("clear", "cumulus", "sheet", "white", "wall", "leaves", "street")


def flag_close(canvas, style):
    """A flag or another cloth that fills the picture, or a rigid thing that is painted like one."""
    rng = canvas.rng
    time = style.pick("time", ("day", "golden", "overcast", "dusk"), (0.5, 0.16, 0.28, 0.06))
    light = light_at(time, rng, toward=style.between("toward", -0.6, 1.0))
    canvas.exposure = style.between("exposure", 0.8, 1.25)
    rigid = style.chance("rigid", 0.24)
    kind = style.pick("cloth", CLOTHS, (0.64, 0.08, 0.08, 0.06, 0.08, 0.06))
    board = style.pick("board", BOARDS)
    behind = style.pick("behind", BACKDROPS, (0.18, 0.16, 0.08, 0.2, 0.12, 0.16, 0.1))
    if rigid:
        _board(canvas, light, board, behind)
    else:
        backdrop(canvas, light, behind, style.between("focus", 0.005, 0.025))
        _cloth(canvas, light, kind, style)
    canvas.lens()


def _folds(canvas, rng, a, b, blown, hanging):
    """(relief, phase of the waves in turns) of cloth at ``a`` along and ``b`` across it, both in widths.

    ``blown`` 0..1 from slack to streaming. Slack cloth falls in a fan of folds from above; blown cloth has waves that
    run along it.
    """
    wander = fbm(a, b, 1.3, 2, canvas.seed())
    if hanging:
        top = rng.uniform(-1.4, -0.45)
        fan = np.arctan2(a - rng.uniform(-0.1, 0.2), b - top) * (0.5 - top)
        turns = rng.uniform(2.0, 5.5) * fan + 0.22 * wander
    else:
        turns = rng.uniform(0.8, 2.4) * (a + rng.normal(0, 0.35) * b) + rng.uniform(0.06, 0.16) * wander
    phase = 2 * np.pi * turns + rng.uniform(0, 6.28)
    sharp = rng.uniform(0.3, 0.9)
    wave = np.sin(phase + sharp * np.sin(phase + rng.uniform(0, 6)))
    second = np.sin(rng.uniform(1.7, 2.6) * phase + rng.uniform(2, 7) * b + 2 * wander)
    crease = fbm(a * 0.6 + 0.1 * wave, b, 5, 3, canvas.seed(), shape="ridged")
    size = 0.055 / max(abs(float(turns.max() - turns.min())), 1.0) * (2.2 if hanging else 2.6)
    relief = size * (wave + rng.uniform(0.15, 0.45) * second) + 0.006 * crease
    return (relief * (0.75 + 0.5 * blown)).astype(np.float32), turns


def _cloth(canvas, light, kind, style):
    """Paint one cloth; where it ends, if it does within the picture, its edge follows the folds."""
    rng = np.random.default_rng(canvas.seed())
    strength = canvas.wind_strength
    flying = kind in ("flag", "scarf")
    blown = float(np.clip(strength * 1.25 + rng.normal(0, 0.15), 0, 1))
    hanging = kind in ("sheet", "tablecloth", "valance") or (flying and blown < 0.3)
    side = 1.0 if canvas.wind[0] >= 0 else -1.0
    angle = 0.12 * rng.normal() if hanging else rng.normal(0.1, 0.45)
    c, s = np.cos(angle), np.sin(angle)
    x, y = (canvas.u - 0.5) * side, canvas.v - canvas.aspect / 2
    a, b = x * c + y * s, y * c - x * s
    relief, turns = _folds(canvas, rng, a, b, blown, hanging)
    if kind == "sail":
        relief = (relief * 0.25 + 0.25 * np.sqrt(np.maximum(1.6 - a * a - 0.4 * b * b, 0.1))).astype(np.float32)
    slope_x = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3) / np.float32(8 * canvas.px)
    slope_y = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3) / np.float32(8 * canvas.px)
    # A look askew at the folds shifts and squeezes what is printed on them.
    shift = rng.normal(0, 0.5, 2)
    wide = style.between("width", 0.9, 2.2)
    tall = wide * rng.uniform(0.5, 0.72)
    start, top = -0.5 * wide + rng.normal(0, 0.2), -0.5 * tall + rng.normal(0, 0.15)
    if kind in ("valance", "sheet"):
        wide, start, tall, top = 2.4, -1.2, rng.uniform(0.35, 1.1), rng.uniform(-0.5, -0.2)
    if kind == "tablecloth":
        wide, start, tall, top = 2.4, -1.2, rng.uniform(0.5, 0.9), -0.6
    p = (a + shift[0] * relief - start) / wide
    q = (b + shift[1] * relief + 0.25 * relief - top) / tall
    lobes = 0.0
    if kind == "valance":
        count = rng.integers(8, 18)
        lobes = 0.06 * np.abs(np.sin(np.pi * p * count))
    inside = np.minimum(np.minimum(p, 1 - p) * wide, np.minimum(q, 1 - lobes - q) * tall)
    alpha = np.clip(inside / canvas.px + 0.5, 0, 1)
    albedo = _printed_cloth(rng, kind, np.clip(p, 0, 1), np.clip(q, 0, 1), 1.2 * canvas.px / tall)
    albedo = blur(albedo.astype(np.float32), 0.6)
    faded = rng.uniform(0, 0.35) * (rng.random() < 0.4)
    albedo = mix(albedo, albedo.mean(-1, keepdims=True) * 0.5 + 0.35, faded)
    # Thin cloth scatters light into its own shadows.
    lit = 0.78 * light.on_slopes(slope_x, slope_y) + 0.22 * light.flat(0.5)
    steep = np.hypot(slope_x, slope_y)
    hollow = np.clip(1 + relief / (np.abs(relief).max() + 1e-6) * 0.22, 0.6, 1.3)
    thread = 1 + 0.02 * fbm(p, q, 110, 2, canvas.seed())
    colour = albedo * lit * (hollow * thread)[..., None] * np.float32(0.85)
    thin = float(np.clip(0.35 - light.sun_to[2], 0, 1)) * rng.uniform(0.3, 0.9)
    doubled = 1 - 0.5 * smooth(0.4, 1.3, steep)
    colour += albedo * np.sqrt(albedo) * (light.sun * 0.35 + light.horizon * 0.5) * (doubled * thin)[..., None]
    if rng.random() < 0.3:
        colour += (0.12 * _gleam(light, slope_x, slope_y))[..., None] * light.sun
    hem = smooth(0.004, 0.012, inside)
    colour *= (0.8 + 0.2 * hem)[..., None]
    free = _freedom(kind, blown, q)
    rms = {"sail": 0.2, "sheet": 0.55, "valance": 0.7, "tablecloth": 0.3}.get(kind, 1.0)
    rms *= 0.0012 + 0.0075 * blown**0.8
    # Waves swing across the cloth; where it hangs they swing it sideways.
    swing = np.array([1.0, 0.25j]) if hanging else np.array([(0.42 * c - 0.9j * s) * side, 0.42 * s + 0.9j * c])
    canvas.put(
        alpha,
        colour,
        "cloth",
        style.between("depth", 0.08, 0.25),
        mobility=free,
        sway=(free * rms)[..., None] * swing,
        profile="curtain" if hanging and not flying else "flag",
        delay=turns - turns.min(),
    )


def _gleam(light, slope_x, slope_y):
    """The sheen of silk or nylon where a fold mirrors the sun, 0..1."""
    half = light.sun_to + np.float32([0, 0, 1])
    half = half / np.linalg.norm(half)
    toward = (-slope_x * half[0] + slope_y * half[1] + half[2]) / np.sqrt(slope_x**2 + slope_y**2 + 1)
    return np.clip(toward, 0, 1) ** 20


def _freedom(kind, blown, q):
    """How freely the cloth moves at ``q`` 0..1 down it: all of a flag, the lower part of what hangs."""
    if kind in ("flag", "scarf", "sail"):
        return np.full(q.shape, 0.45 + 0.5 * blown, np.float32)
    return (np.clip(q, 0, 1) ** 0.8 * (0.4 + 0.5 * blown)).astype(np.float32)


def _printed_cloth(rng, kind, p, q, soft):
    """Albedo of a cloth with its print, and seams where it is sewn of panels."""
    if kind == "sail":
        albedo = np.broadcast_to(srgb(str(rng.choice(["#f2efe6", "#e8dcc4", "#9a3a2a", "#e9e9ea"]))), p.shape + (3,))
        seam = smooth(0.012, 0.0, np.abs((q * 5 + 0.3 * p) % 1 - 0.5))
        return albedo * (1 - 0.25 * seam)[..., None]
    if kind == "sheet" and rng.random() < 0.6:
        return np.broadcast_to(srgb(str(rng.choice(["#f2f0ea", "#dfe6ee", "#e8d8d0", "#c8d4c8"]))), p.shape + (3,))
    if kind == "valance":
        inks = [srgb(INKS[i]) for i in (1, rng.integers(len(INKS)))]
        return np.where((np.sin(p * 2 * np.pi * rng.integers(9, 30)) > 0)[..., None], *inks)
    if kind in ("scarf", "tablecloth") and rng.random() < 0.75:
        # Threads of two colours cross: half tones where one of them lies on the other.
        inks, count = [srgb(INKS[i]) for i in rng.permutation(len(INKS))[:2]], rng.uniform(6, 16)
        weave = [np.clip(2 * np.sin(f * 2 * np.pi * count * k) + 0.5, 0, 1) for f, k in ((p, 2.2), (q, 1.0))]
        return mix(*inks, 0.5 * (weave[0] + weave[1]))
    if rng.random() < 0.25 and kind == "flag":
        p, q = q, p
    return printed(rng, p, q, soft)


def _board(canvas, light, kind, behind):
    """A rigid thing with stripes, prints or colours like those of cloth, flat or round and still."""
    rng = np.random.default_rng(canvas.seed())
    angle = rng.normal(0, 0.12)
    squeeze = 1 + rng.uniform(-0.4, 0.4) * (canvas.u - 0.5)
    x, y = canvas.u - 0.5, (canvas.v - canvas.aspect / 2) * squeeze
    a, b = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    wide = rng.uniform(0.7, 1.8)
    tall = wide * rng.uniform(0.45, 0.75)
    p, q = np.clip(a / wide + 0.5, 0, 1), np.clip(b / tall + 0.5, 0, 1)
    inside = np.minimum(0.5 * wide - np.abs(a), 0.5 * tall - np.abs(b))
    alpha = np.clip(inside / canvas.px + 0.5, 0, 1)
    soft = 1.2 * canvas.px / tall
    grain = fbm(canvas.u, canvas.v, 30, octaves_for(30, canvas.width_px, 2, 4), canvas.seed())
    if kind == "books":
        paint_surface(canvas, light, "wood", depth=0.4)
        books(canvas, light, -0.05, 1.05, canvas.aspect * 0.92, canvas.aspect * 0.8, 0.2)
        return
    if kind == "painted_wall":
        _, relief = material(str(rng.choice(["plaster", "brick", "concrete", "planks"])), a, b, rng)
        alpha = np.ones_like(alpha)
        wear = smooth(1.0, 1.8, fbm(canvas.u, canvas.v, 5, 4, canvas.seed()))
        albedo = mix(printed(rng, p, q, soft), srgb("#a39a8c"), 0.6 * wear)
        lit = light.on_relief(relief.astype(np.float32), canvas.px, 1.0, 0.4)
        canvas.put(alpha, albedo * lit * (1 + 0.05 * grain)[..., None], "rigid", 0.25)
        return
    backdrop(canvas, light, behind)
    if kind == "barber_pole":
        half = rng.uniform(0.15, 0.45)
        r = np.clip(a / half, -1, 1)
        turn = b / half * rng.uniform(0.4, 0.9) + np.arcsin(r) * 0.5
        inks = np.stack([srgb(h) for h in ("#f2efe6", "#b3202c", "#f2efe6", "#1c3f8f")])
        albedo = blur(inks[(np.floor(turn * 2) % 4).astype(int)], 0.6)
        slope = -r / np.sqrt(np.maximum(1.02 - r * r, 0.03))
        colour = albedo * light.on_slopes(-slope, 0 * slope) + (smooth(0.1, 0, np.abs(r + 0.35)) * 0.5)[..., None]
        canvas.put(np.clip((half - np.abs(a)) / canvas.px + 0.5, 0, 1), colour, "rigid", 0.15)
        return
    if kind in ("container", "slats"):
        wave = np.sin(2 * np.pi * (a if kind == "container" else b) * rng.uniform(9, 22))
        relief = 0.006 * np.clip(1.8 * wave, -1, 1)
        albedo = printed(rng, p, q, soft, str(rng.choice(["plain", "bands", "pales", "letters"])))
    elif kind == "crate":
        albedo, relief = material("planks", b * 0.8, a * 0.8, rng)
        albedo = mix(albedo, printed(rng, p, q, soft, "letters"), 0.35)
    else:
        relief = 0.001 * fbm(a, b, 3, 2, canvas.seed())
        albedo = printed(rng, p, q, soft)
    albedo = blur(albedo.astype(np.float32), 0.6)
    lit = light.on_relief(relief.astype(np.float32), canvas.px, 1.0, 0.3)
    gleam = smooth(0.25, 0.0, np.abs(a + 0.6 * b - rng.uniform(-0.5, 0.5))) * 0.1 * (kind == "poster")
    shade = 1 - 0.25 * smooth(0.012, 0.0, inside)
    colour = albedo * lit * ((1 + 0.03 * grain) * shade)[..., None] + gleam[..., None] * light.ambient
    canvas.put(alpha, colour, "rigid", 0.2)
    if rng.random() < 0.2:
        soften(canvas, 0.003)
