"""Pictures for the webcam, and how alike two pictures are. ffmpeg does the work."""

import math
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .webcam import FORMATS, Shown

# Frames that differ by noise of the strength of a small sensor's.
VARIANTS = 6
_NOISE = "noise=alls=2:allf=t"
_PROBE = "ffprobe -v error -select_streams v -of csv=p=0 -show_entries stream=width,height".split()
_TIMEOUT_S = 60


class PictureError(Exception):
    """ffmpeg could not read or write a picture."""


@dataclass(frozen=True)
class Picture:
    """What the webcam shows, and the same as JPEG without noise."""

    name: str
    shown: Shown
    jpeg: bytes


def photograph(path: Path, light: float = 1.0) -> Picture:
    """A photograph as the webcam sees it: cut to 4:3, with noise, and in less light than
    it was taken in if `light` is below 1."""
    return _picture(
        path.stem,
        ["-loop", "1", "-i", str(path)],
        f"lutrgb=r=val*{light}:g=val*{light}:b=val*{light},",
    )


def black() -> Picture:
    """What the webcam sees with its lid on: the noise of its sensor."""
    return _picture("black", ["-f", "lavfi", "-i", "color=0x080808:size=640x480"], "")


def of_wrong_size(picture: Picture) -> Shown:
    """Frames that are of another size than the one agreed on."""
    small, large = (("MJPG", *size) for size in FORMATS[0].sizes)
    wrong = dict(picture.shown)
    wrong[small], wrong[large] = wrong[large], wrong[small]
    for key in wrong:
        if key[0] == "YUYV":
            wrong[key] = [frame[: len(frame) * 3 // 4] for frame in wrong[key]]
    return wrong


def likeness_db(one: bytes, other: bytes) -> float:
    """PSNR of the first frames of two pictures or clips, in dB, over luma and both chroma
    at full size; the larger is brought to the size of the smaller."""
    width_px, height_px = min(_size(one), _size(other))
    pixels = [_first_frame(each, width_px, height_px) for each in (one, other)]
    squares = sum((a - b) ** 2 for a, b in zip(*pixels))
    if squares == 0:
        return math.inf
    return 10 * math.log10(255**2 * len(pixels[0]) / squares)


def _picture(name: str, source: list[str], look: str) -> Picture:
    def fit(width_px, height_px):
        size = f"{width_px}:{height_px}"
        return f"{look}scale={size}:force_original_aspect_ratio=increase,crop={size}"

    encodings = {
        "MJPG": "-pix_fmt yuvj420p -c:v mjpeg -q:v 2".split(),
        "YUYV": "-pix_fmt yuyv422 -c:v rawvideo".split(),
    }
    shown = {
        (each.name, *size): _frames(
            source, f"{fit(*size)},{_NOISE}", encodings[each.name], VARIANTS
        )
        for each in FORMATS
        for size in each.sizes
    }
    (jpeg,) = _frames(source, fit(*FORMATS[0].sizes[-1]), encodings["MJPG"], 1)
    return Picture(name, shown, jpeg)


def _frames(source: list[str], filters: str, encoding: list[str], count: int) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        frames = ["-frames:v", str(count), *encoding, "-f", "image2", f"{folder}/%03d"]
        _ffmpeg(*source, "-vf", filters, *frames)
        return [path.read_bytes() for path in sorted(Path(folder).iterdir())]


def _size(content: bytes) -> tuple[int, int]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        said = subprocess.run(
            [*_PROBE, file.name], capture_output=True, text=True, timeout=_TIMEOUT_S
        )
    try:
        width_px, height_px = said.stdout.strip().split(",")[:2]
        return int(width_px), int(height_px)
    except ValueError:
        raise PictureError(
            f"ffprobe sees no picture in {len(content)} bytes: {said.stderr}"
        ) from None


def _first_frame(content: bytes, width_px: int, height_px: int) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        pixels = _ffmpeg(
            "-i",
            file.name,
            "-vf",
            f"scale={width_px}:{height_px}:flags=bicubic,format=rgb24",
            "-frames:v",
            "1",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "yuvj444p",
            "-",
        )
    if len(pixels) != width_px * height_px * 3:
        raise PictureError(f"ffmpeg gave {len(pixels)} bytes for {width_px}x{height_px} pixels")
    return pixels


def _ffmpeg(*arguments: str) -> bytes:
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", *arguments], capture_output=True, timeout=_TIMEOUT_S
    )
    if done.returncode != 0:
        raise PictureError(f"ffmpeg {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
    return done.stdout
