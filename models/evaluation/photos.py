"""Classes and the gate against the teacher; smoke against drawn masks."""

from pathlib import Path

import cv2
import numpy as np

from zoetrope_train.classes import CLASSES, INDEX, STILL_CLASSES, ade_to_class_matrix
from zoetrope_train.sources import SMOKE_TEST_SOURCES, VALIDATION_SOURCES
from zoetrope_train.teachers import LOGIT_SCALE

from .runner import on_grid, profile_for, softmax

GRID = 64
#: Both waters count as one: the teacher cannot tell them apart.
NAMES = tuple(c for c in CLASSES if c != "water_flow")
MAIN = ("rigid", "sky", "water_still", "foliage", "person")
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
#: The teacher's confidence from which a place counts in the gate table.
SURE_STILL, SURE_MOVABLE = 0.9, 0.6
#: The product's gate, as in `src/motion.rs`: shut below the first value of each
#: pair and open above the second, for P(movable) and for mobility.
GATE_PROBABILITY, GATE_MOBILITY = (0.88, 0.98), (0.12, 0.30)


def _smoothstep(pair, value):
    t = np.clip((value - pair[0]) / (pair[1] - pair[0]), 0, 1)
    return t * t * (3 - 2 * t)


def product_gate(movable, mobility):
    """How far the product's gate stands open, 0..1, for P(movable) and mobility."""
    return _smoothstep(GATE_PROBABILITY, movable) * _smoothstep(GATE_MOBILITY, mobility)


def _merge(p):
    """[10, h, w] probabilities to 9 with one water, in the order of NAMES."""
    p = p.copy()
    p[INDEX["water_still"]] += p[INDEX["water_flow"]]
    return np.delete(p, INDEX["water_flow"], 0)


def _read(data_dir, photo):
    bgr = cv2.imread(str(Path(data_dir) / photo.file), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(bgr[:, :, ::-1])


def _moves_widths(answer):
    """Largest displacement of the oscillation plus one second of flow, [h, w]."""
    c = answer["spectrum"].reshape(-1, 2, 2, *answer["spectrum"].shape[1:])
    sway = np.sqrt((c**2).sum((0, 1, 2)))
    return sway + np.hypot(*answer["flow"][:2])


def evaluate_photos(runner, cache, data_dir, log=print, limit=None):
    """Tables on the validation photos; returns mean IoU over MAIN."""
    matrix = ade_to_class_matrix()
    still_index = [INDEX[c] for c in STILL_CLASSES]
    confusion = np.zeros((len(NAMES), len(NAMES)))
    gate = {"P(movable)": ([], []), "mobility": ([], [])}
    let_through = ([], [])
    moves, invented = [], np.zeros(len(CLASSES))
    picked = [i for i, p in enumerate(cache.photos) if p.source in VALIDATION_SOURCES]
    for i in picked[:limit]:
        rgb = _read(data_dir, cache.photos[i])
        answer = runner(rgb, profile_for(rgb.shape[1], rgb.shape[0]))
        z = cache.arrays["logits"][i].astype(np.float32) * LOGIT_SCALE
        truth = (softmax(z, 2) @ matrix).transpose(2, 0, 1)
        said = on_grid(answer["p"], GRID)
        t, s = _merge(truth).argmax(0), _merge(said).argmax(0)
        confusion += np.bincount(
            (t * len(NAMES) + s).ravel(), minlength=confusion.size
        ).reshape(confusion.shape)
        invented += [float((said.argmax(0) == c).mean()) for c in range(len(CLASSES))]
        still = truth[still_index].sum(0)
        movable = 1 - said[still_index].sum(0)
        mobility = on_grid(answer["mobility"], GRID)[0]
        moved = on_grid(_moves_widths(answer)[None], GRID)[0]
        moves.append(moved[still > SURE_STILL])
        shipped = product_gate(movable, mobility)
        let_through[0].append(shipped[still > SURE_STILL])
        let_through[1].append(shipped[still < 1 - SURE_MOVABLE])
        for name, value in (("P(movable)", movable), ("mobility", mobility)):
            gate[name][0].append(value[still > SURE_STILL])
            gate[name][1].append(value[still < 1 - SURE_MOVABLE])

    seen = len(picked[:limit])
    overlap = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - overlap
    iou = dict(zip(NAMES, overlap / np.maximum(union, 1), strict=True))
    mean = float(np.mean([iou[n] for n in MAIN]))
    log(f"## {seen} photos of unseen sources, against the teacher\n")
    log("| measure | value |\n|---|---|")
    log(f"| accuracy | {overlap.sum() / confusion.sum():.3f} |")
    log(f"| mean IoU of {', '.join(MAIN)} (both waters as one) | {mean:.3f} |")
    for name in (*MAIN, "cloth", "vehicle"):
        share = confusion[NAMES.index(name)].sum() / confusion.sum()
        log(f"| IoU {name.replace('_still', '')} ({share:.1%} of the area) | {iou[name]:.3f} |")
    for name in ("smoke", "fire", "cloth", "water_flow"):
        log(f"| area called {name} | {invented[INDEX[name]] / seen:.1%} |")
    moves, shut = np.concatenate(moves), np.concatenate(let_through[0])
    passed = np.concatenate(let_through[1])
    log(f"| sure rigid, person, vehicle: share the product's gate lets through | {shut.mean():.3f} |")
    log(f"| … share moved by more than .1 % of the width | {np.mean(shut * moves > 1e-3):.3f} |")
    log(f"| movable: share the product's gate lets through | {passed.mean():.3f} |")
    log("\n| gate at | " + " | ".join(f"{name} wrong / recall" for name in gate) + " |")
    log("|---|" + "---|" * len(gate))
    for threshold in THRESHOLDS:
        cells = []
        for still, movable in gate.values():
            wrong = np.mean(np.concatenate(still) >= threshold)
            recall = np.mean(np.concatenate(movable) >= threshold)
            cells.append(f"{wrong:.3f} / {recall:.2f}")
        log(f"| {threshold} | " + " | ".join(cells) + " |")
    return mean


def evaluate_smoke(runner, cache, data_dir, log=print):
    """IoU of smoke with drawn masks on sources that were not trained on."""
    picked = [i for i, p in enumerate(cache.photos) if p.source in SMOKE_TEST_SOURCES]
    both = either = probable_both = probable_either = 0
    for i in picked:
        rgb = _read(data_dir, cache.photos[i])
        p = on_grid(runner(rgb, profile_for(rgb.shape[1], rgb.shape[0]))["p"], GRID)
        truth = cache.arrays["smoke"][i] > 127
        said = p.argmax(0) == INDEX["smoke"]
        both, either = both + (truth & said).sum(), either + (truth | said).sum()
        said = p[INDEX["smoke"]] > 0.3
        probable_both += (truth & said).sum()
        probable_either += (truth | said).sum()
    log(f"\n## {len(picked)} photos of distant smoke, against drawn masks\n")
    log("| measure | value |\n|---|---|")
    log(f"| IoU of smoke, most probable class | {both / max(either, 1):.3f} |")
    log(f"| IoU of smoke, probability above .3 | {probable_both / max(probable_either, 1):.3f} |")
