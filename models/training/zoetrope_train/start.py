"""Start a training from an exported network instead of from random weights.

An exported file has its batch normalisation folded away.  It is put back so
that the network answers as the file does and yet can be trained: every layer
is given the mean and spread that its own outputs have on a batch of pictures.
The adapters, which are never exported, are fitted by least squares.  Layers that
the file does not have begin as they are built, which is to add nothing.
"""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

from .adapters import Adapters
from .labels import teacher_probabilities
from .network import ConvBn, MotionNetwork

#: Ridge of the least squares, as a share of the features' mean power.
RIDGE = 1e-2
#: Least probability whose logarithm is fitted.
PROBABILITY_MIN = 1e-3


def start_from(path, network, adapters, batch, log=print):
    """Give `network` the weights of the file at `path`, and fit `adapters` to it.

    `batch` holds photos that stand for the training material, teacher's features included.
    The head that multiplies motion is trained last, and says nothing until then.
    """
    with torch.no_grad():
        weights = weights_in(path)
        _load(weights, network)
        raw = _calibrated(network, weights, batch)
        _fit(adapters, raw, batch)
    network.vigour.say_nothing()
    new = sum(f"{name}.0.weight" not in weights for name in _normalised(network))
    log(f"started from {path}, which lacks {new} layers")


def network_of(weights, batch):
    """The network that answers as a file with these weights does."""
    network = MotionNetwork()
    with torch.no_grad():
        _load(weights, network)
        _calibrated(network, weights, batch)
    return network


def state_of(path):
    """The state of the network that answers as the file does, for heads that are trained alone.

    A head that the file lacks has normalisations which take their spread from its own batches.
    """
    anything = {"rgb": torch.rand(2, 3, 64, 64), "wind": torch.zeros(2, 2)}
    return network_of(weights_in(path), anything).state_dict()


def weights_in(path):
    """The weights of an exported file by name."""
    return {
        tensor.name: _single(torch.from_numpy(numpy_helper.to_array(tensor).copy()))
        for tensor in onnx.load(str(path)).graph.initializer
    }


def _single(tensor):
    """Weights that the file keeps in half precision in single precision."""
    return tensor.float() if tensor.dtype.is_floating_point else tensor


def _normalised(network):
    """All convolutions with a normalisation, by name."""
    return {name: module for name, module in network.named_modules() if isinstance(module, ConvBn)}


def _load(weights, network):
    """Copy the folded weights; a layer's bias waits in its normalisation."""
    normalised = _normalised(network)
    for name, module in normalised.items():
        if f"{name}.0.weight" in weights:
            module[0].weight.copy_(weights[f"{name}.0.weight"])
            module[1].bias.copy_(weights[f"{name}.0.bias"])
    for name, parameter in network.named_parameters():
        if name in weights and not any(name.startswith(f"{layer}.") for layer in normalised):
            parameter.copy_(weights[name].view_as(parameter))


def _calibrated(network, weights, batch):
    """Set every normalisation from what reaches it; the raw answers to the batch."""

    def measure(norm, inputs):
        variance, mean = torch.var_mean(inputs[0].float(), (0, 2, 3), correction=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)

    def set_from(norm, inputs):
        measure(norm, inputs)
        norm.weight.copy_(torch.sqrt(norm.running_var + norm.eps))
        norm.bias.add_(norm.running_mean)

    handles = [
        module[1].register_forward_pre_hook(set_from if f"{name}.0.weight" in weights else measure)
        for name, module in _normalised(network).items()
    ]
    network.eval()
    raw = network.raw(batch["rgb"].contiguous(memory_format=torch.channels_last), batch["wind"])
    network.train()
    for handle in handles:
        handle.remove()
    return raw


def _fit(adapters, raw, batch):
    targets = {name: (adapters.maps[name], raw[tap[0]], batch[name])
               for name, tap in Adapters.TAPS.items()}
    ade = teacher_probabilities(batch["logits"])
    log_p = torch.log(ade.clamp(min=PROBABILITY_MIN))
    targets["ade"] = (adapters.ade, raw["y2"], log_p)
    targets["coarse"] = (adapters.coarse, raw["y4"], F.avg_pool2d(log_p, 4))
    for conv, x, y in targets.values():
        x, y = (t.permute(0, 2, 3, 1).flatten(0, 2).double().cpu().numpy() for t in (x, y))
        mean_x, mean_y = x.mean(0), y.mean(0)
        x, y = x - mean_x, y - mean_y
        power = x.T @ x
        power += np.eye(len(power)) * RIDGE * np.trace(power) / len(power)
        slope = np.linalg.solve(power, x.T @ y)
        conv.weight.copy_(torch.from_numpy(slope.T).float()[:, :, None, None])
        conv.bias.copy_(torch.from_numpy(mean_y - mean_x @ slope).float())
