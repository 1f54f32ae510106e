"""Ask our own large teacher about every photo.

Its answers for a photo and for the photo's mirror image are averaged.  Of
flames one thing is known beforehand and need not be guessed: they rise.
"""

import numpy as np
import torch

from .batches import TAPS, FeatureScale
from .classes import INDEX
from .crew import run_crew
from .own_trainer import trained_own_teacher
from .photo_cache import read_photo_cache
from .precision import halved_where_fast
from .taught_cache import (
    GRID,
    SPECTRUM_GRID,
    WINDS,
    finish_taught_cache,
    make_taught_cache,
    open_taught_cache,
)

#: Fewer than 16 pictures take PyTorch's slow path for 1x1 convolutions on one thread.
BATCH = 16
#: Mirrored lengths: x of the flow and of every harmonic changes sign.
_FLOW_SIDE = torch.tensor([-1.0, 1.0]).view(1, 2, 1, 1)
#: Probabilities of fire between which its flow is turned upwards.
FLAME = (0.3, 0.6)
#: Slowest flame, in widths per second: between the first quartile and the median of clips.
FLAME_SPEED_MIN = 0.1


def answers_of(network, taps, rgb):
    """Mean answers of the large teacher about pictures and their mirror images.

    Classes [B, 10, h, w] and mobility [B, 1, h, w]; flow and spectrum in a list per wind;
    the mean light [B, 1, h, w].
    """
    flipped = {name: tap.flip(-1) for name, tap in taps.items()}
    views = [network.seen(taps, rgb), network.seen(flipped, rgb.flip(-1))]
    logits = [network.classes(y2) for _, y2 in views]

    def both(values):
        return (values[0] + values[1].flip(-1)) / 2

    p = both([z.softmax(1) for z in logits])
    mobility = both([torch.sigmoid(network.mobility(y2)) for _, y2 in views])
    flows, spectra, lights = [], [], []
    for x, y in WINDS:
        moves = [
            network.moves(y3, y2, z, rgb.new_tensor([[side * x, y]]).expand(len(rgb), 2))
            for (y3, y2), z, side in zip(views, logits, (1, -1), strict=True)
        ]
        flows.append((moves[0]["flow"] + moves[1]["flow"].flip(-1) * _FLOW_SIDE.to(rgb)) / 2)
        spectra.append(_same_size(moves[0]["spectrum"], moves[1]["spectrum"].flip(-1)))
        lights.append(both([m["light"] for m in moves]))
    flows = [_risen(flow, p[:, INDEX["fire"]].unsqueeze(1)) for flow in flows]
    return p, mobility, flows, spectra, torch.stack(lights).mean(0)


def _risen(flow, fire):
    """The flow [B, 2, h, w] turned upwards where `fire` [B, 1, h, w] is probable."""
    low, high = FLAME
    share = ((fire - low) / (high - low)).clamp(0, 1)
    speed = flow.norm(dim=1, keepdim=True).clamp(min=FLAME_SPEED_MIN)
    return flow * (1 - share) + torch.cat([torch.zeros_like(speed), -speed], 1) * share


def _same_size(spectrum, mirrored):
    """The first spectrum with the mean of both sizes; their phases have nothing in common."""
    sizes = [torch.hypot(s[:, 0::2], s[:, 1::2]) for s in (spectrum, mirrored)]
    gain = (sizes[0] + sizes[1]) / (2 * sizes[0] + 1e-8)
    return spectrum * gain.clamp(0, 4).repeat_interleave(2, 1)


def shrunk_spectra(fields):
    """Spectra as the cache keeps them: at half the grid."""
    return [torch.nn.functional.avg_pool2d(f, GRID // SPECTRUM_GRID) for f in fields]


def write_taught_cache(data_dir, work_dir, processes, log=print):
    """Ask about every photo that is trained on, in `processes` processes; starts over each time."""
    count = len(read_photo_cache(data_dir, work_dir))
    make_taught_cache(work_dir, count)
    run_crew(processes, _teach, (data_dir, work_dir))
    finish_taught_cache(work_dir, count)
    log(f"taught {count} photos")


def _teach(crew, data_dir, work_dir):
    """One process's share of the photos."""
    photos = read_photo_cache(data_dir, work_dir)
    network = trained_own_teacher(work_dir)
    scale = FeatureScale.of(photos)
    taught = open_taught_cache(work_dir, "r+")
    asked = [i for i, photo in enumerate(photos.photos) if not photo.is_test]
    for start in range(crew.rank * BATCH, len(asked), crew.size * BATCH):
        rows = asked[start : start + BATCH]
        inputs = {
            name: torch.from_numpy(photos.arrays[name][rows]).permute(0, 3, 1, 2).float()
            for name in (*TAPS, "logits", "rgb")
        }
        scale.apply(inputs)
        with torch.no_grad(), halved_where_fast():
            p, mobility, flows, spectra, light = answers_of(network, inputs, inputs["rgb"] / 255)
        for name, value in (
            ("classes", np.rint(255 * p.float().permute(0, 2, 3, 1).numpy())),
            ("mobility", np.rint(255 * mobility[:, 0].float().numpy())),
            ("light", np.rint(255 * light[:, 0].float().clamp(0, 1).numpy())),
            ("flow", torch.stack(flows, 1).float().permute(0, 1, 3, 4, 2).numpy()),
            ("spectrum", torch.stack(shrunk_spectra(spectra), 1).float().permute(0, 1, 3, 4, 2).numpy()),
        ):
            taught[f"taught_{name}"][rows] = value
    for array in taught.values():
        array.flush()
