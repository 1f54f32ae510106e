"""The optimisation loop: wall-clock schedule, checkpoints, moving average."""

import copy
import json
import math
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from .adapters import Adapters
from .batches import (
    ClipBatches,
    FeatureScale,
    PhotoBatches,
    WorldBatches,
    recolour,
)
from .clip_cache import read_clip_cache
from .console import silent
from .labels import class_targets
from .losses import clip_losses, feature_losses, photo_losses, world_losses
from .network import MotionNetwork
from .opinions import read_opinions
from .photo_cache import read_photo_cache
from .precision import halved_where_fast
from .start import start_from
from .taught_cache import read_taught_cache
from .world_cache import newest_world_cache


@dataclass(frozen=True)
class Recipe:
    """Settings of one training run; times in seconds of training.

    `photos`, `scenes` and `clips` are those of each process's share of a batch;
    `start` is an exported network whose weights are taken first.
    """

    minutes: float = 95.0
    processes: int = 1
    photos: int = 9
    scenes: int = 5
    clips: int = 2
    learning_rate: float = 3.5e-3
    weight_decay: float = 0.02
    gradient_norm_max: float = 10.0
    warm_up_steps: int = 150
    decay_share: float = 0.7
    size_early_px: int = 160
    size_late_px: int = 224
    size_late_share: float = 0.3
    average: float = 0.998
    refresh_s: float = 60.0
    checkpoint_s: float = 180.0
    log_steps: int = 100
    photos_min: int = 400
    seed: int = 0
    start: str | None = None
    #: Learning rate of a network that has learnt before, over that of one that has not.
    started_rate: float = 0.25


#: Pictures, and their size, to which a network that is started from is fitted.
START_PICTURES, START_PX = 96, 160


def rate_at(recipe, step, progress):
    """Learning rate: warm-up by steps, then constant, then a cosine by time."""
    rate = recipe.learning_rate * min(1.0, (step + 1) / recipe.warm_up_steps)
    rate *= recipe.started_rate if recipe.start else 1.0
    start = 1.0 - recipe.decay_share
    if progress > start:
        turn = min(1.0, (progress - start) / recipe.decay_share)
        rate *= max(0.01, 0.5 * (1 + math.cos(math.pi * turn)))
    return rate


class Trainer:
    """State of one run; `run` may be interrupted and started again."""

    CHECKPOINT = "checkpoint.pt"
    #: Whether scenes and clips come with the segmentation teacher's features.
    WITH_FEATURES = False
    #: Whether our own large teacher's answers are learnt, once they are there.
    TAUGHT = True

    def __init__(self, data_dir, work_dir, recipe, crew, log=print):
        self.data_dir, self.work_dir, self.recipe, self.log = data_dir, Path(work_dir), recipe, log
        self.crew, self.device = crew, torch.device("cpu")
        torch.manual_seed(recipe.seed)
        network, adapters = self._networks()
        self.network = network.train().to(memory_format=torch.channels_last)
        self.adapters = adapters.train().to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        self.parameters = parameters = self._trained()
        self.optimiser = torch.optim.AdamW(
            [
                {"params": [p for p in parameters if p.ndim > 1],
                 "weight_decay": recipe.weight_decay},
                {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=recipe.learning_rate,
            fused=True,
        )
        self.step, self.used_s = 0, 0.0
        self.ending = False
        self.images = {"photos": 0, "scenes": 0, "clips": 0}
        self.rng = self._draws()
        self.colours = torch.Generator().manual_seed(int(self.rng.randint(1 << 30)))
        self.photo_batches = self.world_batches = self.clip_batches = self.scale = None
        self.sums, self.counts = {}, {}
        self._link_averages()

    def _link_averages(self):
        """Find the tensors of the network and of its moving average, once they are in place."""
        source, target = self.network.state_dict(), self.average.state_dict()
        floating = [k for k, v in source.items() if v.dtype.is_floating_point]
        self._now = [source[k] for k in floating]
        self._mean = [target[k] for k in floating]

    @classmethod
    def work(cls, crew, data_dir, work_dir, recipe, log):
        """Train as one of a crew; only the first says anything."""
        cls(data_dir, work_dir, recipe, crew, log if crew.is_first else silent).run()

    def _networks(self):
        """What is trained, and what only training needs."""
        return MotionNetwork(), Adapters()

    def _trained(self):
        """The parameters that the optimiser changes: all but those of the head that is trained last."""
        network = [p for name, p in self.network.named_parameters() if not name.startswith("vigour.")]
        return [*network, *self.adapters.parameters()]

    def _draws(self):
        """Random draws that no other process and no earlier start has made."""
        return np.random.RandomState([self.recipe.seed, self.step, self.crew.rank])

    @property
    def checkpoint_file(self):
        return self.work_dir / self.CHECKPOINT

    def save(self):
        """Write the whole state; the old file stays until the new is complete."""
        state = {
            "network": self.network.state_dict(),
            "adapters": self.adapters.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "used_s": self.used_s,
            "images": self.images,
            "recipe": asdict(self.recipe),
        }
        temporary = self.checkpoint_file.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.rename(self.checkpoint_file)

    def resume(self):
        """Continue from the last checkpoint, if there is one."""
        if not self.checkpoint_file.exists():
            return
        state = torch.load(self.checkpoint_file, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.adapters.load_state_dict(state["adapters"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.used_s = state["step"], state["used_s"]
        self.images |= state["images"]
        self.rng = self._draws()
        self.log(f"resumed at step {self.step}, {self.used_s / 60:.1f} min")

    def _start(self):
        """Begin at an exported network; the same in every process."""
        batches = PhotoBatches(
            self.photo_batches.cache, None, None, self.scale, np.random.RandomState(2)
        )
        batch = batches.draw(START_PICTURES, START_PX)
        start_from(self.recipe.start, self.network, self.adapters, batch, self.log)
        self.average.load_state_dict(self.network.state_dict())

    def refresh(self):
        """Look again at what the caches hold; True when photos suffice."""
        cache = read_photo_cache(self.data_dir, self.work_dir)
        if cache is None or len(cache) < self.recipe.photos_min:
            return False
        if self.photo_batches is None or len(cache) != len(self.photo_batches.cache):
            if self.scale is None:
                self.scale = FeatureScale.of(cache)
            taught = read_taught_cache(self.work_dir, len(cache)) if self.TAUGHT else None
            opinions = read_opinions(self.work_dir, len(cache))
            self.photo_batches = PhotoBatches(cache, opinions, taught, self.scale, self.rng)
            self.log(
                f"photos: {len(cache)}, {'' if opinions else 'no '}second opinions, "
                f"{'' if taught else 'not '}taught"
            )
        world = newest_world_cache(self.work_dir, self.WITH_FEATURES)
        held = self.world_batches.cache if self.world_batches else None
        same = held and world and (held.name, len(held)) == (world.name, len(world))
        if world is not None and not same:
            self.world_batches = WorldBatches(world, self.scale, self.rng)
            self.log(f"scenes: {len(world)} of {world.name}")
        clips = None
        if not self.clip_batches and self.recipe.clips:
            clips = read_clip_cache(self.data_dir, self.work_dir, self.WITH_FEATURES)
        if clips is not None:
            self.clip_batches = ClipBatches(clips, self.scale, self.rng)
            self.log(f"windows of clips: {len(clips)}")
        return True

    def _batch(self, size_px):
        """Parts of a batch by name, in order, and all their pictures and winds."""
        recipe = self.recipe
        scenes = recipe.scenes if self.world_batches else 0
        photos = recipe.photos + recipe.scenes - scenes
        parts = {"photos": self.photo_batches.draw(photos, size_px)}
        if scenes:
            parts["scenes"] = self.world_batches.draw(scenes, size_px)
        if self.clip_batches:
            parts["clips"] = self.clip_batches.draw(recipe.clips, size_px)
        rgb = recolour(torch.cat([part["rgb"] for part in parts.values()]), self.colours)
        wind = torch.cat([part["wind"] for part in parts.values()])
        return parts, rgb.contiguous(memory_format=torch.channels_last), wind

    def _size_px(self, progress):
        """Small pictures first: more of them fit into the same time; the end of
        training then sees pictures with more context.
        """
        recipe = self.recipe
        is_late = progress >= 1 - recipe.size_late_share
        return recipe.size_late_px if is_late else recipe.size_early_px

    def losses(self, progress):
        """Draw a batch and return its named loss terms."""
        recipe = self.recipe
        parts, rgb, wind = self._batch(self._size_px(progress))
        counts = [len(part["rgb"]) for part in parts.values()]
        with halved_where_fast(self.device.type):
            raw = self._raw(parts, rgb, wind)
        split = {k: v.split(counts) for k, v in raw.items()}
        terms = {}
        for at, (name, part) in enumerate(parts.items()):
            own = {k: v[at] for k, v in split.items()}
            if name == "photos":
                terms |= photo_losses(own, part, *class_targets(part))
                early = progress < 1 - recipe.decay_share and not recipe.start
                terms |= self._feature_terms(own, part, early)
            elif name == "scenes":
                terms |= world_losses(own, part)
            else:
                terms |= clip_losses(own, part)
            self.images[name] += counts[at] * self.crew.size
        return terms

    def _raw(self, _parts, rgb, wind):
        return self.network.raw(rgb, wind)

    def _feature_terms(self, own, part, early):
        with halved_where_fast(self.device.type):
            answers = self.adapters(own)
        return feature_losses(answers, part, early)

    def train_step(self, progress):
        """One step of the optimiser and of the moving average."""
        rate = rate_at(self.recipe, self.step, progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        terms = self.losses(progress)
        loss = sum(terms.values())
        self.optimiser.zero_grad()
        loss.backward()
        self.crew.average_gradients(self.parameters)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.gradient_norm_max)
        # The fused optimiser leaves the step out by itself, so nobody waits for the answer.
        self.optimiser.found_inf = (~torch.isfinite(norm)).float()
        self.optimiser.step()
        self.step += 1
        keep = min(self.recipe.average, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self._mean, self._now, 1 - keep)
        notes = terms | {"norm": norm, "skipped": self.optimiser.found_inf}
        for name, value in notes.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach()
            self.counts[name] = self.counts.get(name, 0) + 1

    def _report(self, rate_images):
        means = " ".join(f"{k} {float(v) / self.counts[k]:.3f}" for k, v in self.sums.items())
        self.log(
            f"step {self.step} {self.used_s / 60:.1f} min {rate_images:.1f} img/s "
            f"{json.dumps(self.images)} {means}"
        )
        self.sums, self.counts = {}, {}

    def run(self):
        """Train until the recipe's minutes are used or the process is asked to end."""
        self.resume()
        limit_s = self.recipe.minutes * 60
        while not self.refresh():
            time.sleep(5)
        if self.step == 0 and self.recipe.start:
            self._start()
        started_s, started_images = self.used_s, sum(self.images.values())
        refresh_s, checkpoint_s = 0.0, self.used_s + self.recipe.checkpoint_s
        signal.signal(signal.SIGTERM, self._ask_to_end)
        while True:
            begin = time.monotonic()
            self.used_s, self.ending = self.crew.as_first_says(self.used_s, self.ending)
            if self.used_s >= limit_s or self.ending:
                break
            self.train_step(self.used_s / limit_s)
            if self.used_s >= refresh_s:
                self.refresh()
                refresh_s = self.used_s + self.recipe.refresh_s
            if self.used_s >= checkpoint_s:
                self._save_once()
                checkpoint_s = self.used_s + self.recipe.checkpoint_s
            self.used_s += time.monotonic() - begin
            if self.step % self.recipe.log_steps == 0 and self.crew.is_first:
                images = sum(self.images.values()) - started_images
                self._report(images / (self.used_s - started_s))
        self._save_once()

    def _save_once(self):
        if self.crew.is_first:
            self.save()

    def _ask_to_end(self, *_):
        self.ending = True


def trained_network(file):
    """The moving average in a file that a training wrote, ready to be exported."""
    state = torch.load(file, weights_only=True, map_location="cpu")
    network = MotionNetwork()
    network.load_state_dict(state["average"])
    return network.eval()
