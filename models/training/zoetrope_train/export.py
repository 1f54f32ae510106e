"""ONNX file, its description, and the proof that both runtimes agree."""

import copy
import hashlib
import json
import time
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .classes import CLASSES
from .network import HARMONICS, STYLE_LENGTH, ConvBn, MotionNetwork

#: Input sizes of the product, (width, height) in pixels.
PROFILES = ((384, 224), (224, 384), (288, 288))
OPSET = 17
PARAMETERS_MAX = 3_000_000
DIFFERENCE_MAX = 1e-4
#: Weights from this size on are kept in half precision.
HALVED_MIN = 256
#: Cells of the grid at which other engines are compared.
CHECK_CELLS = 12
OPERATORS = {
    "Add", "AveragePool", "Cast", "Clip", "Concat", "Constant", "Conv", "Div", "Gemm",
    "GlobalAveragePool", "HardSigmoid", "HardSwish", "MatMul", "Max", "MaxPool",
    "Min", "Mul", "Neg", "ReduceSum", "Relu", "Reshape", "Resize", "Sigmoid",
    "Slice", "Softmax", "Split", "Sqrt", "Sub", "Transpose", "Unsqueeze", "Identity",
}  # fmt: skip


def folded(network):
    """A copy with every batch normalisation folded into its convolution."""
    copied = copy.deepcopy(network).float().eval()

    def fold(module):
        for child in module.children():
            if isinstance(child, ConvBn):
                child[0] = fuse_conv_bn_eval(child[0], child[1])
                child[1] = nn.Identity()
            else:
                fold(child)

    fold(copied)
    return copied.to(memory_format=torch.contiguous_format)


def example_inputs(width, height, seed):
    """Plausible inputs of one profile, as float32 tensors by name."""
    g = torch.Generator().manual_seed(seed)
    h, w = height, width
    hints = torch.zeros(1, 4, h, w)
    hints[:, 0, : h // 2, : w // 3] = 0.6
    hints[:, 1, : h // 2, : w // 3] = -0.8
    hints[:, 2, : h // 2, : w // 3] = 0.7
    hints[:, 3, h // 2 :, : w // 4] = -1.0
    hints[:, 3, h // 2 :, w // 2 :] = 1.0
    angle = torch.rand(1, 1, h // 4, w // 4, generator=g) * 6.28
    turns = torch.rand(HARMONICS, generator=g) * 6.28
    phasors = torch.stack([turns.cos(), turns.sin()], 1).reshape(-1)
    style = torch.cat(
        [torch.tensor([0.8, 0.5, -0.2]), phasors, torch.rand(len(CLASSES), generator=g) * 2]
    )
    return {
        "rgb": torch.rand(1, 3, h, w, generator=g),
        "hints": hints,
        "noise": torch.cat([angle.cos(), angle.sin()], 1),
        "style": style[None],
    }


def _session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])


def rounded(network):
    """The same with every weight that is kept in half precision rounded to it."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.numel() >= HALVED_MIN:
                parameter.copy_(parameter.half())
    return network


def _halve(graph):
    """Keep large weights in half precision: a cast, which engines do once, brings each back."""
    casts = []
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype != np.float32 or value.size < HALVED_MIN:
            continue
        single = f"{tensor.name}.single"
        for node in graph.node:
            node.input[:] = [single if name == tensor.name else name for name in node.input]
        tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float16), tensor.name))
        casts.append(helper.make_node("Cast", [tensor.name], [single], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def write_onnx(network, path):
    """Write the folded network with symbolic height and width."""
    net = rounded(folded(network))
    width, height = PROFILES[0]
    inputs = example_inputs(width, height, seed=0)
    spatial = {2: "height", 3: "width"}
    quarter = {2: "quarter_height", 3: "quarter_width"}
    axes = {"rgb": spatial, "hints": spatial, "noise": quarter}
    axes |= {name: quarter for name in MotionNetwork.OUTPUTS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            tuple(inputs.values()),
            str(path),
            input_names=list(MotionNetwork.INPUTS),
            output_names=list(MotionNetwork.OUTPUTS),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    model.doc_string, model.producer_version = "", ""
    for node in model.graph.node:
        node.doc_string = ""
    _halve(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return net


def verify(net, path, log=print):
    """Compare PyTorch with ONNX Runtime at every profile; count and time."""
    model = onnx.load(str(path))
    foreign = {n.op_type for n in model.graph.node} - OPERATORS
    if foreign:
        raise ValueError(f"operators outside the agreed list: {sorted(foreign)}")
    count = sum(p.numel() for p in net.parameters())
    if count > PARAMETERS_MAX:
        raise ValueError(f"{count} parameters, limit {PARAMETERS_MAX}")
    session = _session(path)
    for width, height in PROFILES:
        inputs = example_inputs(width, height, seed=width)
        with torch.inference_mode():
            expected = net(*inputs.values())
        feed = {k: v.numpy() for k, v in inputs.items()}
        answers = session.run(None, feed)
        worst = max(
            float(np.abs(a - e.numpy()).max()) for a, e in zip(answers, expected, strict=True)
        )
        times = []
        for _ in range(10):
            start = time.perf_counter()
            session.run(None, feed)
            times.append(time.perf_counter() - start)
        log(
            f"{width}x{height}: max difference {worst:.2e}, "
            f"{1e3 * float(np.median(times)):.1f} ms on one thread"
        )
        if worst > DIFFERENCE_MAX:
            raise ValueError(f"difference {worst} at {width}x{height}, limit {DIFFERENCE_MAX}")
    log(f"{count} parameters, {Path(path).stat().st_size / 2**20:.2f} MiB")


def write_description(path, version):
    """`motion.toml` beside the network: what a reader must know to run it."""
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    names = ", ".join(f'"{c}"' for c in CLASSES)
    profiles = ", ".join(f"[{w}, {h}]" for w, h in PROFILES)
    text = f'''name = "motion"
version = "{version}"
file = "{Path(path).name}"
sha256 = "{digest}"
licence = "MIT OR Apache-2.0"
classes = [{names}]
profiles = [{profiles}]
stride = 4
harmonics = {HARMONICS}
reference_period_s = 4.0
style_length = {STYLE_LENGTH}
normalisation = "rgb is sRGB 0..1; everything else happens inside the network"
'''
    Path(path).with_suffix(".toml").write_text(text, encoding="utf-8")


def check_inputs(width, height):
    """Inputs that any language computes exactly alike, as float32 arrays by name.

    `tests/it/network.rs` has the same formulas.
    """
    y, x = np.mgrid[:height, :width]
    qy, qx = np.mgrid[: height // 4, : width // 4]
    rgb = np.stack([(13 * x + 7 * y + 50 * c) % 256 for c in range(3)])
    hints = np.zeros((4, height, width))
    hints[:3, : height // 2, : width // 3] = np.array([0.6, -0.8, 0.7]).reshape(3, 1, 1)
    hints[3, height // 2 :, : width // 4] = -1
    hints[3, height // 2 :, width // 2 :] = 1
    odd = (qx + qy) % 2 == 1
    noise = np.stack([np.where(odd, 0.6, 1.0), np.where(odd, 0.8, 0.0)])
    gains = [(5 + c) / 10 for c in range(len(CLASSES))]
    style = np.array([0.8, 0.5, -0.2, *([0.6, 0.8] * HARMONICS), *gains])
    feed = {"rgb": np.float32(rgb) / np.float32(255), "hints": hints, "noise": noise, "style": style}
    return {k: np.float32(v)[None] for k, v in feed.items()}


def write_check(path):
    """`motion.check.json` beside the network: ONNX Runtime's answers at some cells.

    Per profile and output one row per cell (x, y), one value per channel; classes are
    logits.  The product's own engine is held against them.
    """
    session, answers = _session(path), {}
    for width, height in PROFILES:
        outputs = session.run(None, check_inputs(width, height))
        cells = [(37 * k % (width // 4), 53 * k % (height // 4)) for k in range(CHECK_CELLS)]
        rows = {
            name: [[round(float(v), 6) for v in output[0, :, y, x]] for x, y in cells]
            for name, output in zip(MotionNetwork.OUTPUTS, outputs, strict=True)
        }
        answers[f"{width}x{height}"] = {"cells": cells, **rows}
    text = json.dumps(answers, separators=(",", ":"))
    Path(path).with_suffix(".check.json").write_text(text + "\n", encoding="utf-8")


def export(network, path, version, log=print):
    """Write, verify and describe; the old file stays until the new one is good."""
    path = Path(path)
    temporary = path.with_suffix(".partial.onnx")
    net = write_onnx(network, temporary)
    try:
        verify(net, temporary, log)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    write_description(path, version)
    write_check(path)
