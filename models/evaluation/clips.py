"""What moves, whereto and how fast, against motion measured in clips.

Cells are those of the clip cache, 64x64 over the picture.  Velocities here
are isotropic, in the clip's true widths per second; y points down.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoetrope_train.classes import CLASSES, INDEX, STILL_CLASSES
from zoetrope_train.clip_cache import teacher_classes
from zoetrope_train.clip_motion import MOVING, REST, SWAY_S_MIN, read_frame
from zoetrope_train.sources import KINDS

from .resampling import auc, cell, histograms, share, with_interval
from .runner import on_grid, profile_for

GRID = 64
#: Kinds judged by direction and by axis; largest angles in degrees.
DIRECTED, DIRECTED_DEG = ("fall", "smoke", "fire"), 45
AXIAL, AXIAL_DEG = ("river", "sea", "cloud", "fog"), 30
SWAYING = ("sea", "ripple", "foliage", "cloth")
SPEED_FACTOR = 2.0
#: Slower than this, in widths per second, nothing is seen to go anywhere.
SPEED_SEEN = 1e-3
#: The teacher's probability of still things from which rest is no mere calm.
SURELY_STILL = 0.9
AUC_BAR, DIRECTION_BAR = 0.88, 0.70
_STILL = [INDEX[c] for c in STILL_CLASSES]


@dataclass(frozen=True)
class Said:
    """An answer about one frame: scores of mobility by name, velocity, RMS sway.

    Scores and sway are [64, 64], velocity is [64, 64, 2].
    """

    scores: dict
    velocity: np.ndarray
    sway: np.ndarray


@dataclass(frozen=True)
class Truth:
    """What was measured at one window, all [64, 64], velocity [64, 64, 2]."""

    moving: np.ndarray
    rest: np.ndarray
    steady: np.ndarray
    kinds: np.ndarray
    velocity: np.ndarray
    sway: np.ndarray
    teacher: np.ndarray


def _rms(pairs):
    """RMS displacement of 8 harmonics, from [..., 32] complex x, y amplitudes."""
    return np.sqrt((pairs**2).sum(-1) / 2)


def truth_of(cache, i):
    """The measured motion of row `i` in isotropic lengths."""
    a, row = cache.arrays, cache.rows[i]
    height = row.height_px / row.width_px
    stretch = np.tile(np.float32([1, 1, height, height]), 8)
    return Truth(
        moving=a["moving"][i] == MOVING,
        rest=a["moving"][i] == REST,
        steady=a["steady"][i] > 0,
        kinds=a["kinds"][i],
        velocity=np.float32(a["flow"][i]) * np.float32([1, height]),
        sway=_rms(np.float32(a["spectrum"][i]) * stretch),
        teacher=teacher_classes(a["logits"][i]),
    )


def network_says(runner, rgb):
    """The network's Said on a frame whose wind nobody told it."""
    size = profile_for(rgb.shape[1], rgb.shape[0])
    answer = runner(rgb, size)
    squeeze = (size[0] / size[1]) * (rgb.shape[0] / rgb.shape[1])
    velocity = on_grid(answer["flow"][:2], GRID).transpose(1, 2, 0) * np.float32([1, squeeze])
    stretch = np.tile(np.float32([1, 1, squeeze, squeeze]), 8)
    sway = _rms(on_grid(answer["spectrum"], GRID).transpose(1, 2, 0) * stretch)
    scores = {
        "mobility": on_grid(answer["mobility"], GRID)[0],
        "P(movable)": 1 - on_grid(answer["p"], GRID)[_STILL].sum(0),
    }
    return Said(scores, velocity, sway)


class TeacherBaseline:
    """The segmentation teacher with each class's average motion on training clips."""

    def __init__(self, cache):
        n = len(CLASSES)
        moved, known, steady = np.zeros(n), np.zeros(n), np.zeros(n)
        velocity, sway = np.zeros((n, 2)), np.zeros(n)
        for i in (i for i, clip in enumerate(cache.clips) if not clip.is_test):
            truth = truth_of(cache, i)
            best = truth.teacher.argmax(-1)
            for c in np.unique(best):
                here = best == c
                moved[c] += (here & truth.moving).sum()
                known[c] += (here & (truth.moving | truth.rest)).sum()
                steady[c] += (here & truth.steady).sum()
                velocity[c] += truth.velocity[here & truth.steady].sum(0)
                sway[c] += truth.sway[here & truth.moving].sum()
        self.rate = moved / np.maximum(known, 1)
        self.velocity = velocity / np.maximum(steady, 1)[:, None]
        self.sway = sway / np.maximum(moved, 1)

    def __call__(self, truth):
        best = truth.teacher.argmax(-1)
        scores = {"class average": truth.teacher @ self.rate}
        return Said(scores, self.velocity[best], self.sway[best])


def _well_directed(kind, said, truth):
    """Which vectors [N, 2] are seen to move and point well enough for their kind."""
    speed = np.linalg.norm(said, axis=-1)
    cosine = (said * truth).sum(-1) / np.maximum(speed * np.linalg.norm(truth, axis=-1), 1e-12)
    if kind in AXIAL:
        close = np.abs(cosine) >= np.cos(np.radians(AXIAL_DEG))
    else:
        close = cosine >= np.cos(np.radians(DIRECTED_DEG))
    return close & (speed > SPEED_SEEN)


class _Collected:
    """All answers about the chosen rows, by the name of who gave them."""

    def __init__(self, cache, rows, data_dir, runners):
        baseline = TeacherBaseline(cache)
        self.files = [cache.rows[i].file for i in rows]
        self.clips = [cache.clips[i] for i in rows]
        self.long = [cache.rows[i].seconds >= SWAY_S_MIN for i in rows]
        self.truths = [truth_of(cache, i) for i in rows]
        self.said = {name: [] for name in (*runners, "teacher", "nothing moves")}
        rest = np.zeros((GRID, GRID), np.float32)
        nothing = Said({"constant": rest}, np.zeros((GRID, GRID, 2), np.float32), rest)
        for i, truth in zip(rows, self.truths, strict=True):
            rgb = read_frame(Path(data_dir) / cache.rows[i].file, cache.rows[i].frame)
            for name, runner in runners.items():
                self.said[name].append(network_says(runner, rgb))
            self.said["teacher"].append(baseline(truth))
            self.said["nothing moves"].append(nothing)

    def by_clip(self, values, usable):
        """Arrays per clip from arrays per row, with the clips' sources."""
        joined, sources = {}, {}
        for file, clip, value, used in zip(self.files, self.clips, values, usable, strict=True):
            if used:
                joined.setdefault(file, []).append(value)
                sources[file] = clip.source
        return [np.concatenate(v) for v in joined.values()], list(sources.values())


def _auc(collected, scores, moving, rest):
    """AUC with its interval as a table's cell, from lists of [64, 64] by row."""
    chosen = [m | r for m, r in zip(moving, rest, strict=True)]
    everything = [True] * len(chosen)
    scores = [s[c] for s, c in zip(scores, chosen, strict=True)]
    moving = [m[c] for m, c in zip(moving, chosen, strict=True)]
    scores, sources = collected.by_clip(scores, everything)
    moving, _ = collected.by_clip(moving, everything)
    return cell(*with_interval(auc, histograms(scores, moving), sources))


def _mobility_tables(collected, log):
    """AUC over all that moves against two kinds of rest, then for each kind of motion."""
    truths = collected.truths
    moving, rest = [t.moving for t in truths], [t.rest for t in truths]
    sure = [t.rest & (t.teacher[..., _STILL].sum(-1) > SURELY_STILL) for t in truths]
    log("\n| mobility: AUC against measured motion | rest anywhere "
        "| rest where the teacher is sure of still things |\n|---|---|---|")
    for name, said in collected.said.items():
        for score in said[0].scores:
            scores = [s.scores[score] for s in said]
            against = [_auc(collected, scores, moving, r) for r in (rest, sure)]
            log(f"| {name}, {score} | {against[0]} | {against[1]} |")
    names = list(collected.said)[:-1]
    log("\n| mobility: AUC of one kind of motion against sure rest | clips / sources | "
        + " | ".join(names) + " |\n|---|---|" + "---|" * len(names))
    for kind in dict.fromkeys(DIRECTED + AXIAL + SWAYING):
        cells, usable = _kind_rows(collected, kind, "moving", timed=False)
        if not any(usable):
            continue
        _, sources = collected.by_clip([c[c] for c in cells], usable)
        columns = []
        for name in names:
            scores = [next(iter(s.scores.values())) for s in collected.said[name]]
            columns.append(_auc(collected, scores, cells, sure))
        log(f"| {_counted(kind, sources)} | " + " | ".join(columns) + " |")


def _kind_rows(collected, kind, mask, timed):
    """Which rows show the kind at cells of `mask`, and the cells, by row."""
    cells = [getattr(t, mask) & (t.kinds == KINDS.index(kind)) for t in collected.truths]
    usable = [
        bool(c.any()) and not (timed and clip.is_timelapse)
        for c, clip in zip(cells, collected.clips, strict=True)
    ]
    return cells, usable


def _counted(kind, sources):
    return f"{kind} | {len(sources)} / {len(set(sources))}"


def _direction_table(collected, log):
    names = list(collected.said)[:-1]
    log(f"\n| direction: share within {DIRECTED_DEG}° ({', '.join(DIRECTED)}), axis within "
        f"{AXIAL_DEG}° ({', '.join(AXIAL)}), above {100 * SPEED_SEEN:.1f} % of the width per second "
        "| clips / sources | " + " | ".join(names) + " | one direction for all, the best |")
    log("|---|---|" + "---|" * (len(names) + 1))
    for kind in DIRECTED + AXIAL:
        cells, usable = _kind_rows(collected, kind, "steady", timed=False)
        if not any(usable):
            continue
        columns = []
        for name in names:
            good = [
                _well_directed(kind, s.velocity[c], t.velocity[c])
                for s, t, c in zip(collected.said[name], collected.truths, cells, strict=True)
            ]
            good, sources = collected.by_clip(good, usable)
            sums = np.array([(g.sum(), g.size) for g in good], float)
            columns.append(cell(*with_interval(share, sums, sources)))
        truth = np.concatenate([t.velocity[c] for t, c in zip(collected.truths, cells, strict=True)])
        columns.append(f"{_best_single_direction(kind, truth):.2f}")
        log(f"| {_counted(kind, sources)} | " + " | ".join(columns) + " |")


def _best_single_direction(kind, truth):
    """Largest share that one direction for all vectors [N, 2] could reach, told by hindsight."""
    angles = np.radians(np.arange(0, 360, 5))
    ways = np.stack([np.cos(angles), np.sin(angles)], -1)
    return max(_well_directed(kind, np.broadcast_to(w, truth.shape), truth).mean() for w in ways)


def _speed_table(collected, log):
    names = list(collected.said)[:-1]
    near = f"within {SPEED_FACTOR:.0f}× of the measured median"
    log("\n| speed, % of the width per second | clips / sources | measured | "
        + " | ".join(f"{name} | … {near}" for name in names)
        + " |\n|---|---|---|" + "---|---|" * len(names))
    for kind in DIRECTED + AXIAL:
        cells, usable = _kind_rows(collected, kind, "steady", timed=True)
        if not any(usable):
            continue

        def medians(fields, cells=cells, usable=usable):
            speeds = [np.linalg.norm(f[c], axis=-1) for f, c in zip(fields, cells, strict=True)]
            per_clip, sources = collected.by_clip(speeds, usable)
            return per_clip, sources, float(np.median([np.median(v) for v in per_clip]))

        _, sources, measured = medians([t.velocity for t in collected.truths])
        columns = []
        for name in names:
            per_clip, _, middle = medians([s.velocity for s in collected.said[name]])
            close = [np.abs(np.log(np.maximum(v, 1e-9) / measured)) < np.log(SPEED_FACTOR)
                     for v in per_clip]
            sums = np.array([(c.sum(), c.size) for c in close], float)
            columns += [f"{100 * middle:.1f}", cell(*with_interval(share, sums, sources))]
        log(f"| {_counted(kind, sources)} | {100 * measured:.1f} | " + " | ".join(columns) + " |")


def _sway_table(collected, log):
    names = list(collected.said)[:-1]
    log("\n| oscillation where it moves, RMS in % of the width, medians over clips "
        "| clips / sources | measured | " + " | ".join(names)
        + " |\n|---|---|---|" + "---|" * len(names))
    for kind in SWAYING:
        cells, usable = _kind_rows(collected, kind, "moving", timed=True)
        usable = [u and long for u, long in zip(usable, collected.long, strict=True)]
        if not any(usable):
            continue
        columns = []
        for fields in (collected.truths, *(collected.said[n] for n in names)):
            per_clip, sources = collected.by_clip(
                [f.sway[c] for f, c in zip(fields, cells, strict=True)], usable
            )
            columns.append(f"{100 * np.median([np.median(v) for v in per_clip]):.2f}")
        log(f"| {_counted(kind, sources)} | " + " | ".join(columns) + " |")


def evaluate_clips(runners, cache, data_dir, log=print, every=False):
    """Tables on held-out clips for the networks in `runners`, by name, and two baselines.

    `every` also takes the clips that are trained on: honest only for a network
    that was trained without clips.
    """
    rows = [i for i, clip in enumerate(cache.clips) if every or clip.is_test]
    if not rows:
        return
    collected = _Collected(cache, rows, data_dir, runners)
    sources = {clip.source for clip in collected.clips}
    which = "clips, also of training sources" if every else "clips of unseen sources"
    log(f"\n## {len(set(collected.files))} {which} ({len(rows)} windows, {len(sources)} sources)\n")
    log(f"In brackets: 95 % of draws of sources and clips. Bars: AUC {AUC_BAR}, direction "
        f"{DIRECTION_BAR}. Rest chosen by the teacher flatters the teacher.")
    _mobility_tables(collected, log)
    _direction_table(collected, log)
    _speed_table(collected, log)
    _sway_table(collected, log)
