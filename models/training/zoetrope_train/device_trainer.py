"""Training of the network that ships on one large device, from a pack.

`python -m zoetrope_train.device_trainer --pack DIR --out DIR --seconds N`

Parts of the pack may arrive while it runs.  It saves its moving average and
its state in files small enough to carry away, and can go on from them.
"""

import argparse
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from .batches import recolour
from .console import log
from .crew import Crew
from .device_batches import DeviceBatches
from .device_store import open_stores
from .losses import clip_losses, feature_losses, photo_losses, world_losses
from .precision import halved_where_fast
from .scene_feed import SceneFeed
from .start import start_from
from .trainer import START_PICTURES, Recipe, Trainer

#: Photos and scenes that must be there before the first step.
PHOTOS_MIN, SCENES_MIN = 1500, 200
#: Files of scenes that are read at once.
FILES_A_STEP = 2
#: Shares of the training with small pictures at its start and with the product's sizes at its end.
EARLY_SHARE, WHOLE_SHARE = 0.45, 0.15
#: Seeds of a run's scenes, apart from those of the caches and of other runs.
FIRST_SEED, SEEDS_A_RUN, SEED_RUNS = 10_000_000, 1_000_000, 1000
#: Largest file that is written.
FILE_BYTES_MAX = 16 << 20
AVERAGE, STATE = "average.pt", "state.pt"


def device_recipe(seconds):
    """Large batches, a rate that falls over most of the run."""
    return Recipe(
        minutes=seconds / 60, photos=224, scenes=80, clips=8, learning_rate=3e-3,
        warm_up_steps=200, decay_share=0.75, average=0.998, checkpoint_s=60.0, refresh_s=0.0,
        log_steps=100,
    )


class DeviceTrainer(Trainer):
    """The same losses and schedule on batches that never leave the device.

    `start` is an exported network to begin at; `Recipe.start` would mean a lower rate.
    """

    def __init__(self, pack_dir, out_dir, recipe, start, device, processes, capacities, say):
        super().__init__(pack_dir, out_dir, recipe, Crew(0, 1), say)
        self.start, self.device = start, device
        for module in (self.network, self.adapters, self.average):
            module.to(device)
        self._link_averages()
        stores = open_stores(pack_dir, device, self.rng, *capacities)
        self.photos, self.scenes = stores[1], stores[2]
        self.batches = DeviceBatches(stores, device, self.rng)
        self.colours = torch.Generator(device).manual_seed(recipe.seed)
        folder = Path(tempfile.mkdtemp(prefix="zoetrope-scenes-"))
        first_seed = FIRST_SEED + int(time.time()) % SEED_RUNS * SEEDS_A_RUN
        self.feed = SceneFeed(folder, processes, first_seed)
        self._reader = ThreadPoolExecutor(1)
        self._taking = self._reader.submit(self.feed.take, FILES_A_STEP)

    def refresh(self):
        """Label some photos and take in some scenes; True when both suffice."""
        self.photos.look()
        self.photos.label_some()
        if self._taking.done():
            for rows in self._taking.result():
                self.scenes.add(rows)
            self._taking = self._reader.submit(self.feed.take, FILES_A_STEP)
        return self.photos.count >= PHOTOS_MIN and self.scenes.count >= SCENES_MIN

    def losses(self, progress):
        """Draw a batch and return its named loss terms."""
        recipe, batches = self.recipe, self.batches
        shape = batches.shape(progress, EARLY_SHARE, WHOLE_SHARE)
        whole = progress >= 1 - WHOLE_SHARE
        counts = [n * 2 // 3 if whole else n for n in (recipe.photos, recipe.scenes, recipe.clips)]
        with torch.no_grad():
            photos = batches.draw_photos(counts[0], shape)
            scenes = batches.draw_scenes(counts[1], shape)
            clips = batches.draw_clips(counts[2], shape)
            parts = (photos, scenes, clips)
            rgb = recolour(torch.cat([part["rgb"] for part in parts]), self.colours)
            wind = torch.cat([part["wind"] for part in parts])
        rgb = rgb.contiguous(memory_format=torch.channels_last)
        with halved_where_fast(self.device.type):
            raw = self.network.raw(rgb, wind)
        split = [dict(zip(raw, values, strict=True))
                 for values in zip(*(v.split(counts) for v in raw.values()), strict=True)]
        terms = photo_losses(split[0], photos, photos["classes"], photos["trust"])
        with halved_where_fast(self.device.type):
            answers = self.adapters(split[0])
        terms |= feature_losses(answers, photos, progress < 1 - recipe.decay_share)
        terms |= world_losses(split[1], scenes)
        terms |= clip_losses(split[2], clips)
        for name, count in zip(("photos", "scenes", "clips"), counts, strict=True):
            self.images[name] += count
        return terms

    def save(self):
        """Write the moving average and, in half precision, the state itself."""
        files = {
            AVERAGE: {"average": self.average.state_dict(), "images": self.images, "step": self.step},
            STATE: {
                "network": _halved(self.network.state_dict()),
                "adapters": _halved(self.adapters.state_dict()),
                "images": self.images,
            },
        }
        for name, state in files.items():
            temporary = self.work_dir / f"{name}.tmp"
            torch.save(state, temporary)
            if temporary.stat().st_size > FILE_BYTES_MAX:
                raise ValueError(f"{name} has {temporary.stat().st_size} bytes, more than {FILE_BYTES_MAX}")
            temporary.rename(self.work_dir / name)

    def resume(self):
        """Begin at a state that was carried here, at an exported network, or at random weights."""
        state_file = Path(self.data_dir) / STATE
        while not self.refresh():
            time.sleep(0.01)
        if state_file.exists():
            state = torch.load(state_file, weights_only=True, map_location=self.device)
            self.network.load_state_dict(state["network"])
            self.adapters.load_state_dict(state["adapters"])
            self.images |= state["images"]
        elif self.start:
            shape = self.batches.shape(1.0, 0.0, 1.0)
            with torch.no_grad():
                photos = self.batches.draw_photos(START_PICTURES, shape)
            start_from(self.start, self.network, self.adapters, photos, self.log)
        self.average.load_state_dict(self.network.state_dict())

    def run(self):
        """Train until the time is used or the process is asked to end; labelling goes on."""
        super().run()
        self._reader.shutdown()
        self.feed.stop()
        shutil.rmtree(self.feed.folder)

    def _report(self, rate_images):
        self.log(f"photos {self.photos.count}, views {self.photos.viewed}, scenes {self.scenes.drawn}")
        super()._report(rate_images)


def _halved(state):
    return {k: v.half() if v.dtype.is_floating_point else v for k, v in state.items()}


def main():
    parser = argparse.ArgumentParser(description="Train the motion network on one large device.")
    parser.add_argument("--pack", type=Path, required=True, help="folder with the pack's files")
    parser.add_argument("--out", type=Path, required=True, help="where the weights are saved")
    parser.add_argument("--seconds", type=float, required=True, help="training time")
    parser.add_argument("--start", metavar="FILE.onnx", help="exported network to start from")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 2),
                        help="processes that draw scenes")
    parser.add_argument("--photos", type=int, default=7300, help="photos to make room for")
    parser.add_argument("--views", type=int, default=10000, help="views of photos to make room for")
    parser.add_argument("--scenes", type=int, default=24000, help="scenes to make room for")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    recipe = device_recipe(options.seconds)
    capacities = (options.photos, options.views, options.scenes)
    trainer = DeviceTrainer(
        options.pack, options.out, recipe, options.start, device, options.processes, capacities, log
    )
    trainer.run()


if __name__ == "__main__":
    main()
