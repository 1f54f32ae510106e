"""Wide land to a hazy horizon: ridges in the air, fog and low clouds, and what stands near a look-out."""

import numpy as np

from ..land import paint_land, rolling
from ..light import blur, mix, smooth, srgb
from ..noise import fbm, octaves_for
from ..plants import bush, conifer
from ..sprite import Sprite
from ..water import paint_water
from .outdoors import boulder, fringe, sky_over

COVERS = {
    #             lit        shrubs     bare
    "chaparral": ("#6f6649", "#37392a", "#988260"),
    "woods": ("#46523a", "#253022", "#7c7656"),
    "steppe": ("#a4925f", "#66683c", "#bda57c"),
    "fields": ("#7a8150", "#434f34", "#b8a873"),
    "snowy": ("#8d939a", "#38423e", "#e6ecf2"),
}


class Ridge:
    """A ridge or slope across the picture: its ``line`` (v by column), haze in front and what grows on it."""

    def __init__(self, line, veil, depth, cover, seed, patches, shade):
        self.line, self.veil, self.depth, self.cover = line, veil, depth, cover
        self.seed, self.patches, self.shade = seed, patches, shade

    def at(self, x):
        """Height of the line at ``x`` widths."""
        return float(self.line[int(np.clip(x, 0, 0.999) * len(self.line))])

    def paint(self, canvas, light):
        """Gullies and shrubs, lit by the sun, paler with distance."""
        at = canvas.window(0, float(self.line.min()) - 2 * canvas.px, 1, canvas.aspect)
        u, v = canvas.u[at], canvas.v[at]
        if min(u.shape) < 2:
            return
        below = v - self.line[None]
        # The ground's pattern follows the broad form of the ridge, not each of its teeth.
        broad = np.maximum(v - blur(self.line[None], 0.06 / canvas.px), -0.1)
        near = 1 - self.depth
        # Shrubs grow towards the viewer, as far as the slope comes near.
        approach = 8 * near
        across = (u - 0.5) / (1 + approach * np.maximum(broad, 0))
        down = 1.9 * np.where(broad > 0, np.log1p(approach * np.maximum(broad, 0)) / approach, broad)
        grain = 85 - 30 * near
        gully = fbm(u + 0.25 * broad, broad * 2.6, 4 + 5 * self.depth, 4, self.seed, gain=0.5)
        slope = np.gradient(gully, axis=1) / (canvas.px * 55)
        shrubs = fbm(across, down, grain, octaves_for(grain, canvas.width_px, 2, 4), self.seed + 1, gain=0.75)
        stands = fbm(across, 1.5 * down, 6, 4, self.seed + 2)
        lit, dark, bare = (srgb(c) for c in COVERS[self.cover])
        colour = mix(lit, dark, smooth(-1.0, 1.2, 0.8 * shrubs + 0.6 * stands + 0.2 * gully))
        colour = mix(colour, bare, smooth(0.7, 1.9, 0.6 * shrubs - 0.8 * stands + self.patches))
        sun = np.clip(0.42 - slope * light.sun_to[0] + 0.15 * shrubs * near, 0.05, 1) * (
            0.3 + 0.7 * max(float(light.sun_to[1]), 0)
        )
        if light.sun_to[2] < 0:
            sun = sun * 0.35
        colour = colour * (sun[..., None] * light.sun + light.ambient * 0.8) * (1 + 0.25 * near * shrubs)[..., None]
        colour = colour * np.float32(self.shade)
        # Air is thicker in the valleys than over the crests.
        veil = np.clip(self.veil * (0.85 + 1.6 * np.clip(below, 0, 0.1)), 0, 0.97)
        colour = mix(np.maximum(colour, 0), light.haze, veil)
        foliage = self.cover in ("woods", "chaparral", "fields") and self.depth < 0.6
        canvas.put(
            np.clip(below / canvas.px + 0.5, 0, 1),
            colour,
            "foliage" if foliage else "rigid",
            np.clip(self.depth - 0.5 * np.clip(below, 0, 0.5), 0.05, 1),
            at,
            mobility=0.08 if foliage else 0.0,
        )


def view(canvas, style, times):
    """The light and the ridges of a wide view, far to near; paints the sky."""
    low, high = (-0.1, 0.15) if style.chance("from_above", 0.08) else (0.25, 0.72)
    horizon_v = style.between("horizon", low, high) * canvas.aspect
    light = sky_over(canvas, style, horizon_v + 0.02, times, (0.25, 0.2, 0.1, 0.45))
    rng = canvas.rng
    clear_air = style.between("clear_air", 0.0, 1.0)
    if light.name == "day":
        light.haze = mix(light.haze, np.float32([0.8, 0.82, 0.84]) * light.haze.mean() * 1.15, rng.uniform(0, 0.9))
    glare, whiteness = style.between("glare", 0.0, 1.0), style.between("whiteness", 1.0, 2.2)
    _bright_horizon(canvas, light, horizon_v, glare, style.between("glare_height", 0.05, 0.25), whiteness)
    cover = style.pick("cover_of_land", tuple(COVERS), (0.38, 0.26, 0.15, 0.13, 0.08))
    shade = style.between("shade", 0.4, 1.0)
    descent, haze_fall = style.between("descent", 0.08, 0.65), style.between("haze_fall", 0.8, 2.2)
    count = int(style.between("ridges", 3, 6.99))
    rough = style.between("rough", 0.1, 1.0) ** 2
    bottom = canvas.aspect - horizon_v
    layers = []
    for k in range(count):
        part = k / (count - 1)
        scale = 1.2 + 2.2 * rng.uniform() + 2.0 * (1 - part)
        tall = (0.006 + 0.04 * rough) * rng.uniform(0.35, 1.0) * (1 + 1.2 * part)
        crest = fbm(canvas.u[:1], canvas.u[:1] * 0 + 7.3 * k, scale, 7, canvas.seed(), gain=0.36 + 0.06 * rough)[0]
        lift = bottom * (0.01 + descent * part**1.7)
        line = horizon_v + lift - tall * crest + rng.normal(0, 0.05) * part * (canvas.u[0] - 0.5)
        veil = (1 - part) ** haze_fall * (0.88 - 0.38 * clear_air) * min(0.7 + 0.3 * light.haze_density, 1.05)
        patches = rng.uniform(-0.8, 0.6)
        layers.append(Ridge(line.astype(np.float32), veil, 0.97 - 0.75 * part, cover, canvas.seed(), patches, shade))
    return light, layers


def _bright_horizon(canvas, light, horizon_v, amount, height, whiteness):
    """Haze of ``height`` over the horizon, which pales the lower sky; sky it stays."""
    near = np.exp(-np.maximum(horizon_v + 0.02 - canvas.v, 0) / height)[..., None] * np.float32(0.9 * amount)
    pale = mix(light.haze, light.horizon, 0.5) * (whiteness if light.name in ("day", "overcast") else 1.0)
    canvas.rgb += (pale - canvas.rgb) * near


def low_cloud(canvas, light, layer, size):
    """Small heaped clouds standing on the horizon or on a ridge: they look like smoke and are sky."""
    rng = np.random.default_rng(canvas.seed())
    for _ in range(int(rng.integers(1, 5))):
        wide = size * rng.uniform(0.4, 1.0)
        x, foot = rng.uniform(0, 1), layer.at(0.5) - rng.uniform(-0.01, 0.16)
        at = canvas.window(x - wide, foot - wide * 0.6, x + wide, foot + 0.02)
        u, v = canvas.u[at], canvas.v[at]
        if min(u.shape) < 2:
            continue
        grain = 2.6 / wide
        lumps = fbm(u, v * 1.5, grain, octaves_for(grain, canvas.width_px, 2, 6), canvas.seed(), gain=0.6)
        up = (foot - v) / (0.32 * wide)
        body = 1.0 - ((u - x) / (0.8 * wide)) ** 2 - np.where(up > 0, up * up, 12 * up * up) + 0.55 * lumps
        alpha = smooth(0.1, 0.9, body) * rng.uniform(0.5, 1.0)
        lit = np.clip(0.55 + 0.3 * up + 0.2 * lumps, 0.1, 1.1)
        colour = lit[..., None] * light.sun * 0.4 + light.ambient * 0.95
        canvas.put(
            alpha,
            mix(colour, light.haze, rng.uniform(0.0, 0.4)),
            "sky",
            1.0,
            at,
            mobility=np.clip(0.1 + alpha, 0, 1),
            flow=0.004 * canvas.wind,
            threshold=0.15,
        )


def haze_bank(canvas, light, layer, density):
    """Haze or fog that lies below a ridge: land remains what it is, and where the fog hides it there is only sky."""
    rng = np.random.default_rng(canvas.seed())
    thick = rng.uniform(0.015, 0.07)
    middle = blur(layer.line[None], 0.12 / canvas.px) + rng.uniform(0.0, 0.06)
    noise = fbm(canvas.u, canvas.v * 3, 2.0, octaves_for(2, canvas.width_px, 3, 6), canvas.seed())
    alpha = np.exp(-(((canvas.v - middle) / thick) ** 2)) * density * smooth(-1.4, 1.4, noise)
    pale = mix(light.haze, light.flat(0.3) * 0.8, rng.uniform(0, 0.7))
    canvas.put(alpha, pale, "sky", 0.95, mobility=0.2, flow=0.002 * canvas.wind, threshold=0.6)


def foreground(canvas, style, light, layer):
    """What stands near the look-out: a track, a slope, rocks, shrubs, trees; pale houses farther down."""
    rng = canvas.rng
    if style.chance("coast", 0.12):
        shore_v = max(layer.at(0.5) + style.between("shore", -0.02, 0.06), 0.35 * canvas.aspect)
        slope = style.between("wave_slope", 0.015, 0.06)
        paint_water(canvas, light, shore_v - 0.03, slope=slope, start_v=shore_v, mirror_v=shore_v, travels=True)
        return
    if style.chance("track", 0.35):
        _track(canvas, light, layer)
    if style.chance("settlement", 0.3):
        _settlement(canvas, light, layer)
    if style.chance("slope", 0.18):
        near = rolling(canvas.seed(), 3.5, 0.7, 5, 0.45)
        palette = style.pick("slope_land", ("heath", "dry", "alpine"))
        horizon_v = canvas.aspect * 0.72
        paint_land(canvas, light, horizon_v, 1.0, lambda x, z: near(x, z) - 0.2, 0.9, 9, palette, 0.4, None, 60)
    for _ in range(int(style.between("rocks", -6, 7))):
        foot = rng.uniform(canvas.aspect - 0.16, canvas.aspect + 0.03)
        boulder(canvas, light, rng.uniform(0, 1), foot, rng.uniform(0.02, 0.16), rng.uniform(0.02, 0.09), 0.1)
    if style.chance("outcrop", 0.15):
        pale = ("#c9b79a", "#d6cab6", "#a89c8a")[int(rng.integers(3))]
        around, foot = rng.uniform(0.1, 0.9), rng.uniform(0.6, 0.9) * canvas.aspect
        for _ in range(14):
            u, v, size = rng.normal(around, 0.15), foot + rng.normal(0, 0.05), rng.uniform(0.008, 0.035)
            boulder(canvas, light, u, max(v, layer.at(u) + 0.02), size, size * 0.8, 0.35, colour=srgb(pale))
    if style.chance("wood_edge", 0.25):
        fringe(canvas, light, canvas.aspect + 0.02, style.between("wood_height", 0.06, 0.2), depth=0.3, veil=0.05)
    for _ in range(int(style.between("shrubs", -3, 5))):
        wide = rng.uniform(0.08, 0.3)
        foot = canvas.aspect + rng.uniform(0, 0.05)
        leaves = str(rng.choice(("olive", "dark", "olive", "dark", "summer", "autumn")))
        bush(canvas, light, rng.uniform(0, 1), foot, wide, wide * rng.uniform(0.3, 0.7), leaves, 0.15)
    for _ in range(int(style.between("conifers", -6, 3))):
        conifer(canvas, light, rng.uniform(0, 1), canvas.aspect + 0.04, rng.uniform(0.15, 0.45), 0.2)


def _track(canvas, light, layer):
    """A pale dirt road that winds over the near slope."""
    rng = np.random.default_rng(canvas.seed())
    t = np.linspace(0, 1, 40)
    start, end = layer.at(0.5) + 0.03, canvas.aspect + 0.02
    v = start + (end - start) * t**1.6
    bends = np.sin(t * rng.uniform(5, 14) + rng.uniform(0, 6.3)) * (0.03 + 0.22 * t)
    x = rng.uniform(0.2, 0.8) + bends + rng.normal(0, 0.2) * t
    sand = srgb(("#c9b08c", "#d8cbb4", "#a99a86")[int(rng.integers(3))]) * light.flat(0.5)
    sprite = Sprite(canvas)
    points = np.stack([x, v], -1)
    for k in range(39):
        sprite.strokes([points[k : k + 2]], [0.003 + 0.02 * t[k] ** 2], [mix(sand, light.haze, 0.25 * (1 - t[k]))])
    sprite.put("rigid", 0.4)


def _settlement(canvas, light, layer):
    """Pale roofs and walls, a pixel or two each, scattered over the land."""
    rng = np.random.default_rng(canvas.seed())
    count = int(rng.integers(8, 60))
    low, high = layer.at(0.5) - 0.12, layer.at(0.5) + 0.1
    x, v = rng.normal(rng.uniform(0.2, 0.8), 0.2, count), rng.uniform(low, high, count)
    sprite = Sprite(canvas)
    for u0, v0 in zip(x, v, strict=True):
        if v0 < layer.at(u0) - 0.06:
            continue
        wide, tall = rng.uniform(0.004, 0.012), rng.uniform(0.002, 0.005)
        colour = mix(srgb("#e8e4dc") * rng.uniform(0.15, 0.8) * light.flat(0.4), light.haze, 0.3)
        sprite.shape([(u0, v0), (u0 + wide, v0), (u0 + wide, v0 + tall), (u0, v0 + tall)], colour)
    sprite.put("rigid", 0.7)


def _mast(canvas, light):
    """A lattice mast beside the camera, cut off by the picture."""
    rng = np.random.default_rng(canvas.seed())
    x, wide = rng.choice([rng.uniform(0.02, 0.2), rng.uniform(0.8, 0.98)]), rng.uniform(0.02, 0.07)
    top, foot = rng.uniform(-0.1, 0.4), canvas.aspect + 0.05
    steps = np.arange(top, foot, wide * 1.3)
    narrow = lambda v: wide * (0.35 + 0.15 * (v - top) / (foot - top))
    steel = srgb("#6a6c70") * light.flat(0.3)
    lines = [[(x + side * narrow(top), top), (x + side * narrow(foot), foot)] for side in (-1, 1)]
    for k, v in enumerate(steps[:-1]):
        side = 1 if k % 2 else -1
        lines.append([(x - side * narrow(v), v), (x + side * narrow(steps[k + 1]), steps[k + 1])])
    sprite = Sprite(canvas)
    sprite.strokes(lines, [wide * 0.08] * len(lines), [steel] * len(lines))
    sprite.put("rigid", 0.1)


def camera(canvas, style, light):
    """How a look-out's camera sees: perhaps past its mast, perhaps through a wide lens with dark corners."""
    if style.chance("mast", 0.12):
        _mast(canvas, light)
    canvas.lens()
    if style.chance("tube", 0.3):
        reach = style.between("tube_radius", 0.54, 0.68)
        distance = np.hypot(canvas.u - 0.5, (canvas.v - canvas.aspect / 2) / max(canvas.aspect, 0.7))
        open_to = smooth(reach, reach - style.between("tube_soft", 0.03, 0.3), distance)
        canvas.rgb *= open_to[..., None]
        canvas.label(open_to < 0.03, "rigid", 0.0)
