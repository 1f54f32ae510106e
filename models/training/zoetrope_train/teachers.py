"""The frozen networks that label photos, one thread each."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

#: Tensors of MOSAIC that are kept: name -> (tensor, pooling before caching).
MOSAIC_TENSORS = {
    "tap4": (114, 1),
    "tap8": (141, 1),
    "tap16": (154, 2),
    "tap32": (180, 4),
    "decoder": (229, 1),
    "logits": (240, 2),
}


def pool_mean(array, factor):
    """Mean over factor x factor cells of an [H, W, C] array, same dtype."""
    if factor == 1:
        return array
    h, w, c = array.shape
    cells = array.reshape(h // factor, factor, w // factor, factor, c)
    return np.rint(cells.astype(np.float32).mean((1, 3))).astype(array.dtype)


def mosaic_file(teachers_dir):
    """Where the segmentation teacher lies."""
    return Path(teachers_dir) / "mosaic" / "mosaic_soft.tflite"


class Mosaic:
    """MOSAIC R4 on ADE20K-32 with its intermediate features as outputs."""

    SIZE_PX = 512

    def __init__(self, teachers_dir):
        import flatbuffers
        from ai_edge_litert import schema_py_generated as schema
        from ai_edge_litert.interpreter import Interpreter

        path = mosaic_file(teachers_dir)
        model = schema.ModelT.InitFromObj(
            schema.Model.GetRootAsModel(path.read_bytes(), 0)
        )
        tensors = [tensor for tensor, _ in MOSAIC_TENSORS.values()]
        model.subgraphs[0].outputs = np.array(tensors, np.int32)
        model.signatureDefs = []
        builder = flatbuffers.Builder(1 << 22)
        builder.Finish(model.Pack(builder), b"TFL3")
        self._net = Interpreter(model_content=bytes(builder.Output()), num_threads=1)
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._outputs = [d["index"] for d in self._net.get_output_details()]

    def __call__(self, rgb_512):
        """Quantised uint8 arrays [h, w, C] by name, pooled as declared."""
        self._net.set_tensor(self._input, np.ascontiguousarray(rgb_512[None]))
        self._net.invoke()
        return {
            name: pool_mean(self._net.get_tensor(index)[0], pooling)
            for (name, (_, pooling)), index in zip(
                MOSAIC_TENSORS.items(), self._outputs, strict=True
            )
        }


class Meter:
    """METER-XXS depth, outdoor and indoor, as one relative depth 0 near..1 far."""

    WIDTH_PX, HEIGHT_PX = 256, 192

    def __init__(self, teachers_dir):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._nets = [
            onnxruntime.InferenceSession(
                str(Path(teachers_dir) / "depth" / f"meter_xxs_{name}.onnx"), options
            )
            for name in ("kitti", "nyu")
        ]

    def __call__(self, rgb, outdoor):
        """Depth [64, 64] of a photo; `outdoor` 0..1 blends the two networks."""
        outside, inside = self.answers(rgb)
        blend = outdoor * outside + (1 - outdoor) * inside
        return cv2.resize(blend, (64, 64), interpolation=cv2.INTER_LINEAR)

    def answers(self, rgb):
        """Depth [48, 64] of a photo taken outdoors and of one taken indoors.

        Each is stretched between its 2nd and 98th percentile, since neither network
        knows metres on photos of other cameras.
        """
        size = (self.WIDTH_PX, self.HEIGHT_PX)
        x = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        x = np.ascontiguousarray(x.transpose(2, 0, 1)[None].astype(np.float32) / 255)
        answers = []
        for net in self._nets:
            depth = net.run(None, {net.get_inputs()[0].name: x})[0][0, 0]
            low, high = np.percentile(depth, (2, 98))
            answers.append(np.clip((depth - low) / (high - low + 1e-6), 0, 1))
        return answers
