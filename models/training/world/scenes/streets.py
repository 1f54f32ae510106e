"""Scenes in town: a street with flags, a city under clouds, awnings, a yard with laundry."""

import numpy as np

from ..cloth import FLAG_COLOURS, awning, flag, laundry, pole
from ..figures import bicycle, car, parked_car, person
from ..land import paint_land, rolling
from ..light import light_at, mix, smooth, srgb
from ..materials import paint_surface
from ..noise import fbm
from ..plants import bush, potted_plant, tree
from ..room import pool_shadow
from ..sky import paint_sky
from ..sprite import Sprite
from ..town import house_front, road, skyline, stand
from ..vapour import plume
from ..water import paint_water
from .outdoors import fringe, sky_over


def street(canvas, style):
    """A street in perspective: house fronts, shops, flags, people, parked cars, trees."""
    rng = canvas.rng
    horizon_v = style.between("horizon", 0.52, 0.64) * canvas.aspect
    light = sky_over(canvas, style, horizon_v, (0.5, 0.2, 0.1, 0.15, 0.05))
    vanish = style.between("vanish", 0.3, 0.7)
    eye, half_road = 0.17, style.between("half_road", 0.32, 0.5)
    left, right = -half_road * 1.7, half_road * 1.7
    far = style.between("far", 7, 12)
    night = light.dark
    if style.chance("closed_end", 0.6):
        skyline(canvas, light, horizon_v + eye / far, 0.16, 0.85, 0.4, night, 10, (vanish - 0.2, vanish + 0.2))
    else:
        fringe(canvas, light, horizon_v + eye / far, 0.08, depth=0.9)
    road(
        canvas,
        light,
        horizon_v,
        eye,
        vanish,
        half_road,
        style.pick("surface", ("setts", "cobbles", "asphalt", "floor_tiles", "concrete"), (0.3, 0.1, 0.35, 0.15, 0.1)),
        start_v=horizon_v + eye / far,
    )
    spots = []
    for side, edge in ((-1, left), (1, right)):
        sun_on = float(np.clip(0.28 - side * light.sun_to[0] * 0.5, 0.05, 0.55))
        _row(canvas, light, style, rng, side, edge, vanish, horizon_v, eye, far, sun_on, night, spots)
    _street_shadow(canvas, light, horizon_v, eye, vanish, left, right)
    _bunting(canvas, light, style, vanish, horizon_v, eye, left, right)
    _traffic(canvas, light, style, rng, vanish, horizon_v, eye, half_road, far)
    for z, side, edge in sorted(spots, reverse=True):
        _house_flag(canvas, light, rng, z, side, edge, vanish, horizon_v, style)
    if style.chance("flag_in_front", 0.45):
        x = style.between("front_u", 0.08, 0.92)
        top, thick = style.between("front_top", 0.03, 0.12), 0.012
        pole(canvas, light, x, top, canvas.aspect, thick, 0.1)
        width = style.between("front_width", 0.2, 0.3)
        flag(canvas, light, x + thick * 0.4 * np.sign(canvas.wind[0] + 1e-6), top + 0.01, width, width * 0.62, 0.1)
    canvas.lens()


def _row(canvas, light, style, rng, side, edge, vanish, horizon_v, eye, far, sun_on, night, spots):
    """House fronts of one side of the street, far to near."""
    depths = [far]
    while depths[-1] > 0.75:
        depths.append(depths[-1] - rng.uniform(0.7, 1.25) * (0.55 + 0.09 * depths[-1]))
    depths = [max(z, 0.42) for z in depths]
    for z_far, z_near in zip(depths[:-1], depths[1:]):
        storeys = int(rng.integers(2, 5))
        storey = 0.30
        tall = storey * storeys * rng.uniform(0.95, 1.15)
        pixel = np.sqrt(z_near * z_far) * canvas.px
        front = house_front(
            light,
            z_far - z_near,
            tall,
            storey,
            pixel,
            rng,
            night=night,
            sun_on=sun_on,
            shop=rng.random() < 0.75,
            widest_px=int(0.7 * canvas.width_px),
        )
        at = lambda z, h: (vanish + edge / z, horizon_v + (eye - h) / z)
        first, last = (z_near, z_far) if side < 0 else (z_far, z_near)
        corners = [at(first, tall), at(last, tall), at(last, 0), at(first, 0)]
        label = [np.clip(np.log(z / 0.4) / 3.4, 0.05, 0.95) for z in (first, last)]
        veil = 0.5 * light.haze_density * np.clip(z_far / 16, 0, 0.6)
        stand(canvas, front, corners, label, (light.haze, veil))
        if rng.random() < style.between("flags", 0.3, 0.8):
            if z_near > 0.8:
                spots.append(((z_near + z_far) / 2, side, edge))


def _house_flag(canvas, light, rng, z, side, edge, vanish, horizon_v, style):
    """A flag on a slanting staff from a front."""
    u0 = vanish + edge / z
    v0 = horizon_v + (0.17 - rng.uniform(0.42, 0.62)) / z
    size = 0.17 / z * style.chosen.get("flag_size", 1.0)
    tip = (u0 - side * size * 0.9, v0 - size * 0.75)
    sprite = Sprite(canvas)
    sprite.strokes([[(u0, v0), tip]], [size * 0.035], [srgb("#d8cfbb") * light.flat(0.5)])
    depth = float(np.clip(np.log(z / 0.4) / 3.4, 0.05, 0.95))
    sprite.put("rigid", depth)
    flag(canvas, light, tip[0], tip[1] + size * 0.05, size * 0.85, size * 1.15, depth)


def _street_shadow(canvas, light, horizon_v, eye, vanish, left, right):
    """The row of houses next to the sun throws its shadow across the street."""
    if light.name == "overcast" or light.dark:
        return
    below = np.maximum(canvas.v - horizon_v, 1e-4)
    z = eye / below
    x = (canvas.u - vanish) * z
    toward = light.sun_to[0]
    reach = np.clip(1.1 * abs(toward) / max(light.sun_to[1], 0.15), 0.1, 1.6)
    edge = right - reach if toward > 0 else left + reach
    rough = 0.12 * np.sign(np.sin(z * 2.3 + np.sin(z * 5.1)))
    inside = (x - edge - rough) * np.sign(toward)
    ground = (canvas.v > horizon_v + eye / 12) & (canvas.classes == 0)
    ground &= (x > left) & (x < right)
    canvas.rgb *= (1 - 0.5 * smooth(-0.01, 0.03, inside) * ground)[..., None]


def _bunting(canvas, light, style, vanish, horizon_v, eye, left, right):
    """Strings of small pennants across the street."""
    rng = np.random.default_rng(canvas.seed())
    for z in sorted(rng.uniform(1.5, 5, int(style.between("bunting", 0, 3.5))), reverse=True):
        high = 0.72
        t = np.linspace(0, 1, 40)
        us = vanish + (left + (right - left) * t) / z
        vs = horizon_v + (eye - high + 0.12 * 4 * t * (1 - t)) / z
        sprite = Sprite(canvas)
        sprite.strokes([np.stack([us, vs], -1)], [0.003 / z], [srgb("#3a3633") * light.flat(0.3)])
        sprite.put("rigid", 0.4)
        sprite = Sprite(canvas)
        size = 0.075 / z
        lean = canvas.wind[0] * 0.5
        count = 24
        for k in range(count):
            x, v = np.interp((k + 0.5) / count, t, us), np.interp((k + 0.5) / count, t, vs)
            colour = srgb(FLAG_COLOURS[(k * 4) % len(FLAG_COLOURS)]) * light.flat(0.45 + 0.3 * rng.random())
            sprite.shape(
                [
                    (x - size * 0.45, v),
                    (x + size * 0.45, v),
                    (x + (lean + rng.normal(0, 0.08)) * size, v + size * rng.uniform(0.9, 1.05)),
                ],
                colour,
            )
        sprite.put(
            "cloth",
            float(np.clip(np.log(z / 0.4) / 3.4, 0.05, 0.95)),
            mobility=0.8,
            sway=np.array([0.004, 0.0015j]) * (0.3 + 0.7 * canvas.wind_strength),
            profile="flag",
        )


def _traffic(canvas, light, style, rng, vanish, horizon_v, eye, half_road, far):
    """Parked cars, people, trees in tubs: far ones first."""
    items = []
    for _ in range(int(style.between("cars", 0, 5.9))):
        items.append((1.3 * (far * 0.6) ** rng.uniform(0, 1), "car", rng.choice([-1, 1]) * half_road * 0.78))
    for _ in range(int(style.between("people", 1, 10.9))):
        items.append(
            (
                0.95 * (far * 0.6) ** rng.uniform(0, 1),
                "person",
                half_road
                * (rng.choice([-1, 1]) * rng.uniform(1.05, 1.5) if rng.random() < 0.7 else rng.uniform(-0.7, 0.7)),
            )
        )
    for _ in range(int(style.between("trees", 0, 3.9))):
        items.append((rng.uniform(1.0, far * 0.6), "tree", rng.choice([-1, 1]) * half_road * 1.3))
    for _ in range(int(style.between("tubs", 0, 4.9))):
        items.append((rng.uniform(0.7, far * 0.4), "tub", rng.choice([-1, 1]) * half_road * 1.5))
    if style.chance("bicycle", 0.35):
        items.append((rng.uniform(0.8, 2.5), "bicycle", rng.choice([-1, 1]) * half_road * 1.5))
    for z, what, x in sorted(items, reverse=True):
        u0, foot = vanish + x / z, horizon_v + eye / z
        depth = float(np.clip(np.log(z / 0.4) / 3.4, 0.03, 0.95))
        veil = (light.haze, 0.25 * light.haze_density * np.clip(z / 12, 0, 1))
        if what == "car":
            parked_car(canvas, light, x, z, vanish, horizon_v, eye, depth, veil)
        elif what == "person":
            person(canvas, light, u0, foot, 0.175 / z, depth, veil=veil)
        elif what == "tree":
            tree(
                canvas,
                light,
                u0,
                foot,
                0.62 / z,
                style.pick("leaves", ("summer", "olive", "autumn", "spring")),
                depth,
                veil,
            )
        elif what == "tub":
            pool_shadow(canvas, u0, foot, 0.05 / z, 0.015 / z, 0.5)
            potted_plant(canvas, light, u0, foot, 0.15 / z, str(rng.choice(["summer", "dark"])), depth, still=0.7)
        else:
            bicycle(canvas, light, u0, foot, 0.2 / z, depth)


def city(canvas, style):
    """A city skyline under clouds, from a roof, a park or across the water."""
    horizon_v = style.between("horizon", 0.55, 0.8) * canvas.aspect
    light = sky_over(canvas, style, horizon_v, (0.42, 0.2, 0.16, 0.12, 0.1))
    night = light.dark
    skyline(canvas, light, horizon_v + 0.01, style.between("far_height", 0.12, 0.25), 0.9, 0.55, night, 26)
    skyline(canvas, light, horizon_v + 0.03, style.between("near_height", 0.14, 0.34), 0.75, 0.2, night, 16)
    rng = canvas.rng
    if style.chance("smoke", 0.25):
        plume(
            canvas,
            light,
            rng.uniform(0.2, 0.8),
            horizon_v - 0.1,
            0.25,
            0.012,
            0.45,
            1.0,
            (0.8, 0.8, 0.82),
            wisps=0.2,
            depth=0.8,
            speed=0.012,
        )
    ground = style.pick("ground", ("water", "park", "roof"), (0.35, 0.35, 0.3))
    if ground == "water":
        paint_water(
            canvas,
            light,
            horizon_v,
            start_v=horizon_v + 0.03,
            mirror_v=horizon_v + 0.03,
            frequency=2.0,
            slope=style.between("wave_slope", 0.02, 0.06),
        )
    elif ground == "park":
        near = rolling(canvas.seed(), 4, 0.2, 4)
        paint_land(
            canvas,
            light,
            horizon_v,
            1.0,
            lambda x, z: near(x, z) - 0.1,
            0.9,
            20,
            "spring",
            haze_distance=50,
            foliage=True,
        )
        fringe(canvas, light, horizon_v + 0.06, 0.09, depth=0.6, veil=0.1)
    else:
        at = canvas.window(0, horizon_v + 0.05, 1, canvas.aspect)
        paint_surface(
            canvas, light, style.pick("roof", ("tiles", "concrete", "brick", "metal")), at=at, depth=0.2, zoom=0.8
        )
        if style.chance("flag", 0.5):
            x = style.between("flag_u", 0.15, 0.85)
            top = style.between("flag_top", 0.05, 0.2) * canvas.aspect
            pole(canvas, light, x, top, canvas.aspect, 0.012, 0.1)
            flag(canvas, light, x, top + 0.01, 0.24, 0.15, 0.1)
    canvas.lens()


def awnings(canvas, style):
    """Shop fronts seen square on, with striped awnings, flags, pots and passers-by."""
    rng = canvas.rng
    light = light_at(style.pick("time", ("day", "golden", "overcast", "night"), (0.5, 0.2, 0.2, 0.1)), rng)
    canvas.exposure = light.exposure
    paint_sky(canvas, light, canvas.aspect * 0.8, "clear")
    floor_v = canvas.aspect * style.between("floor", 0.8, 0.9)
    unit = style.between("unit", 3.2, 5.5)
    shops = int(style.between("shops", 1, 3.5))
    x = -0.02
    for k in range(shops):
        wide = 1.05 / shops
        front = house_front(
            light, wide * unit, floor_v * unit * 1.0, 2.6, unit * canvas.px, rng, shop=True, night=light.dark
        )
        stand(canvas, front, [(x, 0), (x + wide, 0), (x + wide, floor_v), (x, floor_v)], (0.6, 0.6))
        if style.chance(f"awning_{k}", 0.85):
            top = floor_v - 2.95 / unit * rng.uniform(0.9, 1.0)
            drop = rng.uniform(0.5, 0.8) / unit
            soft = canvas.window(x, top + drop, x + wide, top + drop * 2.0)
            canvas.rgb[soft] *= 0.62
            pair = [FLAG_COLOURS[i] for i in rng.permutation(len(FLAG_COLOURS))[:1]] + ["#efe8da"]
            awning(canvas, light, x + wide * 0.06, x + wide * 0.94, top, drop, 0.5, pair)
        x += wide
    at = canvas.window(0, floor_v, 1, canvas.aspect)
    paint_surface(
        canvas,
        light,
        style.pick("pavement", ("floor_tiles", "cobbles", "concrete", "asphalt")),
        at=at,
        depth=0.2,
        zoom=0.5,
    )
    canvas.rgb[canvas.window(0, floor_v, 1, floor_v + 0.015)] *= 0.6
    for _ in range(int(style.between("flags", 0, 2.9))):
        fx, fv = rng.uniform(0.1, 0.9), rng.uniform(0.12, 0.4) * floor_v
        size = rng.uniform(0.1, 0.18)
        pole(canvas, light, fx, fv, fv + size * 0.9, 0.006, 0.5)
        flag(canvas, light, fx, fv + 0.005, size, size * 0.62, 0.5)
    for _ in range(int(style.between("pots", 0, 4.9))):
        px = rng.uniform(0.03, 0.97)
        pool_shadow(canvas, px, floor_v + 0.02, 0.05, 0.012, 0.5)
        potted_plant(
            canvas,
            light,
            px,
            floor_v + 0.02,
            rng.uniform(0.1, 0.22),
            str(rng.choice(["summer", "dark", "olive"])),
            0.4,
            still=0.8,
        )
    for _ in range(int(style.between("people", 0, 4.9))):
        person(canvas, light, rng.uniform(0.05, 0.95), floor_v + rng.uniform(0.02, 0.06), 1.72 / unit, 0.3)
    if style.chance("car", 0.25):
        car(canvas, light, rng.uniform(0.2, 0.8), canvas.aspect - 0.02, 4.2 / unit * 0.8, 0.15, lamps=light.dark)
    if style.chance("bicycle", 0.3):
        bicycle(canvas, light, rng.uniform(0.1, 0.9), floor_v + 0.03, 1.75 / unit, 0.35)
    canvas.lens()


def laundry_yard(canvas, style):
    """Washing on a line: in a garden, in a yard or across an alley."""
    rng = canvas.rng
    place = style.pick("place", ("garden", "yard"), (0.55, 0.45))
    if place == "garden":
        horizon_v = style.between("horizon", 0.5, 0.7) * canvas.aspect
        light = sky_over(canvas, style, horizon_v, (0.6, 0.2, 0.0, 0.2, 0.0))
        fringe(canvas, light, horizon_v + 0.03, style.between("hedge", 0.1, 0.22), depth=0.75, veil=0.12)
        at = canvas.window(0, horizon_v + 0.03, 1, canvas.aspect)
        below = canvas.v[at] - horizon_v
        colour = mix(
            srgb("#41682a"),
            srgb("#86a04a"),
            smooth(-1, 1.2, fbm(canvas.u[at], below * 3, 8, 7, canvas.seed(), gain=0.6)),
        ) * light.flat(0.55)
        canvas.put(np.ones_like(below), colour, "foliage", 0.4, at, mobility=0.15)
    else:
        light = light_at(style.pick("time", ("day", "golden", "overcast")), rng)
        canvas.exposure = light.exposure
        floor_v = canvas.aspect * 0.9
        front = house_front(light, 6, 6 * floor_v, 2.8, 6 * canvas.px, rng, shop=False)
        stand(canvas, front, [(0, 0), (1, 0), (1, floor_v), (0, floor_v)], (0.7, 0.7))
        paint_surface(canvas, light, "cobbles", at=canvas.window(0, floor_v, 1, canvas.aspect), depth=0.3, zoom=0.5)
    lines = int(style.between("lines", 1, 2.6))
    for k in range(lines):
        v = canvas.aspect * (style.between("line", 0.16, 0.34) + 0.2 * k)
        u0, u1 = rng.uniform(-0.05, 0.12), rng.uniform(0.88, 1.05)
        for px in (u0, u1):
            if 0 < px < 1:
                pole(canvas, light, px, v - 0.02, canvas.aspect * 0.95, 0.012, 0.3, "#7a6a55", knob=False)
        laundry(canvas, light, v, u0, u1, 8, style.between("size", 0.12, 0.24), 0.25 - 0.03 * k)
    if place == "garden" and style.chance("bush", 0.6):
        bush(canvas, light, rng.uniform(0, 1), canvas.aspect, 0.4, 0.2, "summer", 0.1, flowers="#e8a0b8")
    elif style.chance("pot", 0.5):
        potted_plant(canvas, light, rng.uniform(0.1, 0.9), canvas.aspect * 0.95, 0.25, "summer", 0.2, still=0.8)
    canvas.lens()
