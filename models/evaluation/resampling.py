"""How sure a figure is that comes from few clips of few sources.

Cells of a clip, and clips of a source, are not independent: intervals come
from drawing sources and then clips again, with replacement.
"""

import numpy as np

DRAWS = 400
INTERVAL_PERCENT = (2.5, 97.5)
BINS = 256


def _draws(sources):
    """Lists of clip indices, one per draw, for clips with these source names."""
    rng = np.random.default_rng(7)
    groups = [np.flatnonzero(np.array(sources) == s) for s in sorted(set(sources))]
    for _ in range(DRAWS):
        picked = rng.integers(0, len(groups), len(groups))
        yield np.concatenate([rng.choice(groups[g], len(groups[g])) for g in picked])


def with_interval(statistic, sums, sources):
    """`statistic` of the sum over clips of `sums` [N, ...]: value, low, high."""
    values = [statistic(sums[picked].sum(0)) for picked in _draws(sources)]
    return (statistic(sums.sum(0)), *np.nanpercentile(values, INTERVAL_PERCENT))


def share(good_and_total):
    """Share of good among all, of a pair of counts; NaN without any."""
    good, total = good_and_total
    return good / total if total else np.nan


def histograms(scores, moving):
    """Counts [N, 2, bins] of scores at rest and moving, per clip, for `auc`.

    `scores` and `moving` are lists of arrays, one per clip; bins are finer
    where scores are denser.
    """
    edges = np.unique(np.quantile(np.concatenate(scores), np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = np.zeros((len(scores), 2, len(edges) + 1))
    for i, (score, truth) in enumerate(zip(scores, moving, strict=True)):
        bins = np.searchsorted(edges, score, side="right")
        for k in (0, 1):
            counts[i, k] = np.bincount(bins[truth == k], minlength=len(edges) + 1)
    return counts


def auc(counts):
    """Chance that a moving cell scores higher than one at rest, ties counting half."""
    rest, moving = counts
    if not rest.sum() or not moving.sum():
        return np.nan
    below = np.cumsum(rest) - 0.5 * rest
    return float((moving * below).sum() / (moving.sum() * rest.sum()))


def cell(value, low, high):
    """A figure and its interval for a table."""
    return "–" if np.isnan(value) else f"{value:.2f} [{low:.2f}, {high:.2f}]"
