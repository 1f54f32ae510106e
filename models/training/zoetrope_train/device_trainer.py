"""Training of the network that ships on one large device, from a pack.

`python -m zoetrope_train.device_trainer --pack DIR --out DIR --seconds N`

Parts of the pack may arrive while it runs.  It saves its moving average in a
file small enough to carry away, every minute.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch

from .batches import recolour
from .console import log
from .crew import Crew
from .device_batches import DeviceBatches
from .device_own import DeviceOwnTrainer, device_own_recipe
from .losses import clip_losses, feature_losses, photo_losses, world_losses
from .material import Material
from .precision import halved_where_fast
from .start import start_from
from .trainer import START_PICTURES, Recipe, Trainer

#: Views that are labelled before the first step, and at each.
VIEWS_FIRST, VIEWS_A_STEP = 1536, 64
#: Shares of the training with small pictures at its start and with the product's sizes at its end.
EARLY_SHARE, WHOLE_SHARE = 0.45, 0.15
#: Different draws of runs.
SEEDS = 1 << 30
#: Largest file that is written.
FILE_BYTES_MAX = 16 << 20
AVERAGE = "average.pt"


def device_recipe(seconds):
    """Large batches, a rate that falls over most of the run."""
    return Recipe(
        minutes=seconds / 60, photos=224, scenes=80, clips=6, learning_rate=3e-3,
        warm_up_steps=200, decay_share=0.75, average=0.998, checkpoint_s=60.0, refresh_s=0.0,
        log_steps=100,
    )


class DeviceTrainer(Trainer):
    """The same losses and schedule on batches that never leave the device.

    `start` is an exported network to begin at; `Recipe.start` would mean a lower rate.
    """

    def __init__(self, material, out_dir, recipe, start, say):
        super().__init__(None, out_dir, recipe, Crew(0, 1), say)
        self.material, self.start, self.device = material, start, material.device
        for module in (self.network, self.adapters, self.average):
            module.to(self.device)
        self._link_averages()
        self.batches = DeviceBatches(material, self.device, self.rng)
        self.colours = torch.Generator(self.device).manual_seed(recipe.seed)

    def refresh(self):
        """Take in some photos and scenes and label some views; True when there is enough."""
        is_enough = self.material.grow()
        if is_enough:
            self.material.add_views(VIEWS_A_STEP)
        return is_enough

    def losses(self, progress):
        """Draw a batch and return its named loss terms."""
        recipe, batches = self.recipe, self.batches
        shape = batches.shape(progress, EARLY_SHARE, WHOLE_SHARE)
        whole = progress >= 1 - WHOLE_SHARE
        counts = [n * 2 // 3 if whole else n for n in (recipe.photos, recipe.scenes, recipe.clips)]
        with torch.no_grad():
            photos = batches.draw_views(counts[0], shape)
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
        """Write the moving average."""
        write_state(
            self.work_dir / AVERAGE,
            {"average": self.average.state_dict(), "images": self.images, "step": self.step},
        )

    def resume(self):
        """Begin at an exported network, or at random weights."""
        while self.material.views.labelled < VIEWS_FIRST:
            self.material.add_views(VIEWS_A_STEP)
        if self.start:
            shape = self.batches.shape(1.0, 0.0, 1.0)
            with torch.no_grad():
                views = self.batches.draw_views(START_PICTURES, shape)
            start_from(self.start, self.network, self.adapters, views, self.log)
        self.average.load_state_dict(self.network.state_dict())

    def _report(self, rate_images):
        material = self.material
        self.log(f"photos {material.photos.count}, views {material.views.labelled}, "
                 f"scenes {material.scenes.drawn}")
        super()._report(rate_images)


def write_state(file, state):
    """Write a state small enough to carry away; the old file stays until the new is complete."""
    temporary = file.with_suffix(".tmp")
    torch.save(state, temporary)
    if temporary.stat().st_size > FILE_BYTES_MAX:
        raise ValueError(f"{file.name} has {temporary.stat().st_size} bytes, more than {FILE_BYTES_MAX}")
    temporary.rename(file)


def train(material, options):
    """Our own teacher first, then the network that learns from it."""
    own = DeviceOwnTrainer(material, device_own_recipe(options.own_seconds), log)
    own.run()
    material.teachers.own = own.average
    write_state(options.out / own.CHECKPOINT, {"average": material.teachers.own.state_dict()})
    DeviceTrainer(material, options.out, device_recipe(options.seconds), options.start, log).run()


def main():
    parser = argparse.ArgumentParser(description="Train the motion network on one large device.")
    parser.add_argument("--pack", type=Path, required=True, help="folder with the pack's files")
    parser.add_argument("--out", type=Path, required=True, help="where the weights are saved")
    parser.add_argument("--seconds", type=float, required=True, help="training time")
    parser.add_argument("--own-seconds", type=float, default=80.0,
                        help="training time of our own large teacher before")
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
    capacities = (options.photos, options.views, options.scenes)
    rng = np.random.RandomState(int(time.time()) % SEEDS)
    material = Material(options.pack, device, rng, capacities, options.processes)
    material.wait()
    log(f"began with {material.photos.count} photos and {material.scenes.count} scenes")
    try:
        train(material, options)
    finally:
        material.close()


if __name__ == "__main__":
    main()
