"""What watching a scene is worth: `python -m evaluation.watching --help`.

The first two seconds of a clip are the burst, the frame after them is the still,
and what moves in the rest is the truth.  The program itself does the work, and is
asked twice: with the burst, and with the still alone.  Lengths are widths of the
picture as the network sees it.
"""

import argparse
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

MODELS_DIR = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(MODELS_DIR), str(MODELS_DIR / "training")]

from evaluation.resampling import auc, histograms, share, with_interval  # noqa: E402
from zoetrope_train.clip_cache import FAST  # noqa: E402
from zoetrope_train.clip_motion import (  # noqa: E402
    FAST_HZ,
    MOVING,
    REST,
    SLOW_HZ,
    Window,
    _shrink,
    measure,
)
from zoetrope_train.sources import read_clips  # noqa: E402

GRID = 64
BURST_S, BURST_HZ = 2.0, 12.5
#: The truth is measured over as many seconds after the burst, at least and at most.
TRUTH_S = (1.2, 4.0)
#: A cell is moved when its gate is open so far and something moves in it, in widths
#: per second, root mean square.
GATE, SPEED = 0.5, 1e-3
#: Passers are farther apart than twice as many pixels, are not smaller than this, and the
#: burst shows at least this share of what is behind them.
APART_PX, PASSER_PX_MIN, SHOWN_SHARE = 5, 12, 0.7
#: A mean flow is compared where it is faster than this, in widths per second.
FLOW = 2e-3
HARMONIC_OMEGA = 2 * np.pi * 0.25 * np.arange(1, 9)


@dataclass(frozen=True)
class Case:
    """A clip cut into burst, still and truth; frames are BGR."""

    name: str
    clip: object
    burst: list
    burst_hz: float
    still: np.ndarray
    truth: object


def read_frames(data_dir, clip):
    """All frames of a clip, and how many there are in a second."""
    capture = cv2.VideoCapture(str(Path(data_dir) / clip.file))
    frames = []
    while True:
        ok, frame = capture.read()
        if not ok:
            return frames, capture.get(cv2.CAP_PROP_FPS)
        frames.append(frame)


def read_case(data_dir, clip):
    """The Case of a clip, or None where it is too short."""
    frames, fps = read_frames(data_dir, clip)
    cut = round(BURST_S * fps) + 1
    if len(frames) < cut + TRUTH_S[0] * fps:
        return None
    stride = max(1, round(fps / BURST_HZ))
    rate = FAST_HZ if clip.kind in FAST else SLOW_HZ
    step = max(1, round(fps / rate))
    rest = frames[cut::step][: int(TRUTH_S[1] * fps / step)]
    size = (frames[0].shape[1], frames[0].shape[0])
    greys = [_shrink(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)) for frame in rest]
    window = Window(greys, frames[cut], cut, fps / step, size)
    name = f"{Path(clip.file).parent.name}/{Path(clip.file).stem}"
    return Case(name, clip, frames[:cut:stride], fps / stride, frames[cut], measure(window))


def _sways(count, rate_hz, shake, size, rng):
    """A hand-held camera: (right, down, turn) of each frame in px and radians, none
    of the last, and no corner of any of them farther from its place than `shake`."""
    width, height = size
    seconds = np.arange(count) / rate_hz
    hz = np.array([0.7, 1.3, 2.1])
    phases = rng.uniform(0, 2 * np.pi, (3, 3))
    sways = np.sin(2 * np.pi * hz[:, None] * seconds + phases[..., None]).sum(1)
    sways *= np.array([1, 1, 0.5 / width])[:, None]
    sways -= sways[:, -1:]
    corner = np.hypot(width, height) / 2
    reach = np.hypot(sways[0], sways[1]) + np.abs(sways[2]) * corner
    return (sways * shake * width / reach.max()).T


def disturbed(case, noise, shake, rng):
    """The frames of burst and still, with noise (levels) and shake (share of the width)."""
    height, width = case.still.shape[:2]
    frames = [*case.burst, case.still]
    if shake:
        sways = _sways(len(frames), case.burst_hz, shake, (width, height), rng)
        for index, (right, down, turn) in enumerate(sways):
            matrix = cv2.getRotationMatrix2D((width / 2, height / 2), np.degrees(turn), 1)
            matrix[:, 2] += (right, down)
            frames[index] = cv2.warpAffine(frames[index], matrix, (width, height),
                                           flags=cv2.INTER_CUBIC,
                                           borderMode=cv2.BORDER_REFLECT_101)
    if noise:
        noisy = [frame + rng.normal(0, noise, frame.shape) for frame in frames]
        frames = [np.clip(np.round(frame), 0, 255).astype(np.uint8) for frame in noisy]
    return frames[:-1], frames[-1]


@dataclass(frozen=True)
class Answer:
    """What the program would do, on a 64x64 grid; flow [64, 64, 2]."""

    score: np.ndarray
    moved: np.ndarray
    flow: np.ndarray
    said: str


def _on_grid(array):
    planes = array.reshape(-1, *array.shape[-2:])
    cells = [cv2.resize(p, (GRID, GRID), interpolation=cv2.INTER_AREA) for p in planes]
    return np.stack(cells) if array.ndim > 2 else cells[0]


def ask(binary, burst, burst_hz, still, watches):
    """The program's Answer, with the burst or without."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        cv2.imwrite(str(folder / "still.png"), still)
        command = [binary, "render", folder / "still.png", "-o", folder / "clip.mp4",
                   "--debug", folder / "debug", "--seconds", "4", "--fps", "5", "--threads", "1"]
        if watches:
            (folder / "burst").mkdir()
            for index, frame in enumerate(burst):
                cv2.imwrite(str(folder / "burst" / f"{index:03}.png"), frame)
            command += ["--burst", folder / "burst", "--burst-fps", f"{burst_hz:.4f}"]
        ended = subprocess.run([str(c) for c in command], capture_output=True, text=True)
        load = lambda name: np.float32(np.load(folder / "debug" / f"{name}.npy"))  # noqa: E731
        if not (folder / "debug" / "gate.npy").exists():
            raise RuntimeError(ended.stderr)
        gate, flow, spectrum = load("gate"), load("motion_flow"), load("motion_spectrum")
        swing = (spectrum**2 * HARMONIC_OMEGA[:, None, None, None] ** 2).sum((0, 1)) / 2
        speed = np.sqrt((flow**2).sum(0) + swing)
        if gate.min() == 1.0:
            gate = np.zeros_like(gate)  # the camera breathes, the scene rests
        watched = (folder / "debug" / "observed.npy").exists()
        score = load("observed")[0] if watched else load("mobility")
        moved = ((gate >= GATE) & (speed >= SPEED)).astype(np.float32)
        return Answer(
            _on_grid(score),
            _on_grid(moved) >= 0.5,
            _on_grid(flow * gate).transpose(1, 2, 0),
            "" if watched or not watches else ended.stderr,
        )


def clean(binary, burst, burst_hz, still):
    """The still that the program paints without those who pass by, or None, and its words."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "burst").mkdir()
        for index, frame in enumerate(burst):
            cv2.imwrite(str(folder / "burst" / f"{index:03}.png"), frame)
        cv2.imwrite(str(folder / "still.png"), still)
        command = [binary, "render", folder / "still.png", "-o", folder / "clip.mp4", "--frames",
                   folder / "frames", "--seconds", "1", "--fps", "5", "--threads", "1",
                   "--burst", folder / "burst", "--burst-fps", f"{burst_hz:.4f}", "--clean-plate"]
        ended = subprocess.run([str(c) for c in command], capture_output=True, text=True)
        return cv2.imread(str(folder / "frames" / "frame_00000.png")), ended.stderr


def _shown_whole(differs, known):
    """The part of `differs` that belongs to passers of whom the burst shows the place
    almost all over: nobody paints half of a truck."""
    near = cv2.dilate(np.uint8(differs), np.ones((2 * APART_PX + 1,) * 2, np.uint8))
    count, passer = cv2.connectedComponents(near)
    passer[~differs] = 0
    pixels = np.bincount(passer.ravel(), minlength=count)
    shown = np.bincount(passer[known].ravel(), minlength=count)
    counts = (shown >= SHOWN_SHARE * pixels) & (pixels >= PASSER_PX_MIN)
    counts[0] = False
    return counts[passer]


def _psnr_db(a, b):
    return 10 * np.log10(255**2 / max(np.mean((np.float32(a) - np.float32(b)) ** 2), 1e-3))


def evaluate_passers(binary, data_dir, log=print):
    """Clips of people and traffic: whether their tracks rest, and how clean the plate is.

    The empty scene is what most frames of the whole clip show; the plate is judged where
    the still differs from it and half of the burst shows it, and over all of those passers
    of whom the burst shows nearly all that is behind them.
    """
    clips = [clip for clip in read_clips(data_dir) if clip.kind == "actor"]
    clips = [clip for clip in clips if clip.content.startswith(("person", "vehicle"))]
    log("\n| clip | tracks, share of the picture | of them moved | hidden by passers | still, dB "
        "| clean plate, dB | whole passers: share, still, clean plate, dB | |\n"
        "|---|---|---|---|---|---|---|---|")

    def one(clip):
        case = read_case(data_dir, clip)
        if case is None:
            return None
        answer = ask(binary, case.burst, case.burst_hz, case.still, True)
        plate, said = clean(binary, case.burst, case.burst_hz, case.still)
        frames = read_frames(data_dir, clip)[0]
        frames = np.stack(frames[::3])
        empty = np.median(frames, 0)
        shown = np.abs(np.stack(case.burst) - empty).max(-1) < 12
        known = shown.mean(0) > 0.5
        opened = lambda mask: cv2.morphologyEx(  # noqa: E731
            np.uint8(mask), cv2.MORPH_OPEN, np.ones((3, 3))) > 0
        differs = np.abs(case.still - empty).max(-1) > 24
        hidden, whole = opened(known & differs), _shown_whole(opened(differs), known)
        moving = case.truth.moving == MOVING
        moved = f"{answer.moved[moving].mean():.3f}" if moving.any() else "–"
        why = next((l.split("burst: ")[-1] for l in (said + answer.said).splitlines()
                    if "burst: " in l), "")
        row = f"| {case.name} | {moving.mean():.2f} | {moved} | {hidden.mean():.3f} "
        if plate is None or not hidden.any():
            return row + f"| – | – | – | {why} |"
        plate = cv2.resize(plate, (empty.shape[1], empty.shape[0]))
        of = lambda where: (f"{_psnr_db(case.still[where], empty[where]):.1f} | "  # noqa: E731
                            f"{_psnr_db(plate[where], empty[where]):.1f}")
        wholly = f"{whole.mean():.4f}, {of(whole).replace(' |', ',')}" if whole.any() else "–"
        return row + f"| {of(hidden)} | {wholly} | {why} |"

    with ThreadPoolExecutor(2) as pool:
        for row in pool.map(one, clips):
            if row:
                log(row)


def _angles(said, truth):
    cosine = (said * truth).sum(-1)
    sine = said[..., 0] * truth[..., 1] - said[..., 1] * truth[..., 0]
    return np.degrees(np.abs(np.arctan2(sine, cosine)))


def _table(cases, answers, log):
    """One row for each way of asking."""
    log("| | clips / sources | mobility AUC | rest that is moved | motion that is moved "
        "| angle of the mean flow, median | its speed / the true one, median of clips |\n"
        "|---|---|---|---|---|---|---|")
    sources = [case.clip.source for case in cases]
    for way, said in answers.items():
        moving = [(c.truth.moving == MOVING) & (c.clip.kind != "actor") for c in cases]
        rest = [c.truth.moving == REST for c in cases]
        known = [m | r for m, r in zip(moving, rest)]
        scores = histograms([a.score[k] for a, k in zip(said, known)],
                            [m[k] for m, k in zip(moving, known)])
        counts = lambda where: np.array(  # noqa: E731
            [(a.moved[w].sum(), w.sum()) for a, w in zip(said, where)], float)
        angles, speeds = [], []
        for case, answer in zip(cases, said):
            truth = np.float32(case.truth.flow)
            flows = np.linalg.norm(answer.flow, axis=-1) > FLOW
            both = case.truth.steady & answer.moved & flows & (case.clip.kind != "actor")
            if both.sum() >= 20:
                angles.append(_angles(answer.flow[both], truth[both]))
                ratio = np.linalg.norm(answer.flow[both], axis=-1) / np.linalg.norm(truth[both], axis=-1)
                speeds.append(np.median(ratio))
        figure = lambda v: f"{v[0]:.3f} [{v[1]:.3f}, {v[2]:.3f}]"  # noqa: E731
        angle = f"{np.median(np.concatenate(angles)):.0f}°" if angles else "–"
        speed = f"{np.median(speeds):.2f} ({min(speeds):.2f} to {max(speeds):.2f})" if speeds else "–"
        log(f"| {way} | {len(cases)} / {len(set(sources))} "
            f"| {figure(with_interval(auc, scores, sources))} "
            f"| {figure(with_interval(share, counts(rest), sources))} "
            f"| {figure(with_interval(share, counts(moving), sources))} | {angle} | {speed} |")


def _rows(cases, answers, log):
    """One row for each clip, of the way that watches."""
    log("\n| clip | kind | rest moved | motion moved | refused |\n|---|---|---|---|---|")
    for case, answer in zip(cases, answers):
        part = lambda w: f"{answer.moved[w].mean():.3f}" if w.any() else "–"  # noqa: E731
        refused = next((l for l in answer.said.splitlines() if "burst" in l), "")
        log(f"| {case.name} | {case.clip.kind} | {part(case.truth.moving == REST)} "
            f"| {part(case.truth.moving == MOVING)} | {refused} |")


def evaluate_watching(binary, data_dir, every=False, noise=0.0, shake=0.0, log=print):
    """The table of all held-out clips, or of `every` one, each disturbed alike."""
    clips = [clip for clip in read_clips(data_dir) if every or clip.is_test]
    with ThreadPoolExecutor(2) as pool:
        cases = [case for case in pool.map(lambda c: read_case(data_dir, c), clips) if case]
        rng = np.random.default_rng(3)
        seen = [disturbed(case, noise, shake, rng) for case in cases]

        def both(index):
            burst, still = seen[index]
            hz = cases[index].burst_hz
            return ask(binary, burst, hz, still, True), ask(binary, burst, hz, still, False)

        said = list(pool.map(both, range(len(cases))))
    log(f"\nNoise of {noise:g} levels, shake of {100 * shake:g} % of the width:\n")
    _table(cases, {"watched": [a for a, _ in said], "network alone": [b for _, b in said]}, log)
    _rows(cases, [a for a, _ in said], log)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="the folder with clips/ and MANIFEST.tsv")
    parser.add_argument("--binary", required=True, help="the program")
    parser.add_argument("--every", action="store_true", help="clips of training sources as well")
    parser.add_argument("--passers", action="store_true", help="clips of people and traffic alone")
    parser.add_argument("--noise", type=float, default=0.0, help="levels of 0 to 255")
    parser.add_argument("--shake", type=float, default=0.0, help="share of the width")
    args = parser.parse_args()
    if args.passers:
        evaluate_passers(args.binary, args.data)
        return
    evaluate_watching(args.binary, args.data, args.every, args.noise, args.shake)


if __name__ == "__main__":
    main()
