"""Both teachers on a device: what they say of views."""

import numpy as np
import torch
import torch.nn.functional as F

from .batches import TAPS, FeatureScale
from .device_store import COLOUR_PX, VIEW_PX
from .labels import class_targets, teacher_probabilities, without_people
from .mosaic_graph import MosaicGraph
from .photo_cache import INDOOR, OUTDOOR
from .precision import halved_where_fast
from .teach import answers_of, shrunk_spectra
from .teachers import MOSAIC_TENSORS

#: Smallest spread of a channel by which features are divided, in the teacher's steps.
SPREAD_MIN = 0.5


def pooled(name, value):
    """A tensor of the segmentation teacher on the grid on which it is learnt from."""
    pooling = MOSAIC_TENSORS[name][1]
    return F.avg_pool2d(value, pooling) if pooling > 1 else value


def _bytes(value):
    return (value * 255).round().clamp(0, 255).to(torch.uint8)


class Teachers:
    """The segmentation teacher of a pack, the scale of its features, and our own once it is trained."""

    def __init__(self, file, device):
        with np.load(file) as arrays:
            held = dict(arrays)
        mosaic = {k.removeprefix("mosaic/"): v.astype(np.float32)
                  for k, v in held.items() if k.startswith("mosaic/")}
        self._half = torch.float16 if device.type == "cuda" else torch.float32
        self.mosaic = MosaicGraph(mosaic, str(held["graph"])).to(device, self._half)
        self.scale = self.own = None

    @torch.no_grad()
    def features(self, large):
        """The segmentation teacher's tensors by name, unpooled but the logits, of pictures in 0..255."""
        seen = self.mosaic(large.to(self._half))
        rows = {name: seen[name].float() for name in TAPS}
        rows["logits"] = pooled("logits", seen["logits"].float())
        return rows

    def measure(self, rows):
        """Take the scale of the features from those of some views."""
        taps = {name: pooled(name, rows[name]) for name in TAPS}
        self.scale = FeatureScale(
            {name: tap.mean((0, 2, 3), keepdim=True) for name, tap in taps.items()},
            {name: tap.std((0, 2, 3), keepdim=True) + SPREAD_MIN for name, tap in taps.items()},
        )

    def inputs(self, rows):
        """What our own teacher sees of features, by name."""
        taps = {name: self.scale.scaled(name, pooled(name, rows[name])) for name in TAPS}
        return taps | {"logits": rows["logits"]}

    @torch.no_grad()
    def label(self, large, told):
        """View arrays of pictures [B, 3, 512, 512] in 0..255; see `Views.draw`."""
        rows = self.features(large)
        classes, trust = class_targets(told | {"logits": rows["logits"]})
        small = F.interpolate(large, (COLOUR_PX, COLOUR_PX), mode="area") / 255
        with halved_where_fast(large.device.type):
            p, mobility, flows, spectra, light = answers_of(self.own, self.inputs(rows), small)
        known = without_people(p.float(), told["is_petal"], told["is_still_life"])
        rows = {name: value.round().to(torch.uint8) for name, value in rows.items()}
        return rows | {
            "rgb": F.interpolate(large, (VIEW_PX, VIEW_PX), mode="bilinear", antialias=True)
            .round().clamp(0, 255).to(torch.uint8),
            "classes": _bytes(classes),
            "trust": _bytes(trust),
            "depth": _bytes(depth_of(rows["logits"], told)),
            "taught_classes": _bytes(known),
            "taught_mobility": _bytes(mobility.float()),
            "taught_light": _bytes(light.float()),
            "taught_flow": torch.stack(flows, 1).half(),
            "taught_spectrum": torch.stack(shrunk_spectra(spectra), 1).half(),
        }


def depth_of(logits, told):
    """Depth [B, 1, h, w], outdoor or indoor by how much of a view looks like either."""
    area = teacher_probabilities(logits).mean((2, 3))
    outdoor, indoor = area[:, OUTDOOR].sum(1), area[:, INDOOR].sum(1)
    share = (outdoor / (outdoor + indoor + 1e-6)).view(-1, 1, 1, 1)
    return torch.lerp(told["depth_indoor"], told["depth_outdoor"], share)
