"""Scenes of the procedural world with exact labels, as arrays on disk.

Each cache is a folder of its own, so a better world can be drawn beside the
one in use; the trainer reads the newest that holds enough scenes.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .batches import random_wind
from .classes import CLASSES
from .feature_cache import read_features

IMAGE_PX = 256
GRID = 64
#: Array name -> (shape per scene, dtype).  8-bit arrays hold 0..1 as 0..255.
ARRAYS = {
    "rgb": ((IMAGE_PX, IMAGE_PX, 3), np.uint8),
    "classes": ((GRID, GRID, len(CLASSES)), np.uint8),
    "mobility": ((GRID, GRID), np.uint8),
    "depth": ((GRID, GRID), np.uint8),
    "light": ((GRID, GRID), np.uint8),
    "flow": ((GRID, GRID, 2), np.float16),
    "spectrum": ((GRID, GRID, 32), np.float16),
}
SCENES_MIN = 400
#: Kinds that hold the rare classes are drawn this many times as often.
REPEATS = {"cafe": 4, "campfire": 5, "fireplace": 2, "chimney": 2, "street": 2, "lake": 2, "sea": 2,
           "waterfall": 2, "clothes_line": 2, "candles": 2, "wildfire": 5, "lookout": 2, "town_fire": 2,
           "flag_close": 4, "fire_close": 3, "water_close": 3, "petals": 2}
#: Share of scenes that pass through a camera's and a network's losses.
USED_LOOKING = 0.85
#: Share of scenes seen by a camera held askew, and by how much, in degrees.
TILTED, TILT_DEG = 0.3, 4.0
PROGRESS_EVERY = 50
#: Training seeds start here; the fixed test set lies below.
TRAIN_SEED, TEST_SEED = 1_000_000, 0
TEST_WORLD, TEST_SCENES = "test", 180
#: Scenes that no network has been trained on, to learn what it does with such.
FRESH_WORLD, FRESH_SCENES, FRESH_SEED = "fresh", 1000, 3_000_000


@dataclass(frozen=True)
class WorldCache:
    """The finished part of one cache, read-only."""

    name: str
    arrays: dict
    wind: np.ndarray

    def __len__(self):
        return len(self.wind)


def _pool(field):
    """Mean over 4x4 px cells of [H, W] or [H, W, C]."""
    side = IMAGE_PX // GRID
    shape = (GRID, side, GRID, side) + field.shape[2:]
    return field.reshape(shape).mean((1, 3))


def labels_of(scene):
    """Cache rows of a scene: labels pooled to the quarter grid."""
    one_hot = np.eye(len(CLASSES), dtype=np.float32)[scene.classes]
    harmonics = scene.spectrum.reshape(IMAGE_PX, IMAGE_PX, 16)
    pairs = np.stack([harmonics.real, harmonics.imag], -1)
    byte = lambda field: np.rint(np.clip(_pool(field), 0, 1) * 255)
    return {
        "rgb": scene.rgb,
        "classes": byte(one_hot),
        "mobility": byte(scene.mobility),
        "depth": byte(scene.depth),
        "light": byte(scene.light),
        "flow": _pool(scene.flow),
        "spectrum": _pool(pairs.reshape(IMAGE_PX, IMAGE_PX, 32)),
    }


def kinds_in_turn():
    """Kinds of the world as often as they are drawn in one round."""
    from world import KINDS

    return [kind for kind in KINDS for _ in range(REPEATS.get(kind, 1))]


def draw_row(kind, seed):
    """Cache row of a scene, and its wind as a list."""
    from world import augment, draw, tilted

    rng = np.random.default_rng(seed)
    wind = random_wind(np.random.RandomState(seed), 1)[0].tolist()
    scene = draw(kind, IMAGE_PX, IMAGE_PX, seed, wind=wind)
    if rng.random() < TILTED:
        degrees = np.clip(rng.normal(0, TILT_DEG), -3 * TILT_DEG, 3 * TILT_DEG)
        scene, wind = tilted(scene, wind, degrees)
        wind = wind.tolist()
    if rng.random() < USED_LOOKING:
        scene = replace(scene, rgb=augment(scene.rgb, rng))
    row = labels_of(scene)
    if not all(np.isfinite(value).all() for value in row.values()):
        raise ValueError(f"scene {kind} with seed {seed} is not finite")
    return row, wind


def write_world_cache(work_dir, name, count, seed=TRAIN_SEED, log=print):
    """Draw `count` scenes of all kinds in turn; resumes where it stopped."""
    from world import CLASSES as WORLD_CLASSES

    if tuple(WORLD_CLASSES) != CLASSES:
        raise ValueError(f"classes of the world differ: {WORLD_CLASSES}")
    folder = Path(work_dir) / "worlds" / name
    folder.mkdir(parents=True, exist_ok=True)
    index_file = folder / "index.json"
    wind = json.loads(index_file.read_text())["wind"] if index_file.exists() else []
    mode = "r+" if wind else "w+"
    arrays = {
        key: np.lib.format.open_memmap(folder / f"{key}.npy", mode, dtype, (count,) + shape)
        for key, (shape, dtype) in ARRAYS.items()
    }
    kinds = kinds_in_turn()
    for i in range(len(wind), count):
        row, blows = draw_row(kinds[i % len(kinds)], seed + i)
        for key, value in row.items():
            arrays[key][i] = value
        wind.append(blows)
        if len(wind) % PROGRESS_EVERY == 0 or len(wind) == count:
            temporary = index_file.with_suffix(".tmp")
            temporary.write_text(json.dumps({"wind": wind}))
            temporary.rename(index_file)
        if len(wind) % 500 == 0:
            log(f"drew {len(wind)} of {count} scenes")


def read_world_cache(work_dir, name, with_features=False):
    """The finished part of the named cache, or None when there is none."""
    folder = Path(work_dir) / "worlds" / name
    index_file = folder / "index.json"
    if not index_file.exists():
        return None
    wind = np.array(json.loads(index_file.read_text())["wind"], np.float32)
    arrays = {key: np.load(folder / f"{key}.npy", mmap_mode="r") for key in ARRAYS}
    if with_features:
        features = read_features(folder, len(wind))
        if not features:
            return None
        arrays |= features
    return WorldCache(name, arrays, wind)


def newest_world_cache(work_dir, with_features=False):
    """The training cache started last among those with enough scenes."""
    folders = sorted((Path(work_dir) / "worlds").glob("train*"), reverse=True)
    for folder in folders:
        cache = read_world_cache(work_dir, folder.name, with_features)
        if cache is not None and len(cache) >= SCENES_MIN:
            return cache
    return None
