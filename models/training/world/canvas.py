"""The canvas: a picture in linear light together with everything that is true about each of its pixels.

Things are painted back to front. Positions are in picture widths: ``u`` from 0 at the left to 1, ``v`` from 0 at the
top down. Whoever paints a layer says its class, depth and motion; a label replaces the one behind where the layer
covers enough of the pixel.
"""

from dataclasses import dataclass

import numpy as np

from .light import blur, film, to_srgb

CLASSES = ("rigid", "sky", "water_still", "water_flow", "smoke", "fire", "foliage", "cloth", "person", "vehicle")
CLASS_INDEX = {name: index for index, name in enumerate(CLASSES)}
HARMONICS = 8


def _profile(*weights):
    """Weights of the harmonics at k/4 Hz, scaled so that the displacement has unit RMS over time."""
    weights = np.asarray(weights, np.float32)
    return weights / np.sqrt(np.sum(weights**2) / 2)


PROFILES = {
    "none": np.zeros(HARMONICS, np.float32),
    "tree": _profile(0.55, 1.0, 0.7, 0.3, 0.14, 0.07, 0.04, 0.02),
    "leaf": _profile(0.3, 0.9, 1.0, 0.6, 0.3, 0.15, 0.08, 0.05),
    "ripple": _profile(0.1, 0.6, 0.9, 1.0, 0.7, 0.3, 0.15, 0.08),
    "swell": _profile(0.4, 1.0, 0.9, 0.5, 0.25, 0.12, 0.06, 0.03),
    "flag": _profile(0.2, 0.6, 0.9, 1.0, 0.9, 0.7, 0.5, 0.35),
    "curtain": _profile(0.6, 1.0, 0.8, 0.5, 0.3, 0.18, 0.1, 0.06),
    "flame": _profile(0.5, 0.7, 0.9, 1.0, 1.0, 0.9, 0.8, 0.7),
}
PROFILE_INDEX = {name: index for index, name in enumerate(PROFILES)}


@dataclass
class Scene:
    """A picture and its labels, all height x width; units are given in ``world.draw``."""

    rgb: np.ndarray
    classes: np.ndarray
    mobility: np.ndarray
    flow: np.ndarray
    spectrum: np.ndarray
    depth: np.ndarray
    light: np.ndarray


class Canvas:
    """A picture being painted. ``px`` is the width of a pixel, ``aspect`` the picture's height, in widths."""

    def __init__(self, width_px, height_px, seed, wind=None):
        self.width_px, self.height_px = width_px, height_px
        self.px, self.aspect = 1.0 / width_px, height_px / width_px
        self.rng = np.random.default_rng([int(seed), 4242])
        drawn = self.rng.uniform(0.15, 1.0), self.rng.choice([-1, 1]), self.rng.normal(0, 0.12)
        if wind is None:
            wind = (drawn[0] * drawn[1] * np.cos(drawn[2]), drawn[0] * np.sin(drawn[2]))
        self.wind = np.asarray(wind, np.float32)
        x = (np.arange(width_px, dtype=np.float32) + 0.5) / width_px
        y = (np.arange(height_px, dtype=np.float32) + 0.5) / width_px
        self.u = np.broadcast_to(x, (height_px, width_px)).copy()
        self.v = np.broadcast_to(y[:, None], (height_px, width_px)).copy()
        shape = (height_px, width_px)
        self.rgb = np.zeros(shape + (3,), np.float32)
        self.classes = np.zeros(shape, np.uint8)
        self.mobility = np.zeros(shape, np.float32)
        self.flow = np.zeros(shape + (2,), np.float32)
        self.sway = np.zeros(shape + (2,), np.complex64)
        self.delay = np.zeros(shape, np.float32)
        self.profile = np.zeros(shape, np.uint8)
        self.depth = np.ones(shape, np.float32)
        self.light = np.zeros(shape, np.float32)
        self.exposure = 1.0

    def seed(self):
        """A fresh seed for a noise field."""
        return int(self.rng.integers(1 << 30))

    @property
    def wind_strength(self):
        return float(min(np.hypot(*self.wind), 1.0))

    @property
    def wind_direction(self):
        """Unit vector of the wind, zero in still air."""
        return self.wind / max(self.wind_strength, 1e-3) if self.wind_strength > 1e-3 else self.wind * 0

    def window(self, u0, v0, u1, v1):
        """Index of the pixels of a rectangle given in widths, clipped to the picture; may be empty."""
        clip = lambda value, limit: int(np.clip(np.floor(value * self.width_px), 0, limit))
        return (
            slice(clip(v0, self.height_px), clip(v1 + self.px, self.height_px)),
            slice(clip(u0, self.width_px), clip(u1 + self.px, self.width_px)),
        )

    def turned(self, at, x, v, angle):
        """Lengths in widths along a direction through ``x, v`` and across it, at the pixels ``at``."""
        c, s = np.cos(angle), np.sin(angle)
        u, w = self.u[at] - x, self.v[at] - v
        return u * c + w * s, -u * s + w * c

    def put(
        self,
        alpha,
        colour,
        kind,
        depth,
        at=(slice(None), slice(None)),
        *,
        mobility=0.0,
        flow=0.0,
        sway=0.0,
        profile="none",
        delay=0.0,
        light=0.0,
        threshold=0.5,
        premultiplied=False,
        spread=0.0,
    ):
        """Paint ``colour`` (linear) with ``alpha`` 0..1 and label what it covers by more than ``threshold``.

        ``flow`` in widths/s; ``sway`` is the RMS displacement vector (x, y; complex, in widths) whose energy is
        spread over the harmonics by ``profile``, ``delay`` seconds after the canonical phase. Threads and drops are
        labelled as one body with the gaps between them: ``spread`` widths is how far coverage counts.
        """
        alpha = np.asarray(alpha, np.float32)
        target = self.rgb[at]
        cover = alpha[..., None]
        if premultiplied:
            target *= 1 - cover
            target += colour
        else:
            target += (colour - target) * cover
        if spread:
            alpha = blur(alpha, spread / self.px)
        self.label(
            alpha > threshold,
            kind,
            depth,
            at,
            mobility=mobility,
            flow=flow,
            sway=sway,
            profile=profile,
            delay=delay,
            light=light,
        )

    def label(
        self,
        where,
        kind,
        depth,
        at=(slice(None), slice(None)),
        *,
        mobility=0.0,
        flow=0.0,
        sway=0.0,
        profile="none",
        delay=0.0,
        light=0.0,
    ):
        """Say what is true of the pixels in ``where`` without painting them."""
        pair = where[..., None]
        np.copyto(self.classes[at], np.uint8(CLASS_INDEX[kind]), where=where)
        np.copyto(self.profile[at], np.uint8(PROFILE_INDEX[profile]), where=where)
        for field, value in ((self.depth, depth), (self.mobility, mobility), (self.delay, delay), (self.light, light)):
            np.copyto(field[at], np.asarray(value, np.float32), where=where)
        np.copyto(self.flow[at], np.asarray(flow, np.float32), where=pair)
        np.copyto(self.sway[at], np.asarray(sway, np.complex64), where=pair)

    def glow(self, source, colour, radius, amount):
        """Bloom: add ``source`` (H x W brightness) blurred over ``radius`` widths."""
        self.rgb += blur(source, radius / self.px)[..., None] * (np.asarray(colour, np.float32) * np.float32(amount))

    def lens(self, bloom=0.06, vignette=0.18):
        """What any lens adds: a little veil around bright things and darker corners."""
        bright = np.maximum(self.rgb - 1.0, 0)
        np.minimum(bright, 6, out=bright)
        if float(bright.max()) > 0:
            self.rgb += (blur(bright, 0.006 / self.px) + blur(bright, 0.03 / self.px)) * np.float32(bloom)
        radius = ((self.u - 0.5) ** 2 + (self.v - self.aspect / 2) ** 2) / (0.25 + self.aspect**2 / 4)
        self.rgb *= (1 - np.float32(vignette) * radius * radius)[..., None]

    def scene(self, spectrum=True):
        """Develop the picture. ``spectrum`` may be left out for large stills that need no labels of motion."""
        shown = to_srgb(film(self.rgb * np.float32(self.exposure)))
        rgb = np.clip(shown * 255 + 0.5, 0, 255).astype(np.uint8)
        waves = np.zeros(self.classes.shape + (HARMONICS, 2), np.complex64) if not spectrum else self._spectrum()
        return Scene(
            rgb,
            self.classes,
            np.clip(self.mobility, 0, 1),
            self.flow,
            waves,
            np.clip(self.depth, 0, 1),
            np.clip(self.light, 0, 1),
        )

    def _spectrum(self):
        weights = np.stack(list(PROFILES.values()))[self.profile]
        turn = np.exp(-0.5j * np.pi * self.delay).astype(np.complex64)
        waves = np.empty(self.classes.shape + (HARMONICS, 2), np.complex64)
        phase = np.ones_like(turn)
        for k in range(HARMONICS):
            phase = phase * turn
            waves[:, :, k] = self.sway * (weights[..., k] * phase)[..., None]
        return waves
