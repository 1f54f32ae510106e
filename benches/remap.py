"""What one would write in an afternoon: warps a photograph with OpenCV's
remap, linear, over the whole frame, and writes H.264.

python remap.py PHOTO CLIP WIDTH HEIGHT FRAMES FRAME_RATE

It is as quick as such a script can well be: the displacement is worked out
once, and each frame costs one scaled addition to each map, one remap and the
writing. Says on standard output who encoded, and what starting cost.
"""

import subprocess
import sys
import time

import cv2
import numpy as np


class Ffmpeg:
    """Frames go through a pipe to x264, with the same preset as its rival's."""

    name = "BGR piped into ffmpeg, x264 veryfast (cv2.VideoWriter has no H.264 encoder here)"

    def __init__(self, path, size, frame_rate):
        command = (
            f"ffmpeg -v error -y -f rawvideo -pix_fmt bgr24 -s {size[0]}x{size[1]}"
            f" -r {frame_rate} -i - -c:v libx264 -preset veryfast -pix_fmt yuv420p"
        ).split()
        self.process = subprocess.Popen([*command, path], stdin=subprocess.PIPE)

    def write(self, frame):
        self.process.stdin.write(frame.data)

    def release(self):
        self.process.stdin.close()
        if self.process.wait(60) != 0:
            sys.exit("ffmpeg failed")


def video_writer(path, size, frame_rate):
    """OpenCV's own writer where it was built with an H.264 encoder."""
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"avc1"), frame_rate, size)
    if writer.isOpened():
        return writer, "cv2.VideoWriter, avc1"
    return Ffmpeg(path, size, frame_rate), Ffmpeg.name


def covering(photo, width, height):
    """Scaled to cover the size, and cropped."""
    scale = max(width / photo.shape[1], height / photo.shape[0])
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(photo[top : top + height, left : left + width])


def main():
    path, clip = sys.argv[1:3]
    width, height, frames, frame_rate = map(int, sys.argv[3:])
    photo = covering(cv2.imread(path), width, height)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    sway = (4 * np.sin(y / 37 + x / 91)).astype(np.float32)
    swell = (3 * np.sin(x / 53 - y / 71)).astype(np.float32)
    writer, encoder = video_writer(clip, (width, height), frame_rate)
    starting_s = time.process_time()
    map_x, map_y = np.empty_like(x), np.empty_like(y)
    for index in range(frames):
        phase = 2 * np.pi * index / frames
        cv2.scaleAdd(sway, np.sin(phase), x, map_x)
        cv2.scaleAdd(swell, 1 - np.cos(phase), y, map_y)
        writer.write(
            cv2.remap(photo, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        )
    warping_s = time.process_time() - starting_s
    writer.release()
    print(
        f"{encoder}; of its CPU time {starting_s:.2f} s were spent before the first frame"
        f" and {warping_s:.2f} s in warping and writing without the encoder"
    )


main()
