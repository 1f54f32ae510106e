"""Contact sheets for looking at the world: ``python -m world.sheet OUT.png [seeds] [size_px] [kind ...]``."""

import sys
import time

import cv2
import numpy as np

from . import CLASSES, KINDS, draw

CLASS_TINTS = np.uint8(
    [
        (90, 90, 90),
        (120, 180, 255),
        (20, 80, 200),
        (0, 220, 220),
        (230, 230, 230),
        (255, 90, 0),
        (40, 160, 40),
        (230, 60, 200),
        (255, 220, 0),
        (140, 70, 20),
    ]
)


def row(kind, seeds, size_px):
    """Pictures of a kind above their classes, and the seconds each one took."""
    pictures, seconds = [], []
    for seed in seeds:
        start = time.perf_counter()
        scene = draw(kind, size_px, size_px, seed)
        seconds.append(time.perf_counter() - start)
        tints = cv2.resize(CLASS_TINTS[scene.classes], (size_px, size_px // 2), interpolation=cv2.INTER_NEAREST)
        pictures.append(np.vstack([scene.rgb, tints]))
    return np.hstack(pictures), float(np.median(seconds))


def main():
    cv2.setNumThreads(1)
    out = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    size_px = int(sys.argv[3]) if len(sys.argv) > 3 else 256
    kinds = sys.argv[4:] or KINDS
    rows = []
    for kind in kinds:
        picture, seconds = row(kind, range(count), size_px)
        cv2.putText(
            picture, f"{kind} {seconds:.2f}s", (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA
        )
        print(f"{kind:14s} {seconds:.3f} s", flush=True)
        rows.append(picture)
    cv2.imwrite(out, np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    assert len(CLASS_TINTS) == len(CLASSES)
    main()
