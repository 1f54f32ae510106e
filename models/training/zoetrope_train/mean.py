"""The weighted mean of networks that were trained from one another.

Such a mean forgets less of the first than the last does, and has learnt fewer
photos by heart (Wortsman et al., Robust fine-tuning of zero-shot models, 2022).
"""

import numpy as np

from .batches import FeatureScale, PhotoBatches
from .photo_cache import read_photo_cache
from .start import network_of, weights_in
from .trainer import START_PICTURES, START_PX


def mean_network(data_dir, work_dir, files, shares):
    """The mean of exported networks, ready to be exported; `shares` sum up to 1."""
    held = [weights_in(file) for file in files]
    for file, one in zip(files, held, strict=True):
        if foreign := one.keys() ^ held[0].keys():
            raise ValueError(f"{file} is not built as {files[0]}: {sorted(foreign)[:3]}")
    weights = {
        name: sum(share * one[name] for share, one in zip(shares, held, strict=True))
        if value.dtype.is_floating_point else value
        for name, value in held[0].items()
    }
    cache = read_photo_cache(data_dir, work_dir)
    batches = PhotoBatches(cache, None, None, FeatureScale.of(cache), np.random.RandomState(2))
    return network_of(weights, batches.draw(START_PICTURES, START_PX)).eval()
