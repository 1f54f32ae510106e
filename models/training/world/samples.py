"""The sample stills, art-directed pictures of the world: ``python -m world.samples OUT_DIR [name ...]``.

Each is a kind of the training world with its choices named, so that the network knows the look of them.
"""

import sys
from pathlib import Path

import cv2

from . import draw

LANDSCAPE, PORTRAIT = (1920, 1080), (1080, 1920)
SUPERSAMPLE = 1.5
JPEG_BYTES_MAX = 700_000

SAMPLES = {
    "lake_at_dusk": (
        "lake",
        LANDSCAPE,
        11,
        (0.5, 0.0),
        {
            "time": "dusk",
            "sun_in_view": True,
            "sun_u": 0.64,
            "elevation": 0.085,
            "clouds": "both",
            "cover": 0.42,
            "horizon": 0.47,
            "shore": "hills",
            "land": "alpine",
            "forest": 0.9,
            "hill_height": 2.0,
            "hill_scale": 15,
            "fringe": True,
            "tree_height": 0.05,
            "front": "reeds",
            "wave_slope": 0.02,
            "wave_frequency": 1.5,
            "reach": 70,
            "mist": True,
            "mist_density": 0.35,
            "exposure": 0.9,
            "boat": True,
            "boat_u": 0.34,
            "boat_v": 0.22,
            "boat_length": 0.1,
            "boat_paint": "#4a2e20",
            "fringe_count": 110,
            "reed_palette": "olive",
            "reed_height": 0.14,
            "haze": 0.7,
        },
    ),
    "waterfall": (
        "waterfall",
        PORTRAIT,
        21,
        (0.3, 0.0),
        {
            "time": "day",
            "clouds": "cumulus",
            "cover": 0.5,
            "steps": 2,
            "strands": 1,
            "fall_width": 0.30,
            "fall_u": 0.5,
            "rim": 0.16,
            "pool": 0.72,
            "moss": 0.45,
            "rock": "#7d766e",
            "exposure": 1.15,
            "wall_-1": True,
            "wall_1": True,
            "side_tree": False,
            "front_ferns": True,
            "side_shade": 0.38,
            "buttress_-1": 0.17,
            "buttress_1": 0.13,
            "buttress_top_-1": 0.12,
            "buttress_top_1": 0.2,
            "spray": 1.0,
        },
    ),
    "street_with_flags": (
        "street",
        LANDSCAPE,
        35,
        (-0.8, 0.0),
        {
            "time": "day",
            "sun_in_view": False,
            "azimuth": -0.75,
            "elevation": 0.62,
            "clouds": "cumulus",
            "cover": 0.5,
            "vanish": 0.45,
            "horizon": 0.6,
            "surface": "setts",
            "flags": 0.6,
            "bunting": 3.2,
            "cars": 3.2,
            "people": 9.2,
            "trees": 1.5,
            "flag_in_front": True,
            "front_u": 0.93,
            "front_top": 0.07,
            "front_width": 0.22,
        },
    ),
    "cafe_cup_with_steam": (
        "cafe",
        LANDSCAPE,
        41,
        (0.15, 0.0),
        {
            "time": "golden",
            "light_from": -1,
            "backlit": True,
            "window": True,
            "table": "wood",
            "glaze": "#efeae0",
            "size": 0.24,
            "u": 0.55,
            "steaming": True,
            "steam": 1.1,
            "steam_height": 1.9,
            "spoon": False,
            "saucer": True,
            "book": False,
            "company": 2.0,
            "gloss": 0.5,
            "bokeh": 16,
        },
    ),
    "camp_fire": (
        "campfire",
        LANDSCAPE,
        51,
        (0.25, 0.0),
        {
            "time": "night",
            "clouds": "clear",
            "trees": "conifer",
            "tree_count": 12,
            "size": 0.2,
            "people": 0,
            "tent": True,
            "tent_u": 0.83,
            "fire_u": 0.5,
            "horizon": 0.5,
            "exposure": 1.0,
            "smoke": True,
            "flame_height": 1.75,
            "throw": 3.2,
            "front_height": 1.15,
        },
    ),
    "meadow_under_clouds": (
        "meadow",
        LANDSCAPE,
        66,
        (0.7, 0.0),
        {
            "time": "day",
            "clouds": "cumulus",
            "cover": 0.62,
            "horizon": 0.62,
            "land": "meadow",
            "reach": 42,
            "dry": 0.5,
            "flowers": ("#c8342c", "#ffffff", "#f3e27a"),
            "trees": 2.2,
            "row_of_trees": True,
            "barn": False,
            "path": False,
            "leaves": "summer",
            "grass_count": 2.2,
            "grass_height": 0.07,
        },
    ),
}


def sample(name, scale=1.0, supersample=SUPERSAMPLE):
    """The still ``name`` as (RGB picture, class map), ``scale`` times its full size."""
    kind, (width, height), seed, wind, style = SAMPLES[name]
    size = (int(width * scale), int(height * scale))
    large = draw(kind, int(size[0] * supersample), int(size[1] * supersample), seed, wind, style, spectrum=False)
    small_width = 480 if width > height else 270
    small = (small_width, round(small_width * height / width))
    return (
        cv2.resize(large.rgb, size, interpolation=cv2.INTER_AREA),
        cv2.resize(large.classes, small, interpolation=cv2.INTER_NEAREST),
    )


def write(name, folder):
    """Write ``name.jpg`` (as good as fits the size limit) and ``name.classes.png``."""
    picture, classes = sample(name)
    for quality in range(92, 60, -3):
        code = cv2.imencode(
            ".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
        )[1]
        if code.size <= JPEG_BYTES_MAX:
            break
    (folder / f"{name}.jpg").write_bytes(code.tobytes())
    cv2.imwrite(str(folder / f"{name}.classes.png"), classes)


def main():
    cv2.setNumThreads(1)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or SAMPLES:
        write(name, folder)
        print(name, flush=True)


if __name__ == "__main__":
    main()
