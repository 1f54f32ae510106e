"""Scenes drawn by processes of their own while a training goes on.

Each process writes files of a few scenes into a folder in memory; the trainer
takes whole files and deletes them.
"""

import multiprocessing
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from .world_cache import ARRAYS, TRAIN_SEED, draw_row, kinds_in_turn

#: Scenes of one file, and files that wait at most: so much memory and no more.
SCENES_A_FILE, WAITING_MAX = 16, 256
TRAINING_DIR = Path(__file__).resolve().parents[1]


def _draw(folder, rank, size, first_seed):
    sys.path.insert(0, str(TRAINING_DIR))
    cv2.setNumThreads(1)
    os.nice(5)
    kinds, number = kinds_in_turn(), rank
    parent = os.getppid()
    while os.getppid() == parent:
        if len(os.listdir(folder)) > WAITING_MAX:
            time.sleep(0.1)
            continue
        seeds = range(first_seed + number * SCENES_A_FILE, first_seed + (number + 1) * SCENES_A_FILE)
        rows, winds = zip(*(draw_row(kinds[seed % len(kinds)], seed) for seed in seeds), strict=True)
        fields = {
            name: np.stack([row[name] for row in rows]).astype(dtype)
            for name, (_, dtype) in ARRAYS.items()
        }
        unfinished = folder / f".{number}.npz"
        np.savez(unfinished, wind=np.array(winds, np.float32), **fields)
        unfinished.rename(folder / f"{number}.npz")
        number += size


class SceneFeed:
    """`processes` that draw scenes into `folder` until they are stopped or orphaned."""

    def __init__(self, folder, processes, first_seed=TRAIN_SEED):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        spawn = multiprocessing.get_context("spawn")
        self._workers = [
            spawn.Process(target=_draw, args=(self.folder, rank, processes, first_seed), daemon=True)
            for rank in range(processes)
        ]
        for worker in self._workers:
            worker.start()

    def take(self, files_max):
        """Scenes of up to `files_max` finished files, a dictionary of arrays for each."""
        if not any(worker.is_alive() for worker in self._workers):
            raise RuntimeError("every process that draws scenes has ended")
        taken = []
        for file in sorted(self.folder.glob("[0-9]*.npz"))[:files_max]:
            with np.load(file) as arrays:
                taken.append(dict(arrays))
            file.unlink()
        return taken

    def stop(self):
        """End the processes."""
        for worker in self._workers:
            worker.terminate()
            worker.join()
