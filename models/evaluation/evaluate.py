"""The command that prints all tables: `python -m evaluation.evaluate --help`."""

import argparse
import sys
from pathlib import Path

MODELS_DIR = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(MODELS_DIR), str(MODELS_DIR / "training")]

from evaluation.guarantees import check_guarantees  # noqa: E402
from evaluation.photos import evaluate_photos, evaluate_smoke  # noqa: E402
from evaluation.runner import Runner  # noqa: E402
from evaluation.scenes import evaluate_scenes  # noqa: E402
from zoetrope_train.photo_cache import read_photo_cache  # noqa: E402
from zoetrope_train.world_cache import (  # noqa: E402
    TEST_WORLD,
    newest_world_cache,
    read_world_cache,
)


def evaluate(model, data_dir, work_dir, log=print):
    """Print every table the caches allow; also kept as `eval.txt` beside them."""
    lines = []

    def note(text):
        lines.append(text)
        log(text)

    runner = Runner(model)
    cache = read_photo_cache(data_dir, work_dir)
    evaluate_photos(runner, cache, data_dir, note)
    evaluate_smoke(runner, cache, data_dir, note)
    test, train = read_world_cache(work_dir, TEST_WORLD), newest_world_cache(work_dir)
    if test is not None and train is not None:
        evaluate_scenes(runner, test, train, note)
    check_guarantees(runner, note)
    (Path(work_dir) / "eval.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODELS_DIR / "motion.onnx")
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.tsv")
    parser.add_argument("--work", type=Path, required=True, help="folder with the caches")
    options = parser.parse_args(arguments)
    evaluate(options.model, options.data, options.work)


if __name__ == "__main__":
    main()
