"""Command line: label photos, measure clips, draw the world, train both networks, export."""

import argparse
import sys
from pathlib import Path

import torch

from .console import log

TRAINING_DIR = Path(__file__).resolve().parents[1]
MODELS_DIR = TRAINING_DIR.parent
STEPS = (
    "cache", "opinions", "clips", "world", "features", "own", "teach", "train", "export", "evaluate"
)
#: Done only when asked for: for training on another machine, and of some heads alone.
PACK, HEADS, SMOKE, VIGOUR = "pack", "heads", "smoke", "vigour"
#: What shares that sum up to 1 may miss by rounding.
SHARES_ERROR = 1e-6


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m zoetrope_train",
        description="Train the motion network; every step resumes where it stopped.",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.tsv")
    parser.add_argument("--work", type=Path, required=True, help="caches and checkpoints")
    parser.add_argument("--minutes", type=float, default=95.0, help="training time")
    parser.add_argument("--own-minutes", type=float, default=25.0,
                        help="training time of our own large teacher")
    parser.add_argument("--start", type=Path, metavar="FILE.onnx",
                        help="exported network to start from instead of random weights")
    parser.add_argument("--processes", type=int, default=1, help="processes that train, a core each")
    parser.add_argument("--steps", default=",".join(STEPS), help="comma-separated subset")
    parser.add_argument("--scenes", type=int, default=3000, help="scenes of the world")
    parser.add_argument("--world-name", default="train1", help="world cache to write")
    parser.add_argument("--version", default="0.1.0", help="version of the exported network")
    parser.add_argument("--average", type=Path, metavar="FILE.pt",
                        help="export these weights, of a training on another machine")
    parser.add_argument("--mean", nargs="+", metavar=("FILE.onnx", "SHARE"),
                        help="export the mean of these networks instead; the shares sum up to 1")
    parser.add_argument("--out", type=Path, default=MODELS_DIR / "motion.onnx")
    options = parser.parse_args(arguments)
    if options.mean:
        files, shares = options.mean[::2], [float(share) for share in options.mean[1::2]]
        if len(files) != len(shares) or abs(sum(shares) - 1) > SHARES_ERROR:
            parser.error(f"--mean needs a share for every network, summing up to 1, not {shares}")
        options.mean = files, shares
    options.steps = options.steps.split(",")
    known = (*STEPS, PACK, HEADS, SMOKE, VIGOUR)
    unknown = set(options.steps) - set(known)
    if unknown:
        parser.error(f"unknown steps: {sorted(unknown)}, known: {', '.join(known)}")
    for step in (HEADS, SMOKE, VIGOUR):
        if step in options.steps and not options.start:
            parser.error(f"the step {step} needs --start FILE.onnx: the network whose heads are trained")
    return options


def main(arguments=None):
    options = parse(arguments)
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    sys.path[:0] = [str(TRAINING_DIR), str(MODELS_DIR)]
    if "cache" in options.steps:
        from .photo_cache import write_photo_cache

        write_photo_cache(options.data, options.work, log)
    if "opinions" in options.steps:
        from .opinions import write_opinions

        write_opinions(options.data, options.work, log)
    if "clips" in options.steps:
        from .clip_cache import write_clip_cache

        write_clip_cache(options.data, options.work, log)
    if "world" in options.steps:
        from .world_cache import TEST_SCENES, TEST_SEED, TEST_WORLD, write_world_cache

        write_world_cache(options.work, TEST_WORLD, TEST_SCENES, TEST_SEED, log)
        write_world_cache(options.work, options.world_name, options.scenes, log=log)
    if "features" in options.steps:
        from .feature_cache import write_features

        for folder in ("clips", f"worlds/{options.world_name}"):
            write_features(options.data, options.work / folder, log)
    if "own" in options.steps:
        from .crew import run_crew
        from .own_trainer import OwnTrainer, own_recipe

        recipe = own_recipe(options.own_minutes, options.processes)
        run_crew(recipe.processes, OwnTrainer.work, (options.data, options.work, recipe, log))
    if "teach" in options.steps:
        from .teach import write_taught_cache

        write_taught_cache(options.data, options.work, options.processes, log)
    if PACK in options.steps:
        from .pack import write_pack

        write_pack(options.data, options.work, options.work / PACK, options.processes, log)
    if "train" in options.steps:
        from .crew import run_crew
        from .trainer import Recipe, Trainer

        start = str(options.start) if options.start else None
        recipe = Recipe(minutes=options.minutes, processes=options.processes, start=start)
        run_crew(recipe.processes, Trainer.work, (options.data, options.work, recipe, log))
    if HEADS in options.steps:
        from .crew import run_crew
        from .heads_trainer import HeadsTrainer, heads_recipe

        recipe = heads_recipe(options.minutes, options.processes, str(options.start))
        run_crew(recipe.processes, HeadsTrainer.work, (options.data, options.work, recipe, log))
    if SMOKE in options.steps:
        from .smoke_trainer import SmokeTrainer, smoke_recipe

        recipe = smoke_recipe(options.minutes, str(options.start))
        SmokeTrainer(options.data, options.work, recipe, log).run()
    if VIGOUR in options.steps:
        from .vigour_trainer import VigourTrainer, vigour_recipe
        from .world_cache import FRESH_SCENES, FRESH_SEED, FRESH_WORLD, write_world_cache

        write_world_cache(options.work, FRESH_WORLD, FRESH_SCENES, FRESH_SEED, log)
        recipe = vigour_recipe(options.minutes, str(options.start))
        VigourTrainer(options.data, options.work, recipe, log).run()
    if "export" in options.steps:
        from .export import export
        from .mean import mean_network
        from .trainer import Trainer, trained_network

        if options.mean:
            network = mean_network(options.data, options.work, *options.mean)
        else:
            network = trained_network(options.average or options.work / Trainer.CHECKPOINT)
        export(network, options.out, options.version, log)
    if "evaluate" in options.steps:
        from evaluation.evaluate import evaluate

        evaluate(options.out, options.data, options.work, log=print)


if __name__ == "__main__":
    main()
