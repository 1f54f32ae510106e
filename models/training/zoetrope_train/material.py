"""All that a training on a device learns from, growing while it runs."""

import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from .device_store import ClipStore, PhotoStore, SceneStore, ViewStore
from .device_teachers import Teachers
from .pack import CLIPS, TEACHERS
from .scene_feed import SceneFeed
from .views import Views

#: Photos and scenes that must be there before the first step.
PHOTOS_MIN, SCENES_MIN = 1500, 200
#: Files of scenes that are read at once.
FILES_A_STEP = 2
#: Seeds of a run's scenes, apart from those of the caches and of other runs.
FIRST_SEED, SEEDS_A_RUN, SEED_RUNS = 10_000_000, 1_000_000, 1000
#: Views from which the scale of the features is taken.
MEASURED = 192


class Material:
    """Photos of a pack, views of them, scenes and clips; `capacities` of the first three."""

    def __init__(self, pack_dir, device, rng, capacities, processes):
        photos, views, scenes = capacities
        self.device = device
        self.photos = PhotoStore(pack_dir, device, photos)
        self.views = ViewStore(device, views)
        self.scenes = SceneStore(device, scenes)
        self.clips = ClipStore(Path(pack_dir) / CLIPS, device)
        self.teachers = Teachers(Path(pack_dir) / TEACHERS, device)
        colours = torch.Generator(device).manual_seed(int(rng.randint(1 << 30)))
        self.drawn_views = Views(self.photos, rng, colours)
        first_seed = FIRST_SEED + int(time.time()) % SEED_RUNS * SEEDS_A_RUN
        self.feed = SceneFeed(Path(tempfile.mkdtemp(prefix="zoetrope-scenes-")), processes, first_seed)
        self._reader = ThreadPoolExecutor(1)
        self._taking = self._reader.submit(self.feed.take, FILES_A_STEP)

    def grow(self):
        """Take in photos and scenes that have arrived; True when both suffice."""
        self.photos.look()
        self.photos.take_some()
        if self._taking.done():
            for rows in self._taking.result():
                self.scenes.add(rows)
            self._taking = self._reader.submit(self.feed.take, FILES_A_STEP)
        return self.photos.count >= PHOTOS_MIN and self.scenes.count >= SCENES_MIN

    def wait(self):
        """Grow until there is enough to begin with, and take the scale of the features."""
        while not self.grow():
            time.sleep(0.01)
        large, _, _ = self.drawn_views.draw(MEASURED)
        self.teachers.measure(self.teachers.features(large))

    def add_views(self, count):
        """Label `count` new views."""
        large, told, aspect = self.drawn_views.draw(count)
        labelled = self.teachers.label(large, told)
        self.views.add(labelled, told, aspect)

    def close(self):
        """End the processes that draw scenes."""
        self._reader.shutdown()
        self.feed.stop()
        shutil.rmtree(self.feed.folder)
