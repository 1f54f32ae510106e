"""Training of our own large teacher on a device, in minutes, before the network that ships."""

import torch
import torch.nn.functional as F

from .batches import TAPS, random_wind
from .crew import Crew
from .device_batches import DeviceBatches
from .device_store import COLOUR_PX, TEACHER_PX
from .device_teachers import depth_of
from .own_trainer import OwnTrainer
from .trainer import Recipe

#: Shape of its pictures and range of their scales; see `DeviceBatches.shape`.
SHAPE = ("square", (COLOUR_PX, COLOUR_PX), (0.75, 1.25))


def device_own_recipe(seconds):
    """Few steps of many pictures: the features are there already."""
    return Recipe(
        minutes=seconds / 60, photos=64, scenes=56, clips=10, learning_rate=2.5e-3,
        warm_up_steps=40, decay_share=0.8, average=0.99, checkpoint_s=float("inf"), refresh_s=0.0,
        log_steps=50,
    )


class DeviceOwnTrainer(OwnTrainer):
    """As on a processor, on views, scenes and clips whose features are worked out at once."""

    def __init__(self, material, recipe, say):
        super().__init__(None, ".", recipe, Crew(0, 1), say)
        self.material, self.device = material, material.device
        self.network.to(self.device)
        self.average.to(self.device)
        self._link_averages()
        self.batches = DeviceBatches(material, self.device, self.rng)

    def refresh(self):
        return self.material.grow()

    def resume(self):
        """Nothing to resume; it takes minutes."""

    def save(self):
        """Nothing is written here; the moving average is handed over."""

    @torch.no_grad()
    def _batch(self, size_px):
        teachers, count = self.material.teachers, self.recipe
        large, views, _ = self.material.drawn_views.draw(count.photos)
        scenes = self.batches.draw_scenes(count.scenes, SHAPE)
        clips = self.batches.draw_clips(count.clips, SHAPE)
        drawn = torch.cat([scenes["rgb"], clips["rgb"]])
        grown = F.interpolate(drawn, (TEACHER_PX, TEACHER_PX), mode="bicubic").clamp(0, 1)
        rows = teachers.features(torch.cat([large, grown * 255]))
        inputs = teachers.inputs(rows)
        counts = (count.photos, count.scenes, count.clips)
        parts = {"photos": views, "scenes": scenes, "clips": clips}
        split = {name: value.split(counts) for name, value in inputs.items()}
        for at, part in enumerate(parts.values()):
            part |= {name: split[name][at] for name in (*TAPS, "logits")}
        views["depth"] = depth_of(views["logits"], views)
        views["wind"] = random_wind(self.rng, count.photos).to(self.device)
        small = F.interpolate(large, (COLOUR_PX, COLOUR_PX), mode="area") / 255
        wind = torch.cat([part["wind"] for part in parts.values()])
        return parts, torch.cat([small, drawn]), wind
