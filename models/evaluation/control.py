"""What a requester can say: seed, strength, arrow and mask, tried on photos."""

import numpy as np

from zoetrope_train.classes import CLASSES, STILL_CLASSES
from zoetrope_train.network import HARMONICS
from zoetrope_train.sources import VALIDATION_SOURCES

from .photos import gate_of, read_photo, segments_for
from .runner import profile_for, shrunk

#: One in so many validation photos.
STEP = 8
SEEDS = 8
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
ARROWS_DEG = (0, 90, 180, 270)
#: Wind of the product when none is asked for, as in `src/scene/input.rs`.
WIND_LENGTH, WIND_SPREAD_DEG = 0.6, 40
GATE_OPEN = 0.5
MOVING_WIDTHS_PER_S = 0.002


def seeded_style(rng, strength=1.0):
    """Style [29] as the product draws it: wind mostly sideways, free phases, people still."""
    angle = np.radians((rng.random() - 0.5) * WIND_SPREAD_DEG + 180 * rng.integers(2))
    phases = rng.random(HARMONICS) * 2 * np.pi
    phasors = np.stack([np.cos(phases), np.sin(phases)], 1).ravel()
    gains = [float(c not in STILL_CLASSES) for c in CLASSES]
    wind = WIND_LENGTH * np.array([np.cos(angle), np.sin(angle)])
    return np.concatenate([[strength], wind, phasors, gains]).astype(np.float32)


def _feed(x, style, arrow_deg=None, mask=0.0):
    _, _, height, width = x.shape
    hints = np.zeros((1, 4, height, width), np.float32)
    if arrow_deg is not None:
        angle = np.radians(arrow_deg)
        hints[:, :3] = np.array([np.cos(angle), np.sin(angle), 1.0]).reshape(1, 3, 1, 1)
    hints[:, 3] = mask
    noise = np.zeros((1, 2, height // 4, width // 4), np.float32)
    noise[:, 0] = 1
    return {"rgb": x, "hints": hints, "noise": noise, "style": style[None]}


def _size(answer):
    """Oscillation (RMS) plus one second of flow, [h, w], in widths."""
    sway = np.sqrt((answer["spectrum"] ** 2).sum(0) / 2)
    return sway + np.hypot(*answer["flow"][:2])


def evaluate_control(runner, cache, data_dir, log=print):
    """How seeds differ, that strength is monotone, and that arrow and mask are obeyed."""
    picked = [i for i, p in enumerate(cache.photos) if p.source in VALIDATION_SOURCES][::STEP]
    apart, between_sizes, same_gate, monotone, off_deg, frozen = [], [], True, [], [], 0.0
    for i in picked:
        rgb = read_photo(data_dir, cache.photos[i])
        x = shrunk(rgb, profile_for(rgb.shape[1], rgb.shape[0]))
        answers = [
            runner.run(_feed(x, seeded_style(np.random.default_rng(seed)))) for seed in range(SEEDS)
        ]
        segments = segments_for(answers[0], rgb)
        gate = gate_of(answers[0], segments)
        same_gate &= all(np.array_equal(gate, gate_of(a, segments)) for a in answers[1:])
        open_ = gate > GATE_OPEN
        sizes = np.array([_size(a)[open_].mean() for a in answers]) if open_.any() else []
        if len(sizes) and sizes.mean() > 0:
            spectra = np.stack([a["spectrum"][:, open_] for a in answers])
            usual = np.sqrt((spectra**2).mean())
            pairs = spectra - np.roll(spectra, 1, 0)
            apart.append(np.sqrt((pairs**2).mean()) / max(usual, 1e-9))
            between_sizes.append(sizes.std() / sizes.mean())
        style = [seeded_style(np.random.default_rng(0), s) for s in STRENGTHS]
        amounts = [float(_size(runner.run(_feed(x, s))).mean()) for s in style]
        monotone.append(amounts[0] == 0 and all(np.diff(amounts) > 0))
        for degrees in ARROWS_DEG:
            flow = runner.run(_feed(x, style[-1], degrees))["flow"][:2]
            moving = np.hypot(*flow) > MOVING_WIDTHS_PER_S
            said = np.degrees(np.arctan2(flow[1], flow[0]))[moving]
            off_deg.append(np.abs((said - degrees + 180) % 360 - 180))
        frozen = max(frozen, float(_size(runner.run(_feed(x, style[-1], mask=-1.0))).max()))
    log(f"\n## What a requester says, on {len(picked)} photos and {SEEDS} seeds\n")
    log("| measure | value |\n|---|---|")
    log(f"| difference of two seeds' oscillation over its size, in the gate | {np.mean(apart):.2f} |")
    log(f"| spread of the amount of motion over seeds, of its mean | {np.mean(between_sizes):.2f} |")
    log(f"| gate, and so what moves, is the same for all seeds | {'yes' if same_gate else 'NO'} |")
    log(f"| motion grows with strength and is 0 at 0 | {np.mean(monotone):.0%} of photos |")
    log(f"| angle between arrow and flow, median | {np.median(np.concatenate(off_deg)):.1f}° |")
    log(f"| largest motion under a mask that freezes, in widths | {frozen:.1e} |")
