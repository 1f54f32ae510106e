"""Everything that a training on another machine needs, in a few small files.

Photos travel as the files they are, since the segmentation teacher answers
differently about a recompressed one, and are labelled there; what cannot be
worked out there (faces, drawn masks, depth) travels beside them.
"""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from .batches import ClipBatches, photo_flags
from .clip_cache import read_clip_cache
from .mosaic_graph import read_graph
from .opinions import FaceTeacher
from .sources import read_manifest
from .teachers import MOSAIC_TENSORS, Meter, mosaic_file

TEACHERS, CLIPS = "teachers.npz", "clips.npz"
#: Photos of a part that fit beside the first part's other files, and alone.
PART_BYTES = (31 << 20, 44 << 20)
#: Of photos below this chance one in four is packed: they are seldom drawn.
SELDOM = 0.3
#: Depth is a coarse layout, so it travels on a coarse grid; masks are finer.
DEPTH_GRID, MASK_GRID = 16, 64
#: Order of the photos, so that any part of them stands for all.
ORDER_SEED = 3
CLIP_QUALITY = 95


def part_name(number):
    """File name of a part of the photos."""
    return f"photos_{number}.npz"


def write_pack(data_dir, work_dir, out_dir, processes, log=print):
    """Write the teacher, the clips and the photos in parts; the clips must be measured."""
    data_dir, out_dir = Path(data_dir), Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    _write_teacher(data_dir, out_dir / TEACHERS)
    _write_clips(data_dir, work_dir, out_dir / CLIPS)
    photos = read_manifest(data_dir)
    order = np.random.RandomState(ORDER_SEED).permutation(len(photos))
    asked = [photos[i] for i in order
             if not photos[i].is_test and (photos[i].weight >= SELDOM or i % 4 == 0)]
    part, size, number = [], 0, 0
    with ProcessPoolExecutor(processes, initializer=_load_teachers, initargs=(data_dir,)) as pool:
        for photo, row in zip(asked, pool.map(_row, asked, chunksize=16), strict=True):
            if row is None:
                log(f"unreadable: {photo.file}")
                continue
            if size + len(row["codes"]) > PART_BYTES[min(number, 1)]:
                _write_part(part, out_dir / part_name(number))
                number, part, size = number + 1, [], 0
            part.append((photo, row))
            size += len(row["codes"])
    _write_part(part, out_dir / part_name(number))
    for file in sorted(out_dir.iterdir()):
        log(f"{file.name}: {file.stat().st_size / 2**20:.1f} MiB")


def _load_teachers(data_dir):
    """What each process asks about its photos."""
    global _asked
    cv2.setNumThreads(1)
    _asked = data_dir, FaceTeacher(data_dir / "teachers"), Meter(data_dir / "teachers")


def _row(photo):
    """What travels of a photo by name, or None when a file cannot be read."""
    data_dir, face, meter = _asked
    codes = np.fromfile(data_dir / photo.file, np.uint8)
    bgr = cv2.imdecode(codes, cv2.IMREAD_COLOR)
    if bgr is None:
        return None
    rgb = np.ascontiguousarray(bgr[:, :, ::-1])
    row = {"codes": codes, "face": np.uint8(255 * face(rgb))}
    for name, depth in zip(("depth_outdoor", "depth_indoor"), meter.answers(rgb), strict=True):
        row[name] = np.uint8(np.rint(255 * _coarse(depth, DEPTH_GRID)))
    if photo.is_smoke:
        mask = cv2.imread(str(data_dir / photo.mask_file()), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            return None
        row["smoke"] = _coarse(mask, MASK_GRID)
    return row


def _coarse(field, side):
    return cv2.resize(field, (side, side), interpolation=cv2.INTER_AREA)


def _write_part(part, file):
    photos = [photo for photo, _ in part]
    rows = [row for _, row in part]
    smoke = [row["smoke"] for row in rows if "smoke" in row]
    np.savez_compressed(
        file,
        codes=np.concatenate([row["codes"] for row in rows]),
        lengths=np.array([len(row["codes"]) for row in rows]),
        weight=np.array([photo.weight for photo in photos], np.float32),
        **photo_flags(photos),
        smoke=np.stack(smoke) if smoke else np.zeros((0, MASK_GRID, MASK_GRID), np.uint8),
        **{name: np.stack([row[name] for row in rows])
           for name in ("face", "depth_outdoor", "depth_indoor")},
    )


def _write_teacher(data_dir, file):
    tensors = {name: tensor for name, (tensor, _) in MOSAIC_TENSORS.items()}
    arrays, description = read_graph(mosaic_file(data_dir / "teachers"), tensors)
    np.savez_compressed(
        file,
        graph=np.array(description),
        **{f"mosaic/{name}": value.astype(np.float16) if value.ndim > 1 else value
           for name, value in arrays.items()},
    )


def _write_clips(data_dir, work_dir, file):
    cache = read_clip_cache(data_dir, work_dir)
    batches = ClipBatches(cache, None, np.random.RandomState(0))
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
