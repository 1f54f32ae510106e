"""Start a training from an exported network instead of from random weights.

An exported file has its batch normalisation folded away.  It is put back so
that the network answers as the file does and yet can be trained: every layer
is given the mean and spread that its own outputs have on a batch of pictures.
The adapters, which are never exported, are fitted by least squares.
"""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

from .labels import teacher_probabilities
from .network import Adapters, ConvBn, MotionNetwork

#: Ridge of the least squares, as a share of the features' mean power.
RIDGE = 1e-2
#: Least probability whose logarithm is fitted.
PROBABILITY_MIN = 1e-3


def start_from(path, network, adapters, batch, log=print):
    """Give `network` the weights of the file at `path`, and fit `adapters` to it.

    `batch` holds photos that stand for the training material, teacher's features included.
    """
    with torch.no_grad():
        _load(weights_in(path), network)
        raw = _calibrated(network, batch)
        _fit(adapters, raw, batch)
    log(f"started from {path}")


def network_of(weights, batch):
    """The network that answers as a file with these weights does."""
    network = MotionNetwork()
    with torch.no_grad():
        _load(weights, network)
        _calibrated(network, batch)
    return network


def weights_in(path):
    """The weights of an exported file by name."""
    return {
        tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for tensor in onnx.load(str(path)).graph.initializer
    }


def _load(weights, network):
    """Copy the folded weights; a layer's bias waits in its normalisation."""
    normalised = {
        name: module for name, module in network.named_modules() if isinstance(module, ConvBn)
    }
    for name, module in normalised.items():
        module[0].weight.copy_(weights[f"{name}.0.weight"])
        module[1].bias.copy_(weights[f"{name}.0.bias"])
    for name, parameter in network.named_parameters():
        if not any(name.startswith(f"{layer}.") for layer in normalised):
            parameter.copy_(weights[name].view_as(parameter))


def _calibrated(network, batch):
    """Set every normalisation from what reaches it; the raw answers to the batch."""

    def set_from(norm, inputs):
        x = inputs[0].float()
        variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(torch.sqrt(variance + norm.eps))
        norm.bias.add_(mean)

    norms = [m[1] for m in network.modules() if isinstance(m, ConvBn)]
    handles = [norm.register_forward_pre_hook(set_from) for norm in norms]
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
