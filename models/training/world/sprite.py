"""Small shapes by the thousand: leaves, blades and branches stamped with OpenCV's antialiased polygons.

OpenCV antialiases only 8-bit pictures, so a sprite holds the square root of linear light over coverage and is
decoded when it is painted onto the canvas.
"""

import cv2
import numpy as np

SHIFT = 4
TOP = 3.0
"""Brightest linear value that a sprite can hold."""


class Sprite:
    """A transparent layer over the whole canvas that shapes are stamped on, in painting order."""

    def __init__(self, canvas):
        self.canvas = canvas
        self.pixels = np.zeros((canvas.height_px, canvas.width_px, 4), np.uint8)

    def _ink(self, colours):
        code = np.sqrt(np.clip(np.asarray(colours, np.float32) / TOP, 0, 1)) * 255
        return np.concatenate([code, np.full(code.shape[:-1] + (1,), 255)], -1).tolist()

    def _fixed(self, points):
        return np.round((np.asarray(points, np.float32) / self.canvas.px - 0.5) * (1 << SHIFT)).astype(np.int32)

    def polygons(self, points, colours):
        """Convex polygons, N x corners x 2 positions in widths, N x 3 linear colours."""
        for outline, ink in zip(self._fixed(points), self._ink(colours)):
            cv2.fillConvexPoly(self.pixels, outline, ink, cv2.LINE_AA, SHIFT)

    def shape(self, points, colour):
        """One polygon of any form."""
        cv2.fillPoly(self.pixels, [self._fixed(points)], self._ink([colour])[0], cv2.LINE_AA, SHIFT)

    def strokes(self, lines, widths, colours):
        """Polylines with a width in picture widths each; never thinner than a pixel."""
        for line, width, ink in zip(lines, widths, self._ink(colours)):
            thick = max(1, int(round(width / self.canvas.px)))
            cv2.polylines(self.pixels, [self._fixed(line)], False, ink, thick, cv2.LINE_AA, SHIFT)

    def leaves(self, x, y, length, angle, colours, slim=0.42):
        """Pointed leaves from a base ``x, y`` along ``angle`` (radians, 0 to the right, y down)."""
        t = np.array([0.0, 0.25, 0.6, 1.0, 0.6, 0.25], np.float32)
        side = np.array([0.0, 0.75, 0.8, 0.0, -0.8, -0.75], np.float32) * slim * 0.5
        c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
        length = length[:, None]
        points = np.stack([x[:, None] + length * (t * c - side * s), y[:, None] + length * (t * s + side * c)], -1)
        self.polygons(points, colours)

    def blades(self, x, y, height, lean, width, colours):
        """Curved grass blades from their foot ``x, y``; ``lean`` is the sideways travel of the tip in heights."""
        points = np.empty((len(x), 7, 2), np.float32)
        for corner, (t, side) in enumerate(
            ((0, -1), (0.35, -0.85), (0.7, -0.5), (1, 0), (0.7, 0.5), (0.35, 0.85), (0, 1))
        ):
            points[:, corner, 0] = x + lean * height * t**1.8 + side * width * 0.5
            points[:, corner, 1] = y - height * (t - 0.18 * np.abs(lean) * t * t)
        self.polygons(points, colours)

    def decoded(self):
        """(linear colour, coverage 0..1)."""
        cover = self.pixels[..., 3].astype(np.float32) / 255
        code = self.pixels[..., :3].astype(np.float32) / 255
        code /= np.maximum(cover, 1 / 255)[..., None]
        return np.minimum(code, 1.2) ** 2 * TOP, cover

    def put(self, kind, depth, veil=None, **labels):
        """Paint onto the canvas; ``veil`` (colour, amount) is the haze in front."""
        colour, cover = self.decoded()
        if veil is not None:
            colour = colour + (veil[0] - colour) * np.float32(veil[1])
        self.canvas.put(cover, colour, kind, depth, **labels)
        return cover
