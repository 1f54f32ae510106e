"""Classes and the gate against the teacher; smoke against drawn masks."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from zoetrope_train.classes import (
    CLASSES,
    INDEX,
    LOGIT_SCALE,
    STILL_CLASSES,
    ade_to_class_matrix,
)
from zoetrope_train.sources import SMOKE_TEST_SOURCES, VALIDATION_SOURCES

from .resampling import share, with_interval
from .runner import on_grid, profile_for, softmax
from .segments import open_shares, segments_of, smoothstep

GRID = 64
#: Pixels of the network's input in a cell of its grid, in each direction.
GRID_STRIDE_PX = 4
#: Both waters count as one: the teacher cannot tell them apart.
NAMES = tuple(c for c in CLASSES if c != "water_flow")
MAIN = ("rigid", "sky", "water_still", "foliage", "person")
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
#: The teacher's confidence from which a place counts in the gate table.
SURE_STILL, SURE_MOVABLE = 0.9, 0.6
#: Pixels by which the teacher's mask of still things is eroded, for its borders are rough.
BORDER_PX = 3


@dataclass(frozen=True)
class Gate:
    """A gate of the product's form, with its constants: see `src/motion/gate.rs`.

    Without a share it judges each cell by itself, without `shut` no segment as a whole.
    """

    edge: tuple = (0.77, 0.87)
    sure: float = 0.89
    share: float = 0.45
    dip: tuple = (-2.5, -1.5)
    mobility: tuple = (0.015, 0.04)
    cells_min: int = 4
    median_max: float = 0.995
    shut: tuple | None = (0.25, 0.45)

    def __call__(self, movable, shapeless, mobility, segments):
        """Openness 0..1 for P(movable), P(shapeless) and mobility, all [h, w] on the network's
        grid, and the segments of the photo."""
        open_ = self._of_cells(movable, mobility)
        if self.shut:
            exempt = cv2.resize(smoothstep(SHAPELESS, shapeless), segments.shape[::-1])
            matte = np.maximum(open_shares(open_, segments, self.shut), exempt)
            open_ *= cv2.resize(matte, open_.shape[::-1], interpolation=cv2.INTER_AREA)
        return open_

    def _of_cells(self, movable, mobility):
        open_ = smoothstep(self.edge, movable) * smoothstep(self.mobility, mobility)
        if not self.share:
            return open_
        _, region = cv2.connectedComponents((movable > self.edge[0]).astype(np.uint8))
        size = np.bincount(region.ravel())
        sure = np.bincount(region[movable > self.sure], minlength=len(size))
        for at in range(len(size)):
            here = region == at
            if at == 0 or sure[at] < max(self.cells_min, self.share * size[at]):
                open_[here] = 0
                continue
            usual = min(np.median(movable[here]), self.median_max)
            open_[here] *= smoothstep(self.dip, _log_odds(movable[here]) - _log_odds(usual))
        return open_

    def __str__(self):
        if not self.share:
            return f"each cell {self.edge[0]:g}–{self.edge[1]:g}, mobility {self.mobility[0]:g}–{self.mobility[1]:g}"
        wholes = f"wholes from {self.shut[0]:.0%}–{self.shut[1]:.0%} shut" if self.shut else "no wholes"
        return (
            f"{self.edge[0]:g}–{self.edge[1]:g}, {self.share:.0%} above {self.sure:g}, "
            f"dip {self.dip[0]:g}–{self.dip[1]:g} below {self.median_max:g}, "
            f"mobility {self.mobility[0]:g}–{self.mobility[1]:g}, {wholes}"
        )


SHIPPED = Gate()
#: The product's gate and others.
GATES = (
    SHIPPED,
    Gate(share=0.30),
    Gate(share=0.60),
    Gate(sure=0.88),
    Gate(sure=0.90),
    Gate(sure=0.95, share=0.15),
    Gate(edge=(0.80, 0.90)),
    Gate(dip=(-2.0, -1.0)),
    Gate(dip=(-3.0, -2.0)),
    Gate(dip=(-9, -8)),
    Gate(median_max=0.985),
    Gate(mobility=(0.05, 0.15)),
    Gate(shut=None),
    Gate(shut=(0.15, 0.30)),
    Gate(shut=(0.40, 0.60)),
    Gate(edge=(0.80, 0.95), share=0.0, shut=None),
    Gate(edge=(0.88, 0.98), share=0.0, shut=None),
    Gate(edge=(0.95, 0.995), share=0.0, shut=None),
)
#: Probability of what has no colour of its own, between which its segment no longer counts.
SHAPELESS = (0.4, 0.6)
#: Movement that can be seen, in widths.
VISIBLE_WIDTHS = 1e-3


def _merge(p):
    """[10, h, w] probabilities to 9 with one water, in the order of NAMES."""
    p = p.copy()
    p[INDEX["water_still"]] += p[INDEX["water_flow"]]
    return np.delete(p, INDEX["water_flow"], 0)


def read_photo(data_dir, photo):
    """The photo as uint8 RGB [h, w, 3]."""
    bgr = cv2.imread(str(Path(data_dir) / photo.file), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(bgr[:, :, ::-1])


def _log_odds(probability):
    held = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.log(held / (1 - held))


def movable_of(answer):
    """P(movable) [h, w] on the network's grid."""
    return 1 - answer["p"][[INDEX[c] for c in STILL_CLASSES]].sum(0)


def segments_for(answer, rgb):
    """The segments of a photo at the size at which the network saw it."""
    height, width = answer["mobility"].shape[1:]
    return segments_of(rgb, (width * GRID_STRIDE_PX, height * GRID_STRIDE_PX))


def _shown(answer, segments):
    """What a Gate is called with, for what the network said of a photo and its segments."""
    shapeless = answer["p"][[INDEX[c] for c in ("water_flow", "smoke", "fire")]].sum(0)
    return movable_of(answer), shapeless, answer["mobility"][0], segments


def gate_of(answer, segments):
    """The product's gate [h, w] on the network's grid, 0..1, for a photo's segments."""
    return SHIPPED(*_shown(answer, segments))


def _moves_widths(answer):
    """Largest displacement of the oscillation plus one second of flow, [h, w]."""
    c = answer["spectrum"].reshape(-1, 2, 2, *answer["spectrum"].shape[1:])
    sway = np.sqrt((c**2).sum((0, 1, 2)))
    return sway + np.hypot(*answer["flow"][:2])


def _ious(confusion):
    overlap = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - overlap
    return overlap / np.maximum(union, 1)


def _accuracy(confusion):
    return np.trace(confusion) / max(confusion.sum(), 1)


def _mean_iou(confusion):
    return _ious(confusion)[[NAMES.index(n) for n in MAIN]].mean()


class GateCount:
    """Areas per photo: still and movable, and what a gate makes of both."""

    def __init__(self):
        self.rows = []

    def add(self, gate, moves, still, movable):
        """`gate` 0..1, `moves` in widths, two masks; all [h, w]."""
        seen = gate * moves > VISIBLE_WIDTHS
        self.rows.append((still.sum(), seen[still].sum(), movable.sum(), gate[movable].sum()))

    def line(self, sources):
        """Moved of what is still, let through of what is movable."""
        rows = np.array(self.rows, np.float64)
        pairs = (rows[:, [1, 0]], rows[:, [3, 2]])
        return " | ".join(_cell(*with_interval(share, pair, sources)) for pair in pairs)


def _stretched(planes, rgb):
    """[C, h, w] at the photo's own size."""
    size = (rgb.shape[1], rgb.shape[0])
    return np.stack([cv2.resize(np.float32(plane), size) for plane in planes])


def _masks(truth, rgb):
    """Still and movable pixels of a photo by the teacher's best class, away from borders."""
    still = np.isin(_stretched(truth, rgb).argmax(0), [INDEX[c] for c in STILL_CLASSES])
    kernel = np.ones((2 * BORDER_PX + 1,) * 2, np.uint8)
    return [cv2.erode(np.uint8(mask), kernel) > 0 for mask in (still, ~still)]


def _cell(value, low, high):
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def evaluate_photos(runner, cache, data_dir, log=print, limit=None):
    """Tables on the validation photos; returns mean IoU over MAIN."""
    matrix = ade_to_class_matrix()
    still_index = [INDEX[c] for c in STILL_CLASSES]
    confusions, invented = [], np.zeros(len(CLASSES))
    single = {"P(movable)": ([], []), "mobility": ([], [])}
    gates = {gate: (GateCount(), GateCount()) for gate in GATES}
    picked = [i for i, p in enumerate(cache.photos) if p.source in VALIDATION_SOURCES][:limit]
    for i in picked:
        rgb = read_photo(data_dir, cache.photos[i])
        answer = runner(rgb, profile_for(rgb.shape[1], rgb.shape[0]))
        z = cache.arrays["logits"][i].astype(np.float32) * LOGIT_SCALE
        truth = (softmax(z, 2) @ matrix).transpose(2, 0, 1)
        said = on_grid(answer["p"], GRID)
        t, s = _merge(truth).argmax(0), _merge(said).argmax(0)
        size = len(NAMES)
        confusions.append(
            np.bincount((t * size + s).ravel(), minlength=size * size).reshape(size, size)
        )
        invented += [float((said.argmax(0) == c).mean()) for c in range(len(CLASSES))]
        still = truth[still_index].sum(0)
        is_still, is_movable = still > SURE_STILL, still < 1 - SURE_MOVABLE
        movable = 1 - said[still_index].sum(0)
        mobility = on_grid(answer["mobility"], GRID)[0]
        masks, moves = _masks(truth, rgb), _moves_widths(answer)
        shown = _shown(answer, segments_for(answer, rgb))
        for gate, (every, sure) in gates.items():
            openness = gate(*shown)
            every.add(*_stretched((openness, moves), rgb), *masks)
            sure.add(*on_grid((openness, moves), GRID), is_still, is_movable)
        for name, value in (("P(movable)", movable), ("mobility", mobility)):
            single[name][0].append(value[is_still])
            single[name][1].append(value[is_movable])

    confusions = np.array(confusions, np.float64)
    confusion = confusions.sum(0)
    sources = [cache.photos[i].source for i in picked]
    log(f"## {len(picked)} photos of unseen sources, against the teacher\n")
    log("| measure | value [95 % of resampled sources and photos] |\n|---|---|")

    def row(title, measure):
        log(f"| {title} | {_cell(*with_interval(measure, confusions, sources))} |")

    row("accuracy", _accuracy)
    row(f"mean IoU of {', '.join(MAIN)} (both waters as one)", _mean_iou)
    for name in (*MAIN, "cloth", "vehicle"):
        at = NAMES.index(name)
        area = confusion[at].sum() / confusion.sum()
        title = f"IoU {name.replace('_still', '')} ({area:.1%} of the area)"
        row(title, lambda c, at=at: _ious(c)[at])
    for name in ("smoke", "fire", "cloth", "water_flow"):
        log(f"| area called {name} | {invented[INDEX[name]] / len(picked):.1%} |")
    log(f"\n| gate | still by the teacher, {BORDER_PX} px inside: moved by more than .1 % of the "
        f"width | movable by the teacher, {BORDER_PX} px inside: let through | sure still: moved | "
        "sure movable: let through |\n|---|---|---|---|---|")
    for gate, counts in gates.items():
        name = f"{gate}{' (shipped)' if gate is SHIPPED else ''}"
        log(f"| {name} | {' | '.join(count.line(sources) for count in counts)} |")
    log("\n| gate at | " + " | ".join(f"{name} wrong / recall" for name in single) + " |")
    log("|---|" + "---|" * len(single))
    for threshold in THRESHOLDS:
        cells = []
        for still, movable in single.values():
            wrong = np.mean(np.concatenate(still) >= threshold)
            recall = np.mean(np.concatenate(movable) >= threshold)
            cells.append(f"{wrong:.3f} / {recall:.2f}")
        log(f"| {threshold} | " + " | ".join(cells) + " |")
    return _mean_iou(confusion)


def evaluate_smoke(runner, cache, data_dir, log=print):
    """IoU of smoke with drawn masks on sources that were not trained on."""
    picked = [i for i, p in enumerate(cache.photos) if p.source in SMOKE_TEST_SOURCES]
    both = either = probable_both = probable_either = 0
    for i in picked:
        rgb = read_photo(data_dir, cache.photos[i])
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
