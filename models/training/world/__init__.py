"""A procedural world: layered scenes with exact labels of what is where and how it moves.

``draw`` makes one picture of a kind. Labels are exact because each layer that is painted says what it is. Nothing
here is learnt or copied: there are no photographs behind it. Only NumPy and OpenCV are needed.

Labels, all height x width:

- ``classes``: index in ``CLASSES``; ``mobility``: 0 never moves .. 1 free
- ``flow``: mean velocity (x right, y down) in picture widths per second; zero for things that only swing
- ``spectrum``: complex amplitude (x, y) of harmonics 1..8 at k/4 Hz, in picture widths, in the canonical phase
- ``depth``: 0 near .. 1 far; ``light``: amplitude of brightness flicker, 0..1
"""

from .camera import augment, tilted
from .canvas import CLASSES, HARMONICS, Canvas, Scene
from .scenes import SCENES
from .style import Style

KINDS = tuple(SCENES)


def draw(kind, width_px, height_px, seed, wind=None, style=None, spectrum=True):
    """Draw a picture of ``kind`` with its labels.

    ``wind`` is (x, y) of length 0..1, None draws it. The same arguments give the same bytes. ``style`` names
    choices that are otherwise drawn; ``spectrum=False`` leaves that label empty, for large stills.
    """
    canvas = Canvas(width_px, height_px, seed, wind)
    SCENES[kind](canvas, Style(canvas, style))
    return canvas.scene(spectrum)


__all__ = ["CLASSES", "HARMONICS", "KINDS", "Scene", "augment", "draw", "tilted"]
