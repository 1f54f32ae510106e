"""The shipped ONNX file, run the way the product runs it."""

import cv2
import numpy as np
import onnxruntime

from zoetrope_train.classes import CLASSES
from zoetrope_train.export import PROFILES
from zoetrope_train.network import HARMONICS, MotionNetwork

#: A light breeze from the left, for photos whose wind nobody knows.
BREEZE = (0.5, 0.0)


def softmax(logits, axis):
    """Probabilities of logits along an axis."""
    e = np.exp(logits - logits.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def profile_for(width, height):
    """The product's input size (width, height) closest in aspect, by ratio."""
    return min(PROFILES, key=lambda p: abs(np.log(p[0] / p[1] * height / width)))


def shrunk(rgb, size):
    """uint8 RGB of any size as the network's input [1, 3, height, width], 0..1."""
    width, height = size
    shrinks = rgb.shape[0] >= height and rgb.shape[1] >= width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    x = cv2.resize(rgb, size, interpolation=how).astype(np.float32) / 255
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None])


class Runner:
    """One session on one thread; neutral hints, gains of 1, full strength."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options)

    def __call__(self, rgb, size, wind=BREEZE):
        """Outputs by name without the batch axis, plus `p`, the class probabilities.

        `rgb` uint8 of any size is squeezed into `size` (width, height).
        """
        width, height = size
        noise = np.zeros((1, 2, height // 4, width // 4), np.float32)
        noise[:, 0] = 1
        phasors = np.tile(np.array([1, 0], np.float32), HARMONICS)
        style = np.concatenate([[1.0], wind, phasors, np.ones(len(CLASSES))])
        return self.run(
            {
                "rgb": shrunk(rgb, size),
                "hints": np.zeros((1, 4, height, width), np.float32),
                "noise": noise,
                "style": style[None].astype(np.float32),
            }
        )

    def run(self, feed):
        """The same for inputs that are complete already, by name."""
        answers = self._session.run(None, feed)
        named = dict(zip(MotionNetwork.OUTPUTS, (a[0] for a in answers), strict=True))
        named["p"] = softmax(named["classes"], 0)
        return named


def on_grid(field, side):
    """A [C, h, w] field on a square grid of `side` cells."""
    planes = [
        cv2.resize(np.ascontiguousarray(f), (side, side), interpolation=cv2.INTER_LINEAR)
        for f in field
    ]
    return np.stack(planes)
