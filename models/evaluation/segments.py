"""What a photo shows in one colour, as `src/picture/segments.rs` tells it."""

import cv2
import numpy as np
from skimage.segmentation import felzenszwalb

#: As in the product: levels times pixels, and pixels.
SCALE, SIZE_MIN_PX = 100, 16


def segments_of(rgb, size):
    """The number of the segment of every pixel, [height, width], of a photo squeezed into
    `size` (width, height)."""
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    levels = cv2.blur(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb), (3, 3)).astype(np.float64)
    # The library divides the scale by 255, for pictures of 0 to 1.
    return felzenszwalb(levels, scale=255 * SCALE, sigma=0, min_size=SIZE_MIN_PX)


def smoothstep(pair, value):
    """0 up to the first of the pair, 1 from the second on, smooth between them."""
    t = np.clip((value - pair[0]) / (pair[1] - pair[0]), 0, 1)
    return t * t * (3 - 2 * t)


def open_shares(gate, segments, shut):
    """How far each pixel may move by how much of its segment is shut, [height, width].

    `gate` is of any size; `shut` the shares between which a segment rests as a whole.
    """
    fine = cv2.resize(np.float32(gate), segments.shape[::-1])
    pixels = np.bincount(segments.ravel())
    share = np.bincount(segments.ravel(), weights=1.0 - fine.ravel()) / pixels
    return np.float32(1 - smoothstep(shut, share))[segments]
