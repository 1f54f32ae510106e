"""Our own large teacher behind the interface of the shipped network."""

from pathlib import Path

import cv2
import numpy as np
import torch

from zoetrope_train.batches import IMAGE_PX, TAPS, FeatureScale
from zoetrope_train.own_trainer import trained_own_teacher
from zoetrope_train.teachers import Mosaic

from .runner import BREEZE, softmax


class OwnRunner:
    """Answers like `Runner`, at any asked size, from the picture squashed to a square."""

    def __init__(self, data_dir, work_dir, photo_cache):
        self._mosaic = Mosaic(Path(data_dir) / "teachers")
        self._scale = FeatureScale.of(photo_cache)
        self._network = trained_own_teacher(work_dir)

    def __call__(self, rgb, size, wind=BREEZE):
        side = (Mosaic.SIZE_PX, Mosaic.SIZE_PX)
        large = cv2.resize(rgb, side, interpolation=cv2.INTER_AREA)
        taps = {
            name: torch.from_numpy(np.ascontiguousarray(value)).permute(2, 0, 1)[None].float()
            for name, value in self._mosaic(large).items()
            if name in (*TAPS, "logits")
        }
        self._scale.apply(taps)
        small = cv2.resize(large, (IMAGE_PX, IMAGE_PX), interpolation=cv2.INTER_AREA)
        x = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad():
            raw = self._network.raw(taps, x, torch.tensor([wind], dtype=torch.float32))
        named = {name: value[0].numpy().copy() for name, value in raw.items()}
        # Lengths along y: from the square's side to the asked size's width.
        named["flow"][1] *= size[1] / size[0]
        named["spectrum"].reshape(-1, 2, 2, *named["spectrum"].shape[1:])[:, 1] *= size[1] / size[0]
        named["flow"] = np.concatenate([named["flow"], named.pop("confidence")])
        named["p"] = softmax(named["classes"], 0)
        return named
