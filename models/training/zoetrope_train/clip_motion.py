"""What moves in a clip of a camera at rest: dense optical flow over a window.

Positions are cells of a 64x64 grid over the picture squashed to a square, as
in the caches.  Lengths are fractions of that square's side: x of the clip's
width, y of its height.  Thresholds are applied to isotropic lengths, in
fractions of the clip's width.
"""

from dataclasses import dataclass

import cv2
import numpy as np

GRID = 64
HARMONICS = 8
#: Harmonic k is at k/4 Hz.
HARMONIC_HZ = 0.25 * np.arange(1, HARMONICS + 1)
WORK_WIDTH_PX, WORK_HEIGHT_MAX_PX = 288, 432
#: Frames per second that are compared.  At the slow rate flames and falls lose
#: their way between frames; at the fast one slow water sinks into the noise.
SLOW_HZ, FAST_HZ = 12.5, 30.0
#: Steps below this, in pixels of a frame pair, and changes faster than this are noise.
NOISE_PX, NOISE_HZ = 0.1, 5.0
#: A cell moves when its speed (RMS over time) exceeds the noise this many times.
MOVING_NOISES = 2.0
#: Steady motion: |mean| over RMS of the velocity.
STEADY_SHARE = 0.35
#: Forward and backward flow may disagree by this many pixels plus a share of the step.
DISAGREE_PX, DISAGREE_SHARE = 0.5, 0.1
#: A cell counts in a frame pair when this share of its pixels agrees, and in
#: the clip when it counts in this share of the pairs.
AGREE_PIXELS, AGREE_PAIRS = 0.3, 0.3
#: Spread of grey levels around a pixel below which no motion can be seen.
TEXTURE_GREY = 1.2
TEXTURE_PX = 9
#: Where flow is lost, a cell moves when its grey level spreads this much over time.
CHANGE_GREY = 8.0
#: Windows shorter than this say nothing about oscillation.
SWAY_S_MIN = 1.8
REST, MOVING, UNKNOWN = 0, 1, 255


@dataclass(frozen=True)
class Window:
    """Grey frames [T] of h x w px, evenly spaced, and the colour frame they start from."""

    greys: list
    reference: np.ndarray
    frame: int
    rate_hz: float
    clip_size_px: tuple

    @property
    def seconds(self):
        return (len(self.greys) - 1) / self.rate_hz


@dataclass(frozen=True)
class Motion:
    """What was measured over a window.

    flow      [64, 64, 2]  mean velocity, sides per second
    spectrum  [64, 64, 32] displacement by harmonic (re x, im x, re y, im y), sides
    moving    [64, 64]     REST, MOVING or UNKNOWN
    steady    [64, 64]     True where the mean velocity has a direction
    """

    flow: np.ndarray
    spectrum: np.ndarray
    moving: np.ndarray
    steady: np.ndarray


def read_windows(path, rate_hz, seconds, seconds_min):
    """Consecutive windows of a clip, without overlap; the last may be shorter.

    Frames are left out to come near `rate_hz`; none are made up.
    """
    capture = cv2.VideoCapture(str(path))
    stride = max(1, round(capture.get(cv2.CAP_PROP_FPS) / rate_hz))
    rate_hz = capture.get(cv2.CAP_PROP_FPS) / stride
    length, shortest = round(seconds * rate_hz) + 1, round(seconds_min * rate_hz) + 1
    windows, greys, number = [], [], 0

    def close():
        if len(greys) >= shortest:
            size = (reference.shape[1], reference.shape[0])
            windows.append(Window(list(greys), reference, start, rate_hz, size))
        greys.clear()

    while capture.grab():
        if number % stride == 0:
            rgb = np.ascontiguousarray(capture.retrieve()[1][:, :, ::-1])
            if not greys:
                reference, start = rgb, number
            greys.append(_shrink(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)))
            if len(greys) == length:
                close()
        number += 1
    close()
    return windows


def read_frame(path, number):
    """Frame `number` of a clip, uint8 RGB."""
    capture = cv2.VideoCapture(str(path))
    for _ in range(number):
        capture.grab()
    ok, bgr = capture.read()
    if not ok:
        raise ValueError(f"{path} has no frame {number}")
    return np.ascontiguousarray(bgr[:, :, ::-1])


def _shrink(grey):
    height = round(grey.shape[0] * WORK_WIDTH_PX / grey.shape[1])
    how = cv2.INTER_AREA if grey.shape[1] > WORK_WIDTH_PX else cv2.INTER_LINEAR
    return cv2.resize(grey, (WORK_WIDTH_PX, min(height, WORK_HEIGHT_MAX_PX)), interpolation=how)


def _cells(field):
    return cv2.resize(np.float32(field), (GRID, GRID), interpolation=cv2.INTER_AREA)


def _agreeing(forward, backward, x, y):
    """True where the way there and back ends where it began, [h, w]."""
    back = cv2.remap(backward, x + forward[..., 0], y + forward[..., 1], cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)
    error = np.linalg.norm(forward + back, axis=-1)
    return error < DISAGREE_PX + DISAGREE_SHARE * np.linalg.norm(forward, axis=-1)


def _velocities(window):
    """Velocities [T-1, 64, 64, 2] in sides per second, and the cells that count [64, 64]."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    height, width = window.greys[0].shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    side = np.array([width, height], np.float32)
    velocities, counted = [], []
    for a, b in zip(window.greys, window.greys[1:], strict=False):
        forward, backward = dis.calc(a, b, None), dis.calc(b, a, None)
        agree = _agreeing(forward, backward, x, y).astype(np.float32)
        share = _cells(agree)
        mean = _cells(forward * agree[..., None]) / np.maximum(share, 1e-3)[..., None]
        velocities.append(mean / side * window.rate_hz)
        counted.append(share > AGREE_PIXELS)
    velocities, counted = np.stack(velocities), np.stack(counted)
    weight = counted[..., None].astype(np.float32)
    mean = (velocities * weight).sum(0) / np.maximum(weight.sum(0), 1)
    return np.where(weight > 0, velocities, mean), counted.mean(0) > AGREE_PAIRS


def _textured(grey):
    """True where a cell shows enough to see motion, [64, 64]."""
    g = np.float32(grey)
    size = (TEXTURE_PX, TEXTURE_PX)
    variance = cv2.blur(g * g, size) - cv2.blur(g, size) ** 2
    return _cells(np.sqrt(np.maximum(variance, 0))) > TEXTURE_GREY


def _slow(velocities, rate_hz):
    """The same without what is faster than NOISE_HZ."""
    lines = np.fft.rfft(velocities, axis=0)
    lines[np.fft.rfftfreq(len(velocities), 1 / rate_hz) > NOISE_HZ] = 0
    return np.fft.irfft(lines, len(velocities), axis=0)


def _spectrum(velocities, rate_hz):
    """Displacements [64, 64, 32] by harmonic, phases told at the reference frame.

    A window of three seconds cannot tell neighbouring harmonics apart, so each
    sees some of the others; the sizes are then scaled to hold the energy that
    the window's own frequencies hold between half a step below the first
    harmonic and half a step above the last.
    """
    count = len(velocities)
    swing = velocities - velocities.mean(0)
    times = (np.arange(count) + 0.5) / rate_hz
    taper = np.hanning(count + 2)[1:-1]
    turn = np.exp(-2j * np.pi * HARMONIC_HZ[:, None] * times) * taper * 2 / taper.sum()
    turn /= (2j * np.pi * HARMONIC_HZ)[:, None]
    found = np.tensordot(turn, swing, 1)
    hz = np.fft.rfftfreq(count, 1 / rate_hz)
    band = (hz > HARMONIC_HZ[0] / 2) & (hz < HARMONIC_HZ[-1] + HARMONIC_HZ[0] / 2)
    lines = np.fft.rfft(swing, axis=0)[band] * 2 / count
    lines /= (2 * np.pi * hz[band])[:, None, None, None]
    sizes = [np.linalg.norm(part, axis=(0, 3)) for part in (lines, found)]
    found = found * (sizes[0] / np.maximum(sizes[1], 1e-9))[None, :, :, None]
    pairs = np.stack([found.real, found.imag], -1).transpose(1, 2, 0, 3, 4)
    return pairs.reshape(GRID, GRID, 4 * HARMONICS)


def measure(window):
    """The Motion of a window."""
    velocities, counts = _velocities(window)
    width_px, height_px = window.clip_size_px
    isotropic = np.array([1, height_px / width_px], np.float32)
    noise = NOISE_PX * window.rate_hz / min(width_px, WORK_WIDTH_PX)
    velocities = _slow(velocities, window.rate_hz)
    flow = velocities.mean(0)
    rms = np.sqrt(((velocities * isotropic) ** 2).sum(-1).mean(0))
    mean = np.linalg.norm(flow * isotropic, axis=-1)
    known = counts & _textured(window.greys[0])
    moving = np.full((GRID, GRID), UNKNOWN, np.uint8)
    moving[known & (rms < noise)] = REST
    moving[known & (rms > MOVING_NOISES * noise)] = MOVING
    change = np.std([_cells(grey) for grey in window.greys], 0)
    moving[~counts & (change > CHANGE_GREY)] = MOVING
    steady = counts & (moving == MOVING) & (mean > noise) & (mean > STEADY_SHARE * rms)
    spectrum = np.zeros((GRID, GRID, 4 * HARMONICS), np.float32)
    if window.seconds >= SWAY_S_MIN:
        spectrum = _spectrum(velocities, window.rate_hz)
    return Motion(flow, spectrum, moving, steady)
