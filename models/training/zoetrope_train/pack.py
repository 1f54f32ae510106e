"""Everything that a training on another machine needs, in a few small files.

Photos travel as the files they are, since the segmentation teacher answers
differently about a recompressed one, and are labelled on arrival; what cannot
be worked out there (second opinions, drawn masks, depth) travels beside them.
"""

from pathlib import Path

import cv2
import numpy as np
import torch

from .batches import ClipBatches, FeatureScale, photo_flags
from .clip_cache import read_clip_cache
from .mosaic_graph import read_graph
from .opinions import read_opinions
from .own_trainer import OwnTrainer
from .photo_cache import read_photo_cache
from .teachers import MOSAIC_TENSORS, mosaic_file

TEACHERS, CLIPS = "teachers.npz", "clips.npz"
#: Photos of a part that fit beside the first part's other files, and alone.
PART_BYTES = (31 << 20, 44 << 20)
#: Of photos below this chance one in four is packed: they are seldom drawn.
SELDOM = 0.3
#: Depth is a coarse layout, so it travels on a coarse grid.
DEPTH_GRID = 16
CLIP_QUALITY = 95


def part_name(number):
    """File name of a part of the photos."""
    return f"photos_{number}.npz"


def write_pack(data_dir, work_dir, out_dir, log=print):
    """Write the teachers, the clips and the photos in parts; the caches must be there."""
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    photos = read_photo_cache(data_dir, work_dir)
    scale = FeatureScale.of(photos)
    _write_teachers(data_dir, work_dir, scale, out_dir / TEACHERS)
    _write_clips(data_dir, work_dir, scale, out_dir / CLIPS)
    opinions = read_opinions(work_dir, len(photos))
    if opinions is None:
        raise ValueError(f"{work_dir}/opinions does not cover all photos: run the step `opinions`")
    asked = [i for i, p in enumerate(photos.photos)
             if not p.is_test and (p.weight >= SELDOM or i % 4 == 0)]
    part, size = [], 0
    number = 0
    for i in asked:
        length = (Path(data_dir) / photos.photos[i].file).stat().st_size
        if size + length > PART_BYTES[min(number, 1)]:
            _write_part(data_dir, photos, opinions, part, out_dir / part_name(number))
            number, part, size = number + 1, [], 0
        part.append(i)
        size += length
    _write_part(data_dir, photos, opinions, part, out_dir / part_name(number))
    for file in sorted(out_dir.iterdir()):
        log(f"{file.name}: {file.stat().st_size / 2**20:.1f} MiB")


def _write_part(data_dir, photos, opinions, rows, file):
    codes = [np.fromfile(Path(data_dir) / photos.photos[i].file, np.uint8) for i in rows]
    held = [photos.photos[i] for i in rows]
    depth = [cv2.resize(photos.arrays["depth"][i], (DEPTH_GRID, DEPTH_GRID), interpolation=cv2.INTER_AREA)
             for i in rows]
    flags = photo_flags(held)
    is_smoke = flags["is_smoke"]
    np.savez_compressed(
        file,
        codes=np.concatenate(codes),
        lengths=np.array([len(code) for code in codes]),
        weight=np.array([p.weight for p in held], np.float32),
        **flags,
        smoke=np.stack([photos.arrays["smoke"][i] for i in np.array(rows)[is_smoke]])
        if is_smoke.any() else np.zeros((0, 64, 64), np.uint8),
        label_trust=np.stack([opinions["label_trust"][i] for i in rows]),
        face=np.stack([opinions["face"][i] for i in rows]),
        depth=np.stack(depth),
    )


def _write_teachers(data_dir, work_dir, scale, file):
    tensors = {name: tensor for name, (tensor, _) in MOSAIC_TENSORS.items()}
    arrays, description = read_graph(mosaic_file(Path(data_dir) / "teachers"), tensors)
    state = torch.load(Path(work_dir) / OwnTrainer.CHECKPOINT, weights_only=True)["average"]
    np.savez_compressed(
        file,
        graph=np.array(description),
        **{f"mosaic/{name}": value.astype(np.float16) if value.ndim > 1 else value
           for name, value in arrays.items()},
        **{f"own/{name}": value.numpy().astype(np.float16) if value.ndim > 1 else value.numpy()
           for name, value in state.items()},
        **{f"mean/{name}": value.numpy() for name, value in scale.mean.items()},
        **{f"spread/{name}": value.numpy() for name, value in scale.spread.items()},
    )


def _write_clips(data_dir, work_dir, scale, file):
    cache = read_clip_cache(data_dir, work_dir)
    batches = ClipBatches(cache, scale, np.random.RandomState(0))
    kept = np.flatnonzero(batches.chance)
    cells = [batches.cells(i) for i in kept]
    codes = [
        cv2.imencode(".jpg", np.ascontiguousarray(one.pop("rgb")[:, :, ::-1]),
                     [cv2.IMWRITE_JPEG_QUALITY, CLIP_QUALITY])[1]
        for one in cells
    ]
    fields = {name: np.stack([one[name] for one in cells]) for name in cells[0]}
    told = np.maximum.reduce([fields[name] for name in ("directed", "axial", "timed")])
    fields["flow"] = np.float16(fields["flow"] * (told > 0))
    fields["spectrum"] = np.float16(fields["spectrum"] * (fields["sways"] > 0))
    for name, value in fields.items():
        if name not in ("flow", "spectrum"):
            fields[name] = np.rint(255 * value).astype(np.uint8)
    rows = [cache.rows[i] for i in kept]
    np.savez_compressed(
        file,
        codes=np.concatenate(codes),
        lengths=np.array([len(code) for code in codes]),
        chance=batches.chance[kept],
        aspect=np.array([row.width_px / row.height_px for row in rows], np.float32),
        wind_side=np.array([row.wind_side for row in rows], np.float32),
        **{f"field/{name}": value for name, value in fields.items()},
    )
