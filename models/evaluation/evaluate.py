"""The command that prints all tables: `python -m evaluation.evaluate --help`."""

import argparse
import sys
from pathlib import Path

MODELS_DIR = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(MODELS_DIR), str(MODELS_DIR / "training")]

from evaluation.clips import evaluate_clips  # noqa: E402
from evaluation.control import evaluate_control  # noqa: E402
from evaluation.guarantees import check_guarantees  # noqa: E402
from evaluation.photos import evaluate_photos, evaluate_smoke  # noqa: E402
from evaluation.runner import Runner  # noqa: E402
from evaluation.scenes import evaluate_scenes  # noqa: E402
from evaluation.sheet import draw_sheet  # noqa: E402
from zoetrope_train.clip_cache import read_clip_cache  # noqa: E402
from zoetrope_train.photo_cache import read_photo_cache  # noqa: E402
from zoetrope_train.world_cache import (  # noqa: E402
    TEST_WORLD,
    newest_world_cache,
    read_world_cache,
)

PARTS = ("photos", "scenes", "clips", "guarantees")


def evaluate(
    model, data_dir, work_dir, log=print, parts=PARTS, first=None, every_clip=False, own=False
):
    """Print every table the caches allow; all of them are kept as `eval.txt` beside them.

    `first` is another network file that is put beside `model` on clips, and
    `own` puts our own large teacher in the place of `model` where it can stand.
    """
    lines = []

    def note(text):
        lines.append(text)
        log(text)

    cache = read_photo_cache(data_dir, work_dir)
    if own:
        from evaluation.own_runner import OwnRunner

        runner = OwnRunner(data_dir, work_dir, cache)
        parts = [part for part in parts if part != "guarantees"]
    else:
        runner = Runner(model)
    if "photos" in parts:
        evaluate_photos(runner, cache, data_dir, note)
        evaluate_smoke(runner, cache, data_dir, note)
        if not own:
            evaluate_control(runner, cache, data_dir, note)
    test, train = read_world_cache(work_dir, TEST_WORLD), newest_world_cache(work_dir)
    if "scenes" in parts and test is not None and train is not None:
        evaluate_scenes(runner, test, train, note)
    clips = read_clip_cache(data_dir, work_dir)
    if "clips" in parts and clips is not None:
        runners = {"network": runner} | ({"first": Runner(first)} if first else {})
        evaluate_clips(runners, clips, data_dir, note, every_clip)
    if "guarantees" in parts:
        check_guarantees(runner, note)
    if set(parts) == set(PARTS):
        (Path(work_dir) / "eval.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODELS_DIR / "motion.onnx")
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.tsv")
    parser.add_argument("--work", type=Path, required=True, help="folder with the caches")
    parser.add_argument("--parts", default=",".join(PARTS), help="comma-separated subset")
    parser.add_argument("--first", type=Path, help="another network to put beside it on clips")
    parser.add_argument("--own", action="store_true",
                        help="judge our own large teacher instead, which takes minutes")
    parser.add_argument("--every-clip", action="store_true",
                        help="clips of training sources too, for networks trained without clips")
    parser.add_argument("--sheet", type=Path, metavar="FILE.jpg",
                        help="also draw the clips, outside the repository")
    options = parser.parse_args(arguments)
    parts = options.parts.split(",")
    unknown = set(parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown parts: {sorted(unknown)}, known: {', '.join(PARTS)}")
    evaluate(options.model, options.data, options.work, parts=parts,
             first=options.first, every_clip=options.every_clip, own=options.own)
    if options.sheet:
        clips = read_clip_cache(options.data, options.work)
        if clips is None:
            parser.error(f"no clips in {options.work}: run the training's step `clips` first")
        draw_sheet(Runner(options.model), clips, options.data, options.sheet, options.every_clip)


if __name__ == "__main__":
    main()
