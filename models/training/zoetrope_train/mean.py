"""The weighted mean of networks that were trained from one another.

`python -m zoetrope_train.mean --data DIR --work DIR --out FILE.onnx A.onnx 0.5 B.onnx 0.5`

Such a mean forgets less of the first than the last does, and has learnt fewer
photos by heart (Wortsman et al., Robust fine-tuning of zero-shot models, 2022).
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from .batches import FeatureScale, PhotoBatches
from .console import log
from .photo_cache import read_photo_cache
from .start import network_of, weights_in
from .trainer import START_PICTURES, START_PX


def mean_of(files, weights):
    """The weights of the mean by name, folded as they are in the files."""
    held = [weights_in(file) for file in files]
    return {
        name: sum(w * one[name] for w, one in zip(weights, held, strict=True))
        if value.dtype.is_floating_point else value
        for name, value in held[0].items()
    }


def main():
    parser = argparse.ArgumentParser(description="Write the weighted mean of exported networks.")
    parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.tsv")
    parser.add_argument("--work", type=Path, required=True, help="folder with the caches")
    parser.add_argument("--out", type=Path, required=True, help="FILE.onnx to write")
    parser.add_argument("--version", default="0.1.0", help="version of the mean")
    parser.add_argument("networks", nargs="+", metavar="FILE.onnx WEIGHT")
    options = parser.parse_args()
    files, weights = options.networks[::2], [float(w) for w in options.networks[1::2]]
    if len(files) != len(weights) or abs(sum(weights) - 1) > 1e-6:
        parser.error("every network needs a weight, and the weights must sum up to 1")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from .export import export

    cache = read_photo_cache(options.data, options.work)
    scale = FeatureScale(cache, np.random.RandomState(1))
    batches = PhotoBatches(cache, None, None, scale, np.random.RandomState(2))
    network = network_of(mean_of(files, weights), batches.draw(START_PICTURES, START_PX))
    export(network.eval(), options.out, options.version, log)


if __name__ == "__main__":
    main()
