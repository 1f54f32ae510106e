"""Colour and light: linear RGB, times of day, black bodies, shading of relief, and the film curve at the end.

All colours inside the world are linear light with 1 = a white card in full daylight.
"""

from dataclasses import dataclass

import cv2
import numpy as np


def srgb(*value):
    """Linear colour of an sRGB triple (0..255 each) or of a hexadecimal string."""
    if len(value) == 1:
        value = [int(value[0].lstrip("#")[i : i + 2], 16) for i in (0, 2, 4)]
    return to_linear(np.asarray(value, np.float32) / 255)


def to_linear(encoded):
    encoded = np.asarray(encoded, np.float32)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.power(linear, np.float32(1 / 2.4)) - 0.055)


def film(linear):
    """Scene light to display light: a soft toe and shoulder, so that flames and suns do not clip to flat white."""
    x = np.maximum(linear, 0) * np.float32(0.8)
    return np.clip((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)


def mix(a, b, t):
    """Blend two colours by a scalar, by a list of N or by an H x W field."""
    t = np.asarray(t, np.float32)
    if t.ndim in (1, 2):
        t = t[..., None]
    return a + (b - a) * t


def ramp(t, stops):
    """Colour along ``stops`` [(position, colour), ...] for a field or scalar ``t``."""
    positions = [p for p, _ in stops]
    colours = np.asarray([c for _, c in stops], np.float32)
    return np.stack([np.interp(t, positions, colours[:, c]) for c in range(3)], -1).astype(np.float32)


def smooth(low, high, x):
    """Smoothstep; ``low`` may be above ``high``."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def flame_colour(heat):
    """Light of a sooty flame, ``heat`` 0..1 from the last dull red to the bright yellow core."""
    heat = np.clip(heat, 0, 1.3)
    return np.dstack([4.2 * heat**1.5, 1.75 * heat**2.6, 0.5 * heat**4.6]).astype(np.float32)


def blur(image, radius):
    """Gaussian blur of deviation ``radius`` pixels; large ones are done on a smaller picture."""
    if radius < 0.3:
        return image
    factor = int(max(1, radius // 4))
    if factor == 1:
        return cv2.GaussianBlur(image, (0, 0), radius, borderType=cv2.BORDER_REPLICATE)
    h, w = image.shape[:2]
    small = cv2.resize(image, (max(2, w // factor), max(2, h // factor)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), radius / factor, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)


@dataclass
class Light:
    """The light of one scene. ``sun_to`` points to the sun: x right, y up, z towards the viewer;
    ``dapple`` 0..1 is how dark the shadows of clouds lie on the land."""

    name: str
    sun_to: np.ndarray
    sun: np.ndarray
    ambient: np.ndarray
    zenith: np.ndarray
    horizon: np.ndarray
    haze: np.ndarray
    haze_density: float
    exposure: float
    dapple: float = 0.0

    @property
    def dark(self):
        return self.name in ("night", "dusk")

    def on_relief(self, height, px, strength=1.0, occlusion=0.6):
        """Light on a rough surface facing the viewer; ``height`` in picture widths, ``px`` width of a pixel.

        Returns H x W x 3. Hollows see less of the sky (``occlusion``).
        """
        slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) * np.float32(strength / (8 * px))
        slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3) * np.float32(strength / (8 * px))
        return self.on_slopes(slope_x, slope_y) * self._hollow(height, px, occlusion)

    def on_slopes(self, slope_x, slope_y, facing=1.0):
        """Sun and sky light for slopes dh/dx, dh/dy (y down) of a surface that faces the viewer."""
        length = np.sqrt(slope_x * slope_x + slope_y * slope_y + facing * facing)
        direct = (-slope_x * self.sun_to[0] + slope_y * self.sun_to[1] + facing * self.sun_to[2]) / length
        up = slope_y / length
        return (np.maximum(direct, 0)[..., None] * self.sun + (0.62 + 0.38 * up)[..., None] * self.ambient).astype(
            np.float32
        )

    @staticmethod
    def _hollow(height, px, amount):
        radius = 0.012 / px
        depth = (blur(height, radius) - height) / np.float32(0.012)
        return np.clip(1 - np.float32(amount) * depth, 0.25, 1.3)[..., None]

    def flat(self, facing=0.6):
        """Light on a plain surface that catches ``facing`` of the sun."""
        return self.sun * facing + self.ambient


TIMES = {
    #            sun colour         strength elevation  ambient (sky light)   zenith            horizon            haze
    "day": (
        (1.0, 0.92, 0.79),
        2.9,
        (0.45, 0.95),
        (0.25, 0.34, 0.49),
        (0.055, 0.17, 0.50),
        (0.46, 0.66, 0.92),
        (0.50, 0.64, 0.84),
    ),
    "golden": (
        (1.0, 0.62, 0.30),
        2.6,
        (0.14, 0.32),
        (0.23, 0.26, 0.38),
        (0.09, 0.20, 0.46),
        (0.95, 0.62, 0.34),
        (0.74, 0.54, 0.38),
    ),
    "dusk": (
        (1.0, 0.42, 0.17),
        1.0,
        (0.02, 0.1),
        (0.13, 0.14, 0.25),
        (0.035, 0.065, 0.20),
        (1.05, 0.42, 0.16),
        (0.34, 0.22, 0.27),
    ),
    "overcast": (
        (1.0, 0.97, 0.93),
        0.45,
        (0.6, 1.0),
        (0.72, 0.77, 0.84),
        (0.50, 0.57, 0.66),
        (0.80, 0.84, 0.88),
        (0.74, 0.79, 0.84),
    ),
    "night": (
        (0.55, 0.66, 1.0),
        0.09,
        (0.4, 0.9),
        (0.013, 0.018, 0.038),
        (0.004, 0.007, 0.022),
        (0.022, 0.032, 0.062),
        (0.02, 0.028, 0.055),
    ),
}


def light_at(name, rng=None, azimuth=None, elevation=None, toward=None):
    """The light at a time of day.

    ``azimuth`` -1..1 is the sun's place from left to right, ``elevation`` in radians, ``toward`` -1..1 how far the
    sun stands behind the viewer (1) or in front of him (-1, seen in the picture).
    """
    colour, strength, elevations, ambient, zenith, horizon, haze = TIMES[name]
    rng = rng or np.random.default_rng(1)
    azimuth = rng.uniform(-1, 1) if azimuth is None else azimuth
    elevation = rng.uniform(*elevations) if elevation is None else elevation
    tint = 1 + rng.normal(0, 0.05, 3)
    drawn = rng.uniform(0.25, 0.8)
    toward = drawn if toward is None else toward
    sun_to = np.array([azimuth, np.tan(elevation) * np.hypot(azimuth, toward) + 1e-3, toward])
    as32 = lambda value: np.asarray(value, np.float32)
    return Light(
        name,
        as32(sun_to / np.linalg.norm(sun_to)),
        as32(colour) * as32(strength * rng.uniform(0.85, 1.15)),
        as32(ambient) * as32(tint),
        as32(zenith) * as32(tint),
        as32(horizon) * as32(1 + rng.normal(0, 0.05, 3)),
        as32(haze),
        float(rng.uniform(0.5, 1.4)),
        {"night": 1.6, "dusk": 1.35}.get(name, 1.0),
    )
