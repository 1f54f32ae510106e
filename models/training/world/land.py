"""Land: a field of heights seen in true perspective, with its own slopes, sunlight, cover and distance haze."""

import numpy as np

from .light import mix, smooth, srgb
from .noise import cells, fbm, octaves_for, warp

FOCAL = 1.0

PALETTES = {
    "meadow": ("#73853c", "#4f6630", "#a0965a", "#6d6a52"),
    "spring": ("#789446", "#4a6c34", "#aeaa62", "#77705a"),
    "dry": ("#b29a56", "#8c8446", "#c7ab6a", "#8a775c"),
    "heath": ("#6f6f3f", "#5a5a3a", "#8a7148", "#6c6660"),
    "snow": ("#e8eef4", "#c9d6e2", "#9aa4ac", "#6d7076"),
    "alpine": ("#5f7438", "#3f5730", "#8b8878", "#7b7871"),
    "sand": ("#d9c193", "#c9ac7a", "#e4d3ac", "#a08c6c"),
}


def paint_land(
    canvas,
    light,
    horizon_v,
    eye,
    height,
    near,
    far,
    palette="meadow",
    forest=0.0,
    snow_above=None,
    haze_distance=None,
    slices=None,
    foliage=False,
):
    """Paint the ground from ``near`` to ``far`` (units of the eye's height are up to the caller).

    ``height(x, z)`` gives the ground, ``eye`` the viewer's height above its zero. Returns (mask, x, z) of what is
    seen, x and z in the caller's units. ``forest`` 0..1 covers gentle slopes with trees; the ground is rigid unless
    ``foliage``.
    """
    slices = slices or (90 if canvas.width_px < 600 else 420)
    depth = (near * (far / near) ** (np.arange(slices, dtype=np.float32) / (slices - 1)))[:, None]
    columns = canvas.u[0]
    ground = height((columns - 0.5)[None] * depth / FOCAL, np.broadcast_to(depth, (slices, columns.size)).copy())
    line = horizon_v + FOCAL * (eye - ground) / depth
    skyline = np.minimum.accumulate(line, 0)
    rows = canvas.v[:, 0]
    hit = np.empty((rows.size, columns.size), np.float32)
    order = np.arange(slices, dtype=np.float32)
    for column in range(columns.size):
        # np.interp needs rising positions; a hidden slice repeats the line of the one before it, which it accepts.
        hit[:, column] = np.interp(-rows, -skyline[:, column], order, right=slices)
    seen = hit < slices - 1e-3
    hit = np.minimum(hit, slices - 1)
    z = near * (far / near) ** (hit / (slices - 1))
    x = (canvas.u - 0.5) * z / FOCAL
    top = int(np.argmax(seen.any(1))) if seen.any() else canvas.height_px
    at = (slice(top, None), slice(None))
    x, z, seen = x[at], z[at].astype(np.float32), seen[at]
    if x.size == 0:
        return at, seen, x, z
    step = z * canvas.px * 2 + 1e-3
    here = height(x, z)
    slope_x = (height(x + step, z) - here) / step
    slope_z = (height(x, z + step) - here) / step
    colour = _cover(canvas, light, at, x, z, here, slope_x, slope_z, palette, forest, snow_above)
    reach = haze_distance or far * 0.5
    veil = 1 - np.exp(-(z / reach) * light.haze_density)
    colour = mix(colour, light.haze, veil)
    edge = np.clip((canvas.v[at] - skyline[-1][None]) / canvas.px + 0.5, 0, 1)
    depth_label = 0.05 + 0.9 * np.clip(np.log(z / 0.8) / np.log(110), 0, 1)
    canvas.put(np.where(seen, edge, 0), colour, "foliage" if foliage else "rigid", depth_label, at)
    return at, seen, x, z


def _cover(canvas, light, at, x, z, here, slope_x, slope_z, palette, forest, snow_above):
    """Lit colour of the ground: grass in patches, bare earth where steep, trees and snow where asked."""
    grass, dark, light_patch, rock = (srgb(c) for c in PALETTES[palette])
    seed = canvas.seed()
    octaves = octaves_for(4, canvas.width_px, 3, 8)
    # Texture is seen through perspective: scale it with distance in bands so that it is never finer than a pixel.
    patch = fbm(x, z, 0.55, 4, seed)
    lively = fbm(canvas.u[at], canvas.v[at] * 1.8 + 0.012 * patch, 14, octaves, seed + 1, gain=0.62)
    colour = mix(grass, dark, smooth(-0.6, 1.2, patch + 0.35 * lively))
    colour = mix(colour, light_patch, smooth(0.5, 2.0, fbm(x, z, 1.3, 4, seed + 2) + 0.3 * lively) * 0.8)
    steep = np.hypot(slope_x, slope_z)
    colour = mix(colour, rock * (1 + 0.22 * lively[..., None]), smooth(0.55, 1.0, steep + 0.12 * lively))
    colour = colour * (1 + 0.17 * lively)[..., None]
    bump = np.float32(0.22) * lively
    if forest > 0:
        trees = smooth(0.15, 0.45, fbm(x, z, 0.9, 4, seed + 5) * 0.5 + forest * 1.5 - 0.75 - steep * 0.3)
        # Crowns are seen from the side, so their pattern lies in the picture, not on the ground.
        bent, risen = warp(canvas.u[at], canvas.v[at] * 1.25 + 0.02 * np.log(z), 60, 0.003, seed + 7)
        _, border, tone = cells(bent, risen, 105, seed + 6)
        crown = smooth(0.0, 0.6, border + 0.12 * lively)
        green = mix(srgb("#26401f"), srgb("#4d6a2b"), tone)
        colour = mix(colour, green * (0.5 + 0.55 * crown[..., None]), trees)
        bump = bump + trees * (crown - 0.5) * 0.8
    if snow_above is not None:
        colour = mix(colour, srgb("#f2f5fa"), smooth(0, 0.25, here - snow_above - 0.25 * steep + 0.06 * lively))
    normal = np.sqrt(1 + slope_x**2 + slope_z**2)
    sun = light.sun_to
    direct = (-slope_x * sun[0] + sun[1] + slope_z * sun[2]) / normal
    direct = np.clip(direct + bump * 0.5 * (1 - direct), 0, 1)
    if light.dapple:
        direct = direct * (1 - light.dapple * smooth(-0.1, 0.9, fbm(x, z, 0.13, 3, seed + 9)))
    return colour * (direct[..., None] * light.sun + (0.75 + 0.25 / normal)[..., None] * light.ambient)


def rolling(seed, scale=1.0, tall=1.0, octaves=5, rough=0.45, ridged=False, valley=0.0, flat_until=0.0):
    """A height field: hills of height ``tall`` every ``scale``; ``valley`` raises the sides, ``flat_until`` in z."""

    def height(x, z):
        if ridged:
            # Crests bent by a slow field, and standing on broad massifs: straight ridged noise makes a row of spikes.
            bent, away = warp(x, z, 0.7 / scale, 0.22 * scale, seed + 1)
            crest = 1 - fbm(bent, away, 0.8 / scale, octaves, seed, gain=rough, shape="billow")
            massif = fbm(x, z, 0.55 / scale, 2, seed + 3)
            h = np.maximum(0.30 + 0.22 * massif, 0.02) * (1.6 * crest - 0.35) * tall * 1.1
        else:
            h = (0.5 + 0.33 * fbm(x, z, 1.0 / scale, octaves, seed, gain=rough)) * tall
        if valley:
            h = h + valley * np.abs(x) ** 1.3
        if flat_until:
            h = h * smooth(flat_until * 0.6, flat_until * 1.8, z)
        return h.astype(np.float32)

    return height
