"""Scenes indoors: curtained windows, furnished rooms, shelves, close-ups of materials."""

import numpy as np

from ..cloth import drape
from ..light import blur, light_at, mix, smooth, srgb
from ..materials import CLOSE_UPS, hue, paint_surface
from ..noise import fbm
from ..plants import potted_plant
from ..room import (
    books,
    jar,
    panel,
    picture,
    pool_shadow,
    revolve,
    screen,
    soft_shadow,
    table_top,
    wall_and_floor,
    window_light,
)
from ..town import WORDS, text

ROOM_TIMES = ("day", "overcast", "golden", "night")


def room_light(canvas, style):
    """Daylight from a window or lamplight in the evening."""
    light = light_at(style.pick("time", ROOM_TIMES, (0.4, 0.25, 0.2, 0.15)), canvas.rng)
    if light.name == "night":
        light.sun, light.ambient = np.float32([0.9, 0.6, 0.33]), np.float32([0.22, 0.16, 0.11])
    else:
        light.sun, light.ambient = light.sun * 0.55, light.ambient * np.float32([0.72, 0.62, 0.5]) + 0.06
    canvas.exposure = style.between("exposure", 0.9, 1.4)
    return light


def outside_view(canvas, light):
    """What a window shows, out of focus: sky above, greenery or roofs below."""
    seed = canvas.seed()
    green = canvas.rng.random() < 0.6
    line = canvas.rng.uniform(0.25, 0.5) * canvas.aspect

    def view(u, v):
        sky = mix(light.horizon, light.zenith, np.clip(1 - v / line, 0, 1) * 0.7)
        far = smooth(-0.06, 0.06, v - line + 0.06 * fbm(u, v, 4, 3, seed))
        leaf = fbm(u, v, 9, 3, seed + 1)
        ground = (srgb("#4a6a34") if green else srgb("#8a7a6c")) * light.flat(0.6) * (1 + 0.4 * leaf)[..., None]
        view_rgb = mix(sky * 1.5, ground * 1.3, far)
        return blur(np.ascontiguousarray(view_rgb, np.float32), 0.006 / canvas.px)

    return view


def curtains(canvas, style):
    """A window with curtains moving in the draught."""
    rng = canvas.rng
    light = room_light(canvas, style)
    floor_v = canvas.aspect * style.between("floor", 0.84, 0.98)
    wall_and_floor(
        canvas,
        light,
        floor_v,
        style.pick("wall", ("plaster", "planks", "brick"), (0.7, 0.15, 0.15)),
        "planks",
        lamp=(0.5, 0.3),
        soft=0.8,
    )
    x, wide = style.between("u", 0.4, 0.6), style.between("width", 0.35, 0.55)
    top, sill = 0.06, floor_v - style.between("sill", 0.02, 0.25) * canvas.aspect
    view = outside_view(canvas, light)
    window_light(canvas, light, x - wide / 2, top, x + wide / 2, sill, view, panes=(2, 3))
    if style.chance("plant", 0.4):
        potted_plant(canvas, light, x + rng.uniform(-0.1, 0.1), sill + 0.01, 0.18, "summer", 0.5, still=0.4)
    sheer = style.between("sheer", 0.0, 1.0)
    sheer = 0.0 if sheer < 0.4 else sheer * 0.8
    colour = style.pick(
        "colour", ("#f1ece2", "#9a3b3b", "#4d6a82", "#c9b48a", "#6d7f5c", "#d9a6a0", "#3b3f52", "#e3c98a")
    )
    stripe = style.pick("stripe", (None, None, None, "#f4f1ea", "#5a4636"))
    long = floor_v + 0.02 if style.chance("long", 0.6) else sill + 0.05
    cover = style.between("cover", 0.26, 0.52)
    glow = light.horizon * 1.3 + light.sun * 0.3
    for side in (-1, 1):
        outer = x + side * wide * 0.62
        inner = outer - side * wide * 1.24 * cover
        drape(
            canvas,
            light,
            min(outer, inner),
            max(outer, inner),
            top - 0.025,
            long,
            folds=style.between("folds", 3.5, 8),
            colour=colour,
            stripe=stripe,
            sheer=sheer,
            depth=0.5,
            behind=glow,
        )
    at = canvas.window(x - wide * 0.7, top - 0.04, x + wide * 0.7, top - 0.02)
    t = (canvas.v[at] - top + 0.04) / 0.02
    canvas.put(
        np.ones_like(t),
        srgb(style.pick("rod", ("#5d3a22", "#c9b06a", "#2a2a2c"))) * (light.flat(0.5) * (1.2 - t)[..., None]),
        "rigid",
        0.48,
        at,
    )
    _furnish(canvas, light, style, floor_v, avoid=x)
    canvas.lens(vignette=0.28)


def _furnish(canvas, light, style, floor_v, avoid=0.5):
    """A few things a room has: a chest, a chair, a lamp, pictures, a plant."""
    rng = canvas.rng
    for _ in range(int(style.between("furniture", 0, 3.9))):
        x = rng.choice([rng.uniform(-0.05, 0.15), rng.uniform(0.75, 0.95)])
        what = rng.choice(["chest", "lamp", "plant", "picture", "sofa"])
        if what == "chest":
            wide, tall = rng.uniform(0.16, 0.3), rng.uniform(0.14, 0.26)
            base = floor_v + 0.04
            panel(
                canvas,
                light,
                x,
                base - tall,
                x + wide,
                base,
                str(rng.choice(["wood", "planks", "plaster", "metal"])),
                depth=0.45,
            )
            for k in range(3):
                y = base - tall + tall * (k + 0.12) / 3
                panel(canvas, light, x + 0.012, y, x + wide - 0.012, y + tall * 0.26, "wood", depth=0.44, shadow=0.004)
                panel(
                    canvas,
                    light,
                    x + wide * 0.42,
                    y + tall * 0.11,
                    x + wide * 0.58,
                    y + tall * 0.14,
                    "metal",
                    depth=0.43,
                    shadow=0.003,
                )
            jar(canvas, light, x + wide * rng.uniform(0.2, 0.8), base - tall, 0.09, 0.43)
            if rng.random() < 0.4:
                books(canvas, light, x + 0.02, x + wide * 0.5, base - tall, 0.09, 0.43)
        elif what == "lamp":
            base = floor_v + 0.05
            tall = rng.uniform(0.3, 0.45) * min(1, canvas.aspect * 1.5)
            panel(canvas, light, x - 0.004, base - tall, x + 0.004, base, "metal", depth=0.4, shadow=0.004)
            on = light.name == "night"
            curve = lambda t: 0.075 - 0.035 * t
            revolve(
                canvas,
                light,
                x,
                base - tall + 0.02,
                0.09,
                curve,
                srgb("#e6d3ae") * (3.0 if on else 1.0),
                0.4,
                0.18,
                0.0,
            )
        elif what == "plant":
            pool_shadow(canvas, x, floor_v + 0.07, 0.09, 0.02, 0.5)
            potted_plant(
                canvas,
                light,
                x,
                floor_v + 0.07,
                rng.uniform(0.25, 0.4),
                str(rng.choice(["summer", "dark", "olive"])),
                0.35,
                still=0.3,
            )
        elif what == "picture":
            y = rng.uniform(0.05, 0.3) * canvas.aspect
            picture(canvas, light, x, y, x + rng.uniform(0.1, 0.2), y + rng.uniform(0.1, 0.2), 0.7)
        else:
            _sofa(canvas, light, x, floor_v + 0.06, rng.uniform(0.3, 0.5))


def _sofa(canvas, light, x, base, wide):
    rng = canvas.rng
    cover = hue(rng)
    stuff = str(rng.choice(["weave", "leather", "carpet"]))
    base_colour = None if stuff == "leather" else cover
    panel(canvas, light, x, base - wide * 0.42, x + wide, base - wide * 0.1, stuff, base_colour, depth=0.42, zoom=0.3)
    for k in range(2):
        panel(
            canvas,
            light,
            x + wide * (0.08 + 0.43 * k),
            base - wide * 0.24,
            x + wide * (0.49 + 0.43 * k),
            base - wide * 0.08,
            stuff,
            base_colour,
            0.4,
            1.15,
            0.3,
            0.01,
        )
    for a in (x - wide * 0.04, x + wide * 0.92):
        panel(canvas, light, a, base - wide * 0.3, a + wide * 0.12, base, stuff, base_colour, 0.38, 0.9, 0.3, 0.01)
    panel(
        canvas,
        light,
        x + wide * 0.2,
        base - wide * 0.36,
        x + wide * 0.36,
        base - wide * 0.22,
        "knit",
        None,
        0.37,
        1.1,
        0.2,
        0.008,
    )


def room(canvas, style):
    """A furnished room: everything in it stands still, but for a plant or a curtain now and then."""
    rng = canvas.rng
    light = room_light(canvas, style)
    floor_v = canvas.aspect * style.between("floor", 0.66, 0.82)
    wall_and_floor(
        canvas,
        light,
        floor_v,
        style.pick("wall", ("plaster", "brick", "planks", "tiles", "concrete"), (0.5, 0.15, 0.15, 0.1, 0.1)),
        style.pick("floor_name", ("planks", "floor_tiles", "carpet", "concrete")),
        lamp=(rng.uniform(0, 1), 0.1),
        soft=0.8,
    )
    if style.chance("window", 0.45):
        u0 = rng.uniform(0.1, 0.6)
        window_light(canvas, light, u0, 0.05, u0 + 0.28, floor_v * 0.72, outside_view(canvas, light))
    for _ in range(int(style.between("pictures", 0, 3.9))):
        u0, v0 = rng.uniform(0.05, 0.8), rng.uniform(0.04, 0.25) * canvas.aspect
        picture(canvas, light, u0, v0, u0 + rng.uniform(0.1, 0.22), v0 + rng.uniform(0.1, 0.2))
    for _ in range(2):
        _furnish(canvas, light, style, floor_v)
    if style.chance("screen", 0.35):
        u0, wide = rng.uniform(0.05, 0.6), rng.uniform(0.2, 0.36)
        v0 = rng.uniform(0.08, 0.3) * canvas.aspect
        screen(canvas, light, u0, v0, u0 + wide, v0 + wide * 9 / 16)
    if style.chance("sofa", 0.5):
        _sofa(canvas, light, rng.uniform(0.15, 0.5), floor_v + 0.08, rng.uniform(0.35, 0.5))
    if style.chance("table", 0.5):
        edge = canvas.aspect - rng.uniform(0.05, 0.12)
        table_top(canvas, light, edge, gloss=0.15)
        for _ in range(int(rng.integers(0, 4))):
            jar(canvas, light, rng.uniform(0.1, 0.9), edge + 0.03, rng.uniform(0.1, 0.2), 0.1)
    canvas.lens(vignette=0.3)


def shelf(canvas, style):
    """Shelves of books, jars, boxes and small plants, or a shop window with goods and prices."""
    rng = canvas.rng
    light = room_light(canvas, style)
    paint_surface(canvas, light, style.pick("wall", ("plaster", "wood", "planks", "tiles")), depth=0.8, flat=True)
    rows = int(style.between("rows", 2, 5.9))
    step = canvas.aspect / rows
    wood = str(rng.choice(["wood", "planks", "metal", "plaster"]))
    for k in range(rows):
        base = (k + 0.93) * step
        canvas.rgb[canvas.window(0, base - step * 0.9, 1, base - step * 0.6)] *= 0.7
        panel(canvas, light, -0.01, base, 1.01, base + step * 0.07, wood, depth=0.5, shadow=0.008)
        x = rng.uniform(0, 0.05)
        while x < 0.97:
            what = rng.choice(["books", "jars", "box", "gap", "plant", "boxes"], p=[0.34, 0.26, 0.16, 0.08, 0.06, 0.10])
            wide = rng.uniform(0.1, 0.3)
            end = min(x + wide, 0.99)
            if what == "books":
                books(canvas, light, x, end, base, step * 0.78, 0.5)
            elif what == "jars":
                for px in np.arange(x + step * 0.2, end - step * 0.1, step * 0.42):
                    jar(canvas, light, px, base, step * rng.uniform(0.4, 0.72), 0.48)
            elif what == "box":
                panel(
                    canvas,
                    light,
                    x + 0.01,
                    base - step * rng.uniform(0.3, 0.75),
                    end - 0.01,
                    base,
                    str(rng.choice(["paper", "weave", "wood", "metal", "leather"])),
                    hue(rng),
                    0.49,
                    shadow=0.01,
                )
                text(
                    canvas,
                    WORDS[int(rng.integers(len(WORDS)))],
                    (x + end) / 2,
                    base - step * 0.15,
                    step * 0.12,
                    hue(rng) * 0.3,
                    0.49,
                    end - x - 0.04,
                )
            elif what == "boxes":
                for px in np.arange(x, end - 0.03, 0.045):
                    panel(canvas, light, px, base - step * 0.55, px + 0.04, base, "paper", hue(rng), 0.49, shadow=0.004)
            elif what == "plant":
                potted_plant(canvas, light, (x + end) / 2, base, step * 0.8, "dark", 0.48, still=0.2)
            x = end + rng.uniform(0.0, 0.03)
    if style.chance("screen", 0.25):
        u0, wide = rng.uniform(0.0, 0.65), rng.uniform(0.25, 0.45)
        v0 = rng.uniform(0.0, 0.4) * canvas.aspect
        screen(canvas, light, u0, v0, u0 + wide, v0 + wide * 9 / 16, 0.2)
    canvas.lens(vignette=0.25)


def closeup(canvas, style):
    """One or two surfaces from near: nothing moves, whatever it looks like."""
    light = light_at(style.pick("time", ("day", "overcast", "golden", "dusk"), (0.4, 0.3, 0.2, 0.1)), canvas.rng)
    canvas.exposure = light.exposure * style.between("exposure", 0.8, 1.2)
    rng = canvas.rng
    names = list(rng.permutation(CLOSE_UPS))
    shade = 1 - 0.3 * smooth(-0.5, 1.5, fbm(canvas.u, canvas.v, 1.2, 2, canvas.seed()))
    paint_surface(
        canvas, light, style.pick("surface", names), depth=0.5, zoom=style.between("zoom", 0.6, 3.0), shade=shade
    )
    if style.chance("second", 0.45):
        split = rng.uniform(0.35, 0.75)
        if rng.random() < 0.5:
            at = canvas.window(0, canvas.aspect * split, 1, canvas.aspect)
        else:
            at = canvas.window(split, 0, 1, canvas.aspect)
        soft_shadow(canvas, canvas.u[at].min(), canvas.v[at].min(), 1.1, canvas.aspect + 0.1, 0.02, 0.4)
        paint_surface(canvas, light, names[1], at=at, depth=0.4, zoom=rng.uniform(0.6, 2.0))
    if style.chance("sign", 0.25):
        u0, v0 = rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.5) * canvas.aspect
        panel(
            canvas,
            light,
            u0,
            v0,
            u0 + 0.4,
            v0 + 0.16,
            str(rng.choice(["metal", "wood", "plaster", "rust"])),
            hue(rng),
            0.35,
        )
        text(
            canvas,
            WORDS[int(rng.integers(len(WORDS)))],
            u0 + 0.2,
            v0 + 0.105,
            0.06,
            hue(rng) * light.flat(0.2),
            0.35,
            0.36,
        )
    canvas.lens()
