"""OpenCV's Dense Inverse Search beside ours: flow.py FOLDER OUR_MS."""

import sys
import time
from pathlib import Path

import cv2
import numpy as np

#: Where the way there and back ends within so many pixels of where it began.
CONSISTENT_PX = 0.3

cv2.setNumThreads(1)
dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
medians, means, kept, spent_s, pairs = [], [], [], 0.0, 0
for path in sorted(Path(sys.argv[1]).glob("*.flow")):
    data = path.read_bytes()
    count, height, width, scale = np.frombuffer(data, "<u4", 4)
    pictures = np.frombuffer(data, np.uint8, (count + 1) * height * width, 16)
    pictures = pictures.reshape(count + 1, height, width)
    flows = np.frombuffer(data, "<f4", offset=16 + pictures.size)
    flows = flows.reshape(count, height // scale, width // scale, 2)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    here = []
    for a, b, flow in zip(pictures, pictures[1:], flows):
        start = time.perf_counter()
        theirs = dis.calc(a, b, None)
        spent_s, pairs = spent_s + time.perf_counter() - start, pairs + 1
        back = cv2.remap(dis.calc(b, a, None), x + theirs[..., 0], y + theirs[..., 1],
                         cv2.INTER_LINEAR)
        consistent = np.linalg.norm(theirs + back, axis=-1) < CONSISTENT_PX
        ours = scale * cv2.resize(flow, (int(width), int(height)), interpolation=cv2.INTER_LINEAR)
        off = np.linalg.norm(ours - theirs, axis=-1)[consistent]
        if off.size:
            here.append(off)
            kept.append(consistent.mean())
    if here:
        medians.append(np.median(np.concatenate(here)))
        means.append(np.mean(np.concatenate(here)))
theirs_ms = 1e3 * spent_s / pairs
print(f"OpenCV {cv2.__version__}, medium, one thread:    {theirs_ms:.2f} ms a pair; ours over it: "
      f"{float(sys.argv[2]) / theirs_ms:.2f}")
print(f"endpoint difference where it is consistent ({np.mean(kept):.0%} of the pixels) over "
      f"{len(medians)} sequences: median {np.median(medians):.3f} px, worst sequence "
      f"{max(medians):.3f}, mean {np.mean(means):.3f}")
