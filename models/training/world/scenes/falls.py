"""A waterfall: the cliff, the falling water, its pool, and what grows around it."""

import cv2
import numpy as np

from ..light import mix, smooth, srgb
from ..noise import cells, fbm, octaves_for, swirl, warp
from ..plants import bush, tree
from ..vapour import mist
from ..water import paint_water
from .outdoors import boulder, fringe, shore_rocks, sky_over


def fall_sheet(
    canvas,
    light,
    u0,
    top_v,
    foot_v,
    wide_top,
    wide_foot,
    depth=0.4,
    speed=0.055,
    density=1.0,
    bend=0.0,
    soft=0.3,
    soft_top=0.0,
):
    """Falling water between ``top_v`` and ``foot_v``: threads of white, torn and thinned on the way down.

    ``bend`` is the drift of its foot, ``soft`` frays its edges, ``soft_top`` hides where it springs from, in widths.
    """
    margin = max(wide_top, wide_foot) * 0.8
    at = canvas.window(u0 - margin, top_v, u0 + margin, foot_v)
    u, v = canvas.u[at], canvas.v[at]
    if u.size == 0 or min(u.shape) < 2:
        return
    seed = canvas.seed()
    t = np.clip((v - top_v) / (foot_v - top_v), 0, 1)
    half = 0.5 * (wide_top + (wide_foot - wide_top) * t**0.8)
    ledge = fbm(u * 0.4, v, 2.2 / (foot_v - top_v), 2, seed)
    across = (u - u0 - bend * t * t + 0.014 * wide_top * ledge) / half
    wx, wy = warp(across, t * (foot_v - top_v) / wide_top, 0.7, 0.05, seed + 1, 2)
    octaves = octaves_for(8 / wide_top, canvas.width_px, 2.0, 6)
    # Gravity draws the threads out: the pattern is stretched more the faster the water falls.
    fall = np.sqrt(np.maximum(wy * 0.35, 0) + 0.02)
    thread = fbm(wx * 3.0, fall * 1.1, 2.6, octaves, seed + 3, gain=0.62)
    strand = fbm(wx * 5.0, fall * 1.4, 3.0, octaves, seed + 4, gain=0.55, shape="ridged")
    veil = fbm(wx * 1.4, fall * 2.6, 1.8, 4, seed + 5)
    body = smooth(1.08, 0.55 - 0.3 * soft, np.abs(across) + 0.13 * thread + 0.1 * soft * veil)
    cover = np.clip(0.42 + 0.30 * thread + 0.42 * (strand - 0.4) + 0.25 * veil, 0, 1) * density
    alpha = np.clip(body * (0.15 + 1.1 * cover), 0, 0.97)
    if soft_top:
        alpha = alpha * smooth(0, soft_top, v - top_v + 0.3 * soft_top * veil)
    bright = np.clip(0.50 + 0.20 * thread + 0.55 * (strand - 0.42) + 0.12 * veil, 0.12, 1.25)
    round_off = np.sqrt(np.clip(1.05 - across**2 * 0.8, 0.1, 1))
    tint = mix(srgb("#7fa0ab"), srgb("#f4f8fa"), np.clip(bright, 0, 1))
    colour = tint * (light.sun * 0.52 + light.ambient * 0.85) * (0.45 + 0.75 * bright * round_off)[..., None]
    pace = speed * (0.55 + 0.6 * np.sqrt(t))
    flow = np.stack([bend * t * 0.3 * pace, pace], -1)
    canvas.put(
        alpha,
        colour,
        "water_flow",
        depth,
        at,
        mobility=np.clip(0.6 + 0.4 * t, 0, 1),
        flow=flow,
        threshold=0.26,
        light=0.04,
        spread=0.007,
    )


def cliff(canvas, light, edge, depth=0.6, colour=None, wet=None, moss=0.3, scale=1.0, shade=1.0):
    """Broken rock where ``edge`` (H x W, widths, positive inside) says so.

    ``wet`` darkens and polishes it, ``moss`` 0..1 grows on its ledges, ``shade`` dims the whole.
    """
    u, v = canvas.u, canvas.v
    seed = canvas.seed()
    wx, wy = warp(u, v, 4.0 / scale, 0.02 * scale, seed, 4)
    octaves = octaves_for(4 / scale, canvas.width_px, 2.0, 9)
    slope_x, slope_y = np.zeros_like(u), np.zeros_like(u)
    gap, pale = np.ones_like(u), np.zeros_like(u)
    # Faces of three sizes, each tilted its own way; tall ones, because rock splits along its joints.
    for k, (frequency, tilt, tall) in enumerate(((5.0, 0.75, 0.45), (12.0, 0.6, 0.6), (30.0, 0.42, 0.9))):
        _, border, tone = cells(wx, wy * tall, frequency / scale, seed + 3 + k)
        turn = tone * 39.0
        slope_x += tilt * np.cos(turn)
        slope_y += tilt * (np.sin(turn) * 0.8 + 0.15)
        gap *= 1 - (0.75, 0.5, 0.3)[k] * smooth((0.07, 0.09, 0.1)[k], 0.0, border)
        pale += (tone - 0.5) * (0.5, 0.4, 0.25)[k]
    rough = fbm(u, v, 10.0 / scale, octaves, seed + 5, gain=0.66)
    layers = fbm(wx * 0.25, wy * 2.2, 5.0 / scale, octaves, seed + 4, gain=0.6)
    big = fbm(u, v, 2.2 / scale, 4, seed + 6)
    relief = (0.0045 * rough + 0.006 * layers + 0.05 * big) * scale
    slope_x += cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3) / (8 * canvas.px)
    slope_y += cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3) / (8 * canvas.px)
    base = srgb("#6d665c") if colour is None else srgb(colour)
    albedo = base * np.maximum(1 + 0.45 * pale + 0.14 * layers + 0.14 * rough, 0.2)[..., None]
    albedo = mix(
        albedo, srgb("#8d7a5f") * np.maximum(1 + 0.3 * pale, 0.3)[..., None], smooth(0.4, 1.8, big + 0.4 * layers) * 0.5
    )
    ledge = smooth(0.1, 0.9, slope_y)
    green = smooth(
        0.35, 1.0, fbm(u, v, 6 / scale, min(octaves, 7), seed + 7, gain=0.62) * 0.55 + 0.55 * ledge + moss * 1.5 - 0.75
    )
    leafy = fbm(u, v, 60 / scale, max(octaves - 4, 2), seed + 8, gain=0.7)
    albedo = mix(albedo, mix(srgb("#22361a"), srgb("#627a36"), smooth(-1.2, 1.4, leafy)), green * 0.9)
    if wet is not None:
        albedo = albedo * (1 - 0.5 * wet * (1 - 0.5 * green))[..., None]
    lit = light.on_slopes(slope_x, slope_y + 0.25 * green * leafy)
    hollow = np.clip(1 + 0.22 * big, 0.5, 1.3) * (gap * (1 - green) + green * (0.75 + 0.25 * leafy))
    tint = albedo * lit * (hollow * shade)[..., None]
    if wet is not None:
        tint = tint + (wet * smooth(0.2, 1.2, slope_y) * (1 - green) * 0.10)[..., None] * light.horizon
    canvas.put(np.clip(edge / canvas.px + 0.5, 0, 1), tint, "rigid", depth)


def buttress(canvas, light, style, rim_v, bottom, side, colour, scale):
    """A nearer wall of the gorge at one side, in shadow, which gives the fall its distance."""
    u, v = canvas.u, canvas.v
    seed = canvas.seed()
    reach = style.between(f"buttress_{side}", 0.05, 0.2)
    from_side = u if side < 0 else 1 - u
    top = rim_v + style.between(f"buttress_top_{side}", 0.0, 0.3) * bottom
    line = reach * (0.55 + 0.75 * smooth(top, bottom, v)) + 0.05 * fbm(u * 0.3, v, 4.5, 6, seed, gain=0.55)
    edge = np.minimum(
        line - from_side, v - top - 0.9 * np.maximum(from_side - 0.3 * reach, 0) - 0.02 * fbm(u, v * 0, 8, 4, seed + 1)
    )
    soft = smooth(0.035, 0.0, np.abs(np.minimum(edge, 0))) * (edge < 0)
    canvas.rgb *= (1 - 0.3 * soft)[..., None]
    cliff(
        canvas,
        light,
        edge,
        0.4,
        colour,
        moss=style.between("side_moss", 0.3, 0.7),
        scale=scale * 1.3,
        shade=style.between("side_shade", 0.35, 0.9),
    )
    return reach, top


def waterfall(canvas, style):
    """Water falling over a cliff, in one leap or several, into a pool among boulders and ferns."""
    u, v = canvas.u, canvas.v
    bottom = canvas.aspect
    rim_v = style.between("rim", 0.14, 0.3) * bottom
    light = sky_over(canvas, style, rim_v + 0.12, (0.55, 0.15, 0.05, 0.25, 0.0))
    pool_v = style.between("pool", 0.68, 0.8) * bottom
    fall_u = style.between("fall_u", 0.32, 0.68)
    wide = style.between("fall_width", 0.12, 0.34)
    seed = canvas.seed()
    if style.chance("far_woods", 0.7):
        fringe(canvas, light, rim_v + 0.06, 0.16, depth=0.9, veil=0.45)
    away = 1 - np.exp(-(((u - fall_u) / (wide * 0.75)) ** 4))
    rim = rim_v + 0.025 - away * (0.055 + 0.06 * np.abs(u - fall_u) - 0.035 * fbm(u, v * 0, 3.5, 6, seed, gain=0.5))
    wet = np.exp(-(((u - fall_u) / (wide * 1.3)) ** 2))
    colour = style.pick("rock", ("#6d665c", "#77706a", "#5b5f62", "#8a745c", "#54504a"))
    cliff(
        canvas,
        light,
        v - rim,
        0.7,
        colour,
        wet=wet,
        moss=style.between("moss", 0.15, 0.6),
        scale=style.between("rock_scale", 0.7, 1.3),
    )
    hollow = np.exp(-(((u - fall_u) / (wide * 1.3)) ** 2)) * smooth(rim_v + 0.03, rim_v + 0.2, v)
    canvas.rgb *= (1 - 0.35 * hollow)[..., None]
    steps = style.pick("steps", (1, 2, 3), (0.5, 0.3, 0.2))
    levels = np.concatenate(
        [[rim_v + 0.025], rim_v + (pool_v - rim_v) * np.sort(canvas.rng.uniform(0.3, 0.75, steps - 1)), [pool_v + 0.01]]
    )
    shift, sheet = fall_u, wide
    for k in range(steps):
        strands = 1 if steps > 1 else style.pick("strands", (1, 1, 3))
        for s in range(strands):
            du = (s - (strands - 1) / 2) * sheet * 0.8
            fall_sheet(
                canvas,
                light,
                shift + du,
                levels[k] - 0.006,
                levels[k + 1] + 0.008,
                sheet / strands * 0.75,
                sheet / strands * 1.15,
                0.55 - 0.06 * k,
                style.between("speed", 0.04, 0.07),
                bend=canvas.wind[0] * 0.02,
                soft_top=0.0 if k == 0 else 0.04,
            )
        if k < steps - 1:
            shore_rocks(
                canvas,
                light,
                lambda q, r: levels[k + 1] + 0.02 + 0.02 * r.random() if abs(q - shift) < sheet else 9,
                10,
                0.03,
                0.5,
            )
            mist(canvas, light, levels[k + 1], 0.045, 0.55, 0.5, shift, sheet * 0.6, (0.004, -0.01), 5.0)
            shift += canvas.rng.normal(0, 0.03)
            sheet *= canvas.rng.uniform(0.9, 1.35)
    for side in (-1, 1):
        if style.chance(f"wall_{side}", 0.55):
            reach, top = buttress(canvas, light, style, rim_v, bottom, side, colour, 0.9)
            for _ in range(4):
                x = reach * canvas.rng.uniform(0.1, 1.1)
                bush(
                    canvas,
                    light,
                    x if side < 0 else 1 - x,
                    canvas.rng.uniform(top + 0.04, pool_v + 0.02),
                    canvas.rng.uniform(0.07, 0.14),
                    canvas.rng.uniform(0.04, 0.08),
                    style.pick("bush_palette", ("summer", "dark", "olive")),
                    0.4,
                )
    _pool(canvas, light, style, pool_v, shift, sheet)
    mist(
        canvas,
        light,
        pool_v - 0.01,
        0.05 * (0.6 + wide),
        style.between("spray", 0.5, 1.1),
        0.4,
        shift,
        sheet * 0.9,
        (0.006 * canvas.wind[0], -0.015),
        5.0,
    )
    _ferns(canvas, light, style, rim_v, pool_v, shift, sheet)
    if style.chance("front_ferns", 0.4):
        for x, wide_front in ((-0.02, 0.3), (1.0, 0.26)):
            bush(
                canvas,
                light,
                x,
                bottom + 0.04,
                wide_front * 1.4,
                wide_front * 0.75,
                style.pick("fern_palette", ("dark", "summer", "olive")),
                0.03,
                leaf=0.022,
            )
    canvas.lens()


def _pool(canvas, light, style, pool_v, fall_u, wide):
    """The pool at the foot: mirrors the cliff, foams and streams away from where the water lands."""
    u, v = canvas.u, canvas.v
    seed = canvas.seed()
    shore = pool_v + 0.014 * fbm(u, v * 0, 6, 4, seed) + 0.035 * np.clip(np.abs(u - fall_u) - wide, 0, 1)
    inside = v - shore
    alpha = np.clip(inside / canvas.px + 0.5, 0, 1)
    paint_water(
        canvas,
        light,
        pool_v - 0.16,
        eye=1.0,
        alpha=alpha,
        frequency=4.5,
        slope=0.055,
        body=style.pick("pool_body", ("#1d4a4a", "#1f3f33", "#2b5a5e")),
        start_v=pool_v - 0.03,
        mirror_v=pool_v,
        kind="water_flow",
    )
    away = np.hypot((u - fall_u), (v - pool_v) * 2.6)
    wx, wy = swirl(u, v * 2.4, 6, 0.010, 3, seed + 1)
    lace, border, _ = cells(wx, wy, 22, seed + 2)
    _, border2, _ = cells(wx, wy, 48, seed + 4)
    churn = fbm(wx, wy, 7, octaves_for(7, canvas.width_px, 2, 6), seed + 3, gain=0.6)
    near = smooth(wide * 2.0, wide * 0.25, away)
    foam = np.clip(near * 1.25 + 0.45 * churn * (0.3 + near) - 0.38, 0, 1)
    web = (smooth(0.13, 0.0, border) + 0.7 * smooth(0.15, 0.0, border2)) * smooth(wide * 2.6, wide * 0.5, away) * 0.34
    foam = np.clip(foam + web * smooth(-0.5, 0.8, churn), 0, 0.95) * alpha
    canvas.rgb += ((light.sun * 0.45 + light.ambient * 0.9) * (0.85 + 0.12 * churn)[..., None] - canvas.rgb) * foam[
        ..., None
    ]
    direction = np.stack([(u - fall_u) * 1.0, (v - pool_v) * 0.8 + 0.05], -1)
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True) + 1e-4
    pace = 0.012 + 0.028 * near
    canvas.label(
        alpha > 0.5,
        "water_flow",
        np.clip(0.45 - (v - pool_v), 0.05, 0.5),
        mobility=0.7,
        flow=direction * pace[..., None],
        light=0.05,
        sway=np.array([0.0004, 0.001j]),
        profile="ripple",
    )


def _ferns(canvas, light, style, rim_v, pool_v, fall_u, wide):
    """Boulders in the pool and greenery on the sides."""
    rng = canvas.rng
    bottom = canvas.aspect
    for side in (-1, 1):
        for _ in range(int(style.between("bushes", 1, 4))):
            x = fall_u + side * (wide * 0.9 + rng.uniform(0.05, 0.35))
            bush(
                canvas,
                light,
                x,
                rng.uniform(rim_v + 0.05, pool_v),
                rng.uniform(0.06, 0.16),
                rng.uniform(0.04, 0.09),
                style.pick("bush_palette", ("summer", "dark", "spring", "olive")),
                0.5,
            )
    stones = sorted(rng.uniform(pool_v + 0.01, bottom + 0.05, int(style.between("stones", 8, 22))))
    for foot in stones:
        t = (foot - pool_v) / (bottom - pool_v)
        x = fall_u + (rng.uniform(0.35, 1) * rng.choice([-1, 1])) * (0.5 + 0.1 * t)
        size = (0.03 + 0.10 * t) * rng.uniform(0.6, 1.5)
        boulder(
            canvas,
            light,
            x,
            foot,
            size,
            size * rng.uniform(0.55, 0.8),
            0.35 * (1 - t) + 0.03,
            True,
            moss=rng.uniform(0, 0.6),
        )
    if style.chance("side_tree", 0.5):
        x = rng.choice([rng.uniform(-0.05, 0.1), rng.uniform(0.9, 1.05)])
        tree(
            canvas,
            light,
            x,
            pool_v,
            min(0.55, 0.5 * bottom),
            style.pick("leaves", ("summer", "dark", "autumn", "spring")),
            0.35,
        )
