"""A contact sheet of clips: frame, measured flow, predicted flow, the gate.

The sheet shows other people's pictures: it is for looking at, and is never
written below the repository.
"""

from pathlib import Path

import cv2
import numpy as np

from zoetrope_train.clip_motion import read_frame

from .clips import GRID, network_says, truth_of
from .photos import SHIPPED

TILE_PX = 160
#: Speed, in widths per second, at full brightness.
BRIGHT = 0.05
UNKNOWN_GREY = 90
REPOSITORY = Path(__file__).resolve().parents[2]


def _tile(picture):
    return cv2.resize(picture, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)


def _flow_picture(velocity):
    """Direction as hue (red is right, cyan is left), speed as brightness, RGB."""
    angle = np.degrees(np.arctan2(velocity[..., 1], velocity[..., 0])) % 360
    speed = np.clip(np.linalg.norm(velocity, axis=-1) / BRIGHT, 0, 1)
    hsv = np.stack([angle / 2, np.full_like(angle, 230), 255 * np.sqrt(speed)], -1)
    return cv2.cvtColor(np.uint8(hsv), cv2.COLOR_HSV2RGB)


def draw_sheet(runner, cache, data_dir, file, every=False):
    """Write one line of four tiles per clip, two clips beside each other."""
    if Path(file).resolve().is_relative_to(REPOSITORY):
        raise ValueError(f"a sheet shows private pictures: {file} lies in the repository")
    lines, seen = [], set()
    for i, (row, clip) in enumerate(zip(cache.rows, cache.clips, strict=True)):
        if row.file in seen or not (every or clip.is_test):
            continue
        seen.add(row.file)
        rgb = read_frame(Path(data_dir) / row.file, row.frame)
        truth = truth_of(cache, i)
        said = network_says(runner, rgb)
        measured = _flow_picture(truth.velocity * truth.moving[..., None])
        measured[~(truth.moving | truth.rest)] = UNKNOWN_GREY
        gate = SHIPPED(said.scores["P(movable)"], said.scores["mobility"])
        tiles = [rgb, measured, _flow_picture(said.velocity), np.uint8(255 * gate)]
        tiles[3] = np.repeat(tiles[3].reshape(GRID, GRID, 1), 3, 2)
        line = np.concatenate([_tile(t) for t in tiles], 1)
        name = f"{clip.kind}: {Path(row.file).stem}"
        cv2.putText(line, name, (4, TILE_PX - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
        lines.append(line)
    if len(lines) % 2:
        lines.append(np.zeros_like(lines[0]))
    half = len(lines) // 2
    sheet = np.concatenate([np.concatenate(lines[:half]), np.concatenate(lines[half:])], 1)
    cv2.imwrite(str(file), np.ascontiguousarray(sheet[:, :, ::-1]))
