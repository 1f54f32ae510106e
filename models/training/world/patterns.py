"""What is printed on cloth and boards: stripes, crosses, cantons, emblems, letters and checks over coordinates 0..1."""

import cv2
import numpy as np

from .light import smooth, srgb

INKS = (
    "#b3202c", "#f3efe6", "#1c3f8f", "#e9b824", "#1d7a45", "#20242b", "#e36a1e", "#4aa3c7", "#7b2d6b", "#f7f5f0",
    "#d21f2f", "#0e2a66", "#8f9aa3", "#c9a27a", "#6a1a24", "#f0d24a",
)  # fmt: skip
PRINTS = (
    "bands", "pales", "cross", "saltire", "canton", "disc", "triangle", "plain", "emblem", "letters", "check", "dots",
)  # fmt: skip
WEIGHTS = (0.2, 0.14, 0.08, 0.04, 0.15, 0.06, 0.07, 0.08, 0.07, 0.06, 0.03, 0.02)
WORDS = ("OPEN", "CAFE", "MARKET", "SALE", "HELLO", "FEST", "2024", "WELCOME", "TOURS", "FISH")


def _star(x, y, radius):
    """Coverage of a star with five points around the origin."""
    # Every edge runs straight from a tip to a hollow 36 degrees further on, at 0.382 of the radius.
    fifth = np.pi / 5
    turn = fifth - np.abs(np.mod(np.arctan2(x, -y), 2 * fifth) - fifth)
    reach = radius * 0.382 * np.sin(fifth) / (np.sin(turn) + 0.382 * np.sin(fifth - turn))
    return smooth(1.06, 0.94, np.hypot(x, y) / np.maximum(reach, 1e-4))


def _canton(rng, s, t, edge):
    """Stars or discs in the upper corner: (where the corner is, where its marks are)."""
    wide, tall = rng.uniform(0.34, 0.5), rng.uniform(0.45, 0.6)
    corner = edge(wide - s) * edge(tall - t)
    columns = int(rng.integers(1, 7))
    rows = max(1, round(columns * tall / (1.5 * wide)))
    x = (s / wide * columns) % 1 - 0.5
    y = ((t / tall * rows) % 1 - 0.5) * (tall * columns) / (1.5 * wide * rows)
    mark = _star(x, y, 0.38) if rng.random() < 0.7 else smooth(0.34, 0.3, np.hypot(x, y))
    return corner, mark * corner


def _letters(rng, s, t):
    """Words printed in rows."""
    tile = np.zeros((96, 256), np.uint8)
    for row in range(int(rng.integers(1, 3))):
        word = str(rng.choice(WORDS))
        scale = 236 / cv2.getTextSize(word, cv2.FONT_HERSHEY_DUPLEX, 1, 6)[0][0]
        cv2.putText(tile, word, (8, 46 + 44 * row), cv2.FONT_HERSHEY_DUPLEX, min(scale, 2.0), 255, 7, cv2.LINE_AA)
    across, down = (np.asarray(f, np.float32) for f in (s * 256, t * 96))
    return cv2.remap(tile, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) / np.float32(255)


def printed(rng, s, t, soft, kind=None):
    """Albedo of a print at ``s`` along and ``t`` down, 0..1 inside it; ``soft`` is the width of its edges."""
    kind = kind or str(rng.choice(PRINTS, p=WEIGHTS))
    a, b, c = (srgb(INKS[i]) * np.float32(rng.uniform(0.75, 1.0)) for i in rng.permutation(len(INKS))[:3])
    edge = lambda inside: np.clip(inside / soft + 0.5, 0, 1)
    over = lambda under, ink, amount: under + (ink - under) * np.asarray(amount, np.float32)[..., None]
    ground = np.broadcast_to(a, s.shape + (3,))
    if kind in ("bands", "pales", "canton"):
        count = int(rng.choice([2, 3, 3, 3, 5, 7, 9, 13]))
        place = (s if kind == "pales" else t) * count
        inks = np.stack([a, b, c]) if count == 3 else np.stack([a, b])
        ground = inks[np.clip(np.floor(place), 0, count - 1).astype(int) % len(inks)]
    if kind == "canton":
        corner, marks = _canton(rng, s, t, edge)
        return over(over(ground, c, corner), a if rng.random() < 0.5 else b, marks)
    if kind == "cross":
        middle, half = rng.choice([0.38, 0.5]), rng.uniform(0.05, 0.11)
        arms = lambda half: np.maximum(edge(half - np.abs(s - middle)), edge(1.5 * half - np.abs(t - 0.5)))
        ground = over(ground, b, arms(half))
        return over(ground, c, arms(half * 0.5)) if rng.random() < 0.4 else ground
    if kind == "saltire":
        return over(ground, b, np.maximum(edge(0.1 - np.abs(s - t)), edge(0.1 - np.abs(s + t - 1))))
    if kind == "disc":
        return over(ground, b, edge(rng.uniform(0.2, 0.32) - np.hypot((s - 0.5) * 1.5, t - 0.5)))
    if kind == "triangle":
        ground = np.where((t < 0.5)[..., None], a, b)
        return over(ground, c, edge(rng.uniform(0.35, 0.6) * (1 - 2 * np.abs(t - 0.5)) - s))
    if kind == "emblem":
        x, y = (s - rng.uniform(0.4, 0.6)) * 1.5, t - 0.5
        turn, radius = np.arctan2(y, x), np.hypot(x, y)
        shape = 0.22 * (1 + 0.35 * np.cos(int(rng.integers(3, 9)) * turn) + 0.1 * np.cos(13 * turn))
        ground = over(ground, b, edge(0.34 - radius) * (1 - edge(0.3 - radius)))
        return over(over(ground, b, edge(shape - radius)), c, edge(0.45 * shape - radius))
    if kind == "letters":
        return over(ground, b, _letters(rng, s, t))
    if kind == "check":
        count = rng.uniform(6, 14)
        weave = (np.sin(s * 6.28 * count * 1.5) > 0).astype(np.float32) + (np.sin(t * 6.28 * count) > 0)
        return over(ground, b, 0.5 * weave)
    if kind == "dots":
        count = rng.uniform(5, 12)
        x, y = (s * count * 1.5) % 1 - 0.5, (t * count) % 1 - 0.5
        return over(ground, b, smooth(0.28, 0.22, np.hypot(x, y)))
    return ground
