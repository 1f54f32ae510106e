"""Second opinions on the segmentation teacher's labels: sky, faces, and what cannot be.

Each photo gets a map of trust in its labels and one of faces, on the grid of
the labels.  The rules judge labels only; nothing here runs in the product.
"""

import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch

from .classes import INDEX
from .clip_cache import teacher_classes
from .labels import trust_in
from .photo_cache import read_photo_cache

GRID = 64
ARRAYS = ("label_trust", "face")
#: The sky teacher takes 1.3 s a photo here and mostly agrees, so it is asked about photos
#: in which at least this share of the cells is in doubt, which is these probabilities of sky.
SKY_DOUBT_MIN, SKY_DOUBT = 0.15, (0.15, 0.85)
SKY_PX = 384
SKY_MEAN, SKY_SPREAD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
FACE_WIDTH_PX, FACE_HEIGHT_PX, FACE_SURE = 320, 240, 0.9
PROGRESS_EVERY = 500


class SkyTeacher:
    """U2Netp trained on skies."""

    def __init__(self, teachers_dir):
        import ncnn

        self._from_pixels, self._rgb = ncnn.Mat.from_pixels_resize, ncnn.Mat.PixelType.PIXEL_RGB
        folder = Path(teachers_dir) / "sky"
        self._net = ncnn.Net()
        self._net.opt.num_threads = 1
        self._net.load_param(str(folder / "skysegsmall_sim-opt-fp16.param"))
        self._net.load_model(str(folder / "skysegsmall_sim-opt-fp16.bin"))

    def __call__(self, rgb):
        """Probability of sky [64, 64] of uint8 RGB."""
        height, width = rgb.shape[:2]
        x = self._from_pixels(rgb, self._rgb, width, height, SKY_PX, SKY_PX)
        x.substract_mean_normalize(SKY_MEAN, [1 / spread for spread in SKY_SPREAD])
        extractor = self._net.create_extractor()
        extractor.input("input.1", x)
        sky = np.array(extractor.extract("1959")[1]).reshape(SKY_PX, SKY_PX)
        return cv2.resize(sky, (GRID, GRID), interpolation=cv2.INTER_AREA)


class FaceTeacher:
    """UltraFace RFB-320."""

    def __init__(self, teachers_dir):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        file = Path(teachers_dir) / "face" / "version-RFB-320.onnx"
        self._net = onnxruntime.InferenceSession(str(file), options)

    def __call__(self, rgb):
        """1 in cells that a sure face covers, [64, 64]."""
        size = (FACE_WIDTH_PX, FACE_HEIGHT_PX)
        x = (cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) - 127) / 128
        scores, boxes = self._net.run(None, {"input": x.transpose(2, 0, 1)[None]})
        faces = np.zeros((GRID, GRID), np.float32)
        for x0, y0, x1, y1 in boxes[0][scores[0, :, 1] > FACE_SURE]:
            low = np.rint(np.clip([x0, y0], 0, 1) * GRID).astype(int)
            high = np.rint(np.clip([x1, y1], 0, 1) * GRID).astype(int)
            faces[low[1] : high[1], low[0] : high[0]] = 1
        return faces


def _doubts_sky(classes):
    low, high = SKY_DOUBT
    sky = classes[..., INDEX["sky"]]
    return ((sky > low) & (sky < high)).mean() > SKY_DOUBT_MIN


def write_opinions(data_dir, work_dir, log=print):
    """Ask about every photo; resumes where it stopped."""
    photos = read_photo_cache(data_dir, work_dir)
    folder = Path(work_dir) / "opinions"
    folder.mkdir(parents=True, exist_ok=True)
    done = _done(folder)
    arrays = {
        name: np.lib.format.open_memmap(
            folder / f"{name}.npy", "r+" if done else "w+", np.uint8, (len(photos), GRID, GRID)
        )
        for name in ARRAYS
    }
    teachers = Path(data_dir) / "teachers"
    sky_teacher, face_teacher = SkyTeacher(teachers), FaceTeacher(teachers)
    cv2.setNumThreads(1)
    for i in range(done, len(photos)):
        rgb = np.ascontiguousarray(photos.arrays["rgb"][i])
        classes = teacher_classes(photos.arrays["logits"][i])
        sky = sky_teacher(rgb) if _doubts_sky(classes) else None
        small = cv2.resize(rgb, (GRID, GRID), interpolation=cv2.INTER_AREA)
        trust = trust_in(_planes(classes), _planes(small) / 255, None if sky is None else _planes(sky))
        arrays["label_trust"][i] = np.rint(255 * trust[0, 0].numpy())
        arrays["face"][i] = 255 * face_teacher(rgb)
        if (i + 1) % PROGRESS_EVERY == 0 or i + 1 == len(photos):
            (folder / "done.json").write_text(json.dumps(i + 1))
            log(f"second opinions on {i + 1} of {len(photos)} photos")


def _planes(field):
    """A batch of one, channels first, of a field [h, w] or [h, w, C]."""
    return torch.from_numpy(np.float32(field)).reshape(*field.shape[:2], -1).permute(2, 0, 1)[None]


def _done(folder):
    file = folder / "done.json"
    return json.loads(file.read_text()) if file.exists() else 0


def read_opinions(work_dir, count):
    """`label_trust` and `face` by name when all `count` photos are done, or None."""
    folder = Path(work_dir) / "opinions"
    if _done(folder) < count:
        return None
    return {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
