"""Motion, depth and light against the procedural world's truth."""

import numpy as np

from zoetrope_train.classes import CLASSES

from .runner import on_grid

SIZE = (288, 288)
GRID = 64
MOVING_WIDTHS_PER_S = 0.003
SWAYING_WIDTHS = 1e-4
BURNING = 0.05
BASELINE_SCENES = 400


def _amplitudes(spectrum):
    """[64, 64, 32] k-major spectrum to [64, 64, 16] magnitudes, in widths."""
    pairs = spectrum.astype(np.float32).reshape(GRID, GRID, 16, 2)
    return np.sqrt((pairs**2).sum(-1))


def _truth(cache, i):
    a = cache.arrays
    return {
        "class": a["classes"][i].argmax(-1),
        "flow": a["flow"][i].astype(np.float32),
        "sway": _amplitudes(a["spectrum"][i]),
        "depth": a["depth"][i].astype(np.float32)[..., None] / 255,
        "light": a["light"][i].astype(np.float32)[..., None] / 255,
    }


def class_averages(cache):
    """Mean flow, sway, depth and light per class over training scenes.

    The flow's x is averaged along the wind's side, so that the baseline is
    told which way the wind blows, as the network is.
    """
    keys = {"flow": 2, "sway": 16, "depth": 1, "light": 1}
    sums = {k: np.zeros((len(CLASSES), n)) for k, n in keys.items()}
    counts = np.zeros(len(CLASSES))
    for i in range(min(BASELINE_SCENES, len(cache))):
        truth = _truth(cache, i)
        side = np.array([np.sign(cache.wind[i][0]) or 1.0, 1.0], np.float32)
        for c in np.unique(truth["class"]):
            here = truth["class"] == c
            counts[c] += here.sum()
            for key in keys:
                value = truth[key][here] * (side if key == "flow" else 1)
                sums[key][c] += value.sum(0)
    return {k: s / np.maximum(counts, 1)[:, None] for k, s in sums.items()}


def _angle_deg(a, b):
    cosine = (a * b).sum(-1) / np.maximum(
        np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1), 1e-9
    )
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def evaluate_scenes(runner, test, train, log=print):
    """Tables on the fixed test scenes against the class-average baseline."""
    averages = class_averages(train)
    confusion = np.zeros((len(CLASSES),) * 2)
    errors = {}
    per_class = {}

    def note(name, values):
        errors.setdefault(name, []).append(np.asarray(values).ravel())

    for i in range(len(test)):
        truth = _truth(test, i)
        answer = runner(np.ascontiguousarray(test.arrays["rgb"][i]), SIZE, test.wind[i])
        said = {
            "flow": on_grid(answer["flow"][:2], GRID).transpose(1, 2, 0),
            "sway": _amplitudes(on_grid(answer["spectrum"], GRID).transpose(1, 2, 0)),
            "depth": on_grid(answer["depth"], GRID).transpose(1, 2, 0),
            "light": on_grid(answer["light"], GRID).transpose(1, 2, 0),
        }
        c = truth["class"]
        p = on_grid(answer["p"], GRID).argmax(0)
        confusion += np.bincount(
            (c * len(CLASSES) + p).ravel(), minlength=confusion.size
        ).reshape(confusion.shape)
        base = {k: v[c].astype(np.float32) for k, v in averages.items()}
        base["flow"] = base["flow"] * [np.sign(test.wind[i][0]) or 1.0, 1.0]
        moving = np.linalg.norm(truth["flow"], axis=-1) > MOVING_WIDTHS_PER_S
        swaying = truth["sway"].max(-1) > SWAYING_WIDTHS
        burning = truth["light"][..., 0] > BURNING
        for who, answer_of in (("network", said), ("baseline", base)):
            f, t = answer_of["flow"], truth["flow"]
            error = np.linalg.norm(f - t, axis=-1)
            note(f"{who} flow", error[moving])
            note(f"{who} flow rest", error[~moving])
            note(f"{who} angle", _angle_deg(f[moving], t[moving]))
            note(f"{who} sway", np.abs(answer_of["sway"] - truth["sway"])[swaying].sum(-1))
            note(f"{who} depth", np.abs(answer_of["depth"] - truth["depth"]))
            note(f"{who} light", np.abs(answer_of["light"] - truth["light"])[burning])
        note("truth flow", np.linalg.norm(truth["flow"], axis=-1)[moving])
        note("truth sway", truth["sway"][swaying].sum(-1))
        note("said flow", np.linalg.norm(said["flow"], axis=-1)[moving])
        note("said sway", said["sway"][swaying].sum(-1))
        note("truth light", truth["light"][burning])
        for k in np.unique(c[moving]):
            here = moving & (c == k)
            per_class.setdefault(k, []).append(_angle_deg(said["flow"][here], truth["flow"][here]))

    e = {k: np.concatenate(v) for k, v in errors.items()}
    log(f"\n## {len(test)} procedural scenes with unseen seeds\n")
    log("| measure | network | class average |\n|---|---|---|")
    rows = (
        ("flow error where it moves, % of the width per second", "flow", 100, np.mean),
        ("flow error elsewhere, % of the width per second", "flow rest", 100, np.mean),
        ("flow angle error, median, degrees", "angle", 1, np.median),
        ("oscillation amplitude error, all harmonics, % of the width", "sway", 100, np.mean),
        ("depth error, 0 near to 1 far", "depth", 1, np.mean),
        ("light error where it flickers, 0..1", "light", 1, np.mean),
    )
    for title, key, scale, how in rows:
        cells = [f"{scale * how(e[f'{who} {key}']):.3f}" for who in ("network", "baseline")]
        log(f"| {title} | {cells[0]} | {cells[1]} |")
    log("\n| mean size | truth | network |\n|---|---|---|")
    for key, title in (("flow", "speed where it moves, % of the width per second"),
                       ("sway", "oscillation where it sways, % of the width")):
        truth, said = (100 * e[f"{who} {key}"].mean() for who in ("truth", "said"))
        log(f"| {title} | {truth:.3f} | {said:.3f} |")
    overlap = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - overlap
    log("\n| class | share | IoU | median angle error, degrees |\n|---|---|---|---|")
    for k, name in enumerate(CLASSES):
        share = confusion[k].sum() / confusion.sum()
        angle = f"{np.median(np.concatenate(per_class[k])):.0f}" if k in per_class else "–"
        log(f"| {name} | {share:.1%} | {overlap[k] / max(union[k], 1):.3f} | {angle} |")
