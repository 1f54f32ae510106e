"""Proof that the world keeps its promises: ``python -m world.check`` draws every kind and asserts what labels mean."""

import time

import cv2
import numpy as np

from . import CLASSES, HARMONICS, KINDS, augment, draw, tilted

SPEED_MAX = 0.25
"""No label may flow faster than this, in widths per second: the loop could not show it."""
SWAY_RMS_MAX = 0.012
STILL = tuple(CLASSES.index(name) for name in ("rigid", "person", "vehicle"))
FLOWING = tuple(CLASSES.index(name) for name in ("sky", "water_still", "water_flow", "smoke", "fire"))


def check(kind, seed, width_px=192, height_px=128):
    """Assert shapes, types, ranges and what each class may do, and that drawing again gives the same bytes."""
    scene = draw(kind, width_px, height_px, seed)
    again = draw(kind, width_px, height_px, seed)
    plane = (height_px, width_px)
    expected = {
        "rgb": ((3,), np.uint8),
        "classes": ((), np.uint8),
        "mobility": ((), np.float32),
        "flow": ((2,), np.float32),
        "spectrum": ((HARMONICS, 2), np.complex64),
        "depth": ((), np.float32),
        "light": ((), np.float32),
    }
    for name, (channels, dtype) in expected.items():
        field = getattr(scene, name)
        assert field.shape == plane + channels and field.dtype == dtype, (kind, name, field.shape, field.dtype)
        assert np.array_equal(field, getattr(again, name)), (kind, name, "is not the same twice")
        assert np.isfinite(field).all(), (kind, name)
    for name in ("mobility", "depth", "light"):
        field = getattr(scene, name)
        assert 0 <= field.min() and field.max() <= 1, (kind, name, field.min(), field.max())
    speed = np.hypot(scene.flow[..., 0], scene.flow[..., 1])
    sway = np.sqrt((np.abs(scene.spectrum) ** 2).sum((2, 3)) / 2)
    assert scene.classes.max() < len(CLASSES)
    assert speed.max() <= SPEED_MAX and sway.max() <= SWAY_RMS_MAX, (kind, speed.max(), sway.max())
    still = np.isin(scene.classes, STILL)
    assert not (speed[still].any() or sway[still].any() or scene.mobility[still].any()), (kind, "a still thing moves")
    assert not speed[~np.isin(scene.classes, FLOWING)].any(), (kind, "a thing that only swings flows")
    turned, wind = tilted(scene, (0.6, 0.0), 90)
    upright, back = tilted(turned, wind, -90)
    if width_px == height_px:
        assert np.allclose(upright.flow, scene.flow, atol=1e-6) and np.allclose(back, (0.6, 0.0), atol=1e-6), kind
        assert np.array_equal(upright.classes, scene.classes), (kind, "does not turn back")
    assert np.isclose(wind[1], -0.6), (kind, "the wind does not turn with the picture")
    assert augment(scene.rgb, np.random.default_rng(seed)).shape == scene.rgb.shape


def main():
    cv2.setNumThreads(1)
    for kind in KINDS:
        start = time.perf_counter()
        for seed in range(3):
            check(kind, seed)
            check(kind, 100 + seed, 128, 192)
        check(kind, 200, 128, 128)
        print(f"{kind:14s} {(time.perf_counter() - start) / 14:.3f} s a picture", flush=True)


if __name__ == "__main__":
    main()
