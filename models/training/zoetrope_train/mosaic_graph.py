"""The segmentation teacher as PyTorch operations, for a device that TFLite does not know.

The quantised file is read once into plain arrays (`read_graph`); the same graph
then runs in floating point (`MosaicGraph`), with every tensor held to the range
and to the steps of its 8 bits.
"""

import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


#: Largest value of an unsigned byte.
BYTE_MAX = 255
_OPERATIONS = {
    "CONV_2D": "conv", "DEPTHWISE_CONV_2D": "depthwise", "ADD": "add", "RESIZE_BILINEAR": "resize",
    "CONCATENATION": "concat", "QUANTIZE": "requantise", "AVERAGE_POOL_2D": "pool", "SPLIT": "split",
}


def read_graph(tflite_file, outputs):
    """Arrays and a description (JSON) of the part of a TFLite file that `outputs` need.

    `outputs` maps names to tensor numbers.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(tflite_file.read_bytes(), 0))
    graph = model.subgraphs[0]
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}

    def constant(number, dtype):
        tensor = graph.tensors[number]
        data = np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtype)
        return data.reshape([int(n) for n in tensor.shape])

    def steps(number):
        q = graph.tensors[number].quantization
        return [float(q.scale[0]), int(q.zeroPoint[0])]

    arrays, operations = {}, []
    for at, op in enumerate(graph.operators):
        code = model.operatorCodes[op.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        if name not in _OPERATIONS:
            break
        kind, options = _OPERATIONS[name], op.builtinOptions
        one = {"kind": kind, "inputs": [int(i) for i in op.inputs], "outputs": [int(i) for i in op.outputs]}
        if kind in ("conv", "depthwise"):
            one |= {"stride": int(options.strideW), "dilation": int(options.dilationWFactor)}
            scale, zero = steps(one["inputs"][1])
            weight = (constant(one["inputs"][1], np.uint8).astype(np.float32) - zero) * scale
            bias = constant(one["inputs"][2], np.int32) * np.float32(steps(one["inputs"][2])[0])
            arrays[f"{at}.weight"] = weight.transpose((3, 0, 1, 2) if kind == "depthwise" else (0, 3, 1, 2))
            arrays[f"{at}.bias"] = bias.astype(np.float32)
            one["inputs"] = one["inputs"][:1]
        elif kind == "resize":
            one["size"] = int(constant(one["inputs"][1], np.int32)[0])
            one["inputs"] = one["inputs"][:1]
        elif kind == "pool":
            one["window"] = int(options.filterWidth)
        elif kind == "split":
            one["inputs"] = one["inputs"][1:]
        one["steps"] = steps(one["outputs"][0])
        operations.append(one)
    description = {
        "input": int(graph.inputs[0]), "operations": operations,
        "outputs": {k: [v, *steps(v)] for k, v in outputs.items()},
    }
    return arrays, json.dumps(description)


def _same_padding(length, kernel, stride, dilation):
    """TensorFlow's SAME padding before and after."""
    reach = (kernel - 1) * dilation + 1
    total = max((-(-length // stride) - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


def _resize(x, size):
    """Bilinear by a whole factor with corners that do not meet, as TFLite's default."""
    height, width = x.shape[-2:]
    if height == size:
        return x
    padded = F.pad(x, (0, 1, 0, 1), mode="replicate")
    factor = size // height
    grown = F.interpolate(padded, (height * factor + 1, width * factor + 1), mode="bilinear",
                          align_corners=True)
    return grown[..., :size, :size]


class MosaicGraph(nn.Module):
    """Answers for squares of 512 px; see `read_graph`."""

    def __init__(self, arrays, description):
        super().__init__()
        self.graph = json.loads(description)
        for name, value in arrays.items():
            self.register_buffer(name.replace(".", "_"), torch.from_numpy(np.ascontiguousarray(value)))

    @torch.no_grad()
    def forward(self, rgb):
        """Quantised tensors [B, C, h, w] by name, as floats, of RGB [B, 3, 512, 512] in 0..255."""
        tensors = {self.graph["input"]: (rgb - 128) * (2 / BYTE_MAX)}
        for at, op in enumerate(self.graph["operations"]):
            x = [tensors[i] for i in op["inputs"]]
            results = self._run(at, op, x)
            scale, zero = op["steps"]
            for number, result in zip(op["outputs"], results, strict=True):
                tensors[number] = torch.fake_quantize_per_tensor_affine(result, scale, zero, 0, BYTE_MAX)
        return {
            name: torch.round(tensors[number] / scale) + zero
            for name, (number, scale, zero) in self.graph["outputs"].items()
        }

    def _run(self, at, op, x):
        kind = op["kind"]
        if kind in ("conv", "depthwise"):
            weight, bias = getattr(self, f"{at}_weight"), getattr(self, f"{at}_bias")
            groups = weight.shape[0] if kind == "depthwise" else 1
            down = _same_padding(x[0].shape[2], weight.shape[2], op["stride"], op["dilation"])
            across = _same_padding(x[0].shape[3], weight.shape[3], op["stride"], op["dilation"])
            field, padding = x[0], (down[0], across[0])
            if down[0] != down[1] or across[0] != across[1]:
                field, padding = F.pad(field, (*across, *down)), 0
            return [F.conv2d(field, weight, bias, op["stride"], padding, op["dilation"], groups)]
        if kind == "add":
            return [x[0] + x[1]]
        if kind == "resize":
            return [_resize(x[0], op["size"])]
        if kind == "concat":
            return [torch.cat(x, 1)]
        if kind == "pool":
            return [F.avg_pool2d(x[0], op["window"])]
        if kind == "split":
            return x[0].chunk(len(op["outputs"]), 1)
        return x
