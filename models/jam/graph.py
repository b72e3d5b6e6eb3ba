"""A soloist's weights as an ONNX graph of few, large operators, in full precision or with 8-bit weights.

    model = onnx_model(weights, config, "int8")       # bytes for onnxruntime; weights as network.state_dict() names them

Inputs: words int64[1, t], those beside them int64[1, t, 2] (models/jam/harmony.py), last int32[1] (words read after these, minus 1), total int32[1] (the same, plus 1), and each
layer's keys and values [1, heads, context, width / heads]. Outputs: logits [1, t, TABLE], and the keys and values with the
new ones written in: given the same memory for both, nothing is ever copied. Rotation, memory and attention are one
operator, and 8-bit weights are in blocks of 32 with a scale each, so that a product's error stays local.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.jam.config import NORM_EPSILON, ROTARY_BASE, JamConfig
from models.jam.vocabulary import TABLE

Precision = Literal["fp32", "int8"]
Weights = Mapping[str, NDArray[np.float32]]
BLOCK, ZERO = 32, 128
MICROSOFT = "com.microsoft"
EIGHT_BIT_PRODUCTS = 4
"""MatMulNBits' accuracy level: the other factor is rounded to 8 bits as well."""


def onnx_model(weights: Weights, config: JamConfig, precision: Precision) -> bytes:
    """Write the graph that reads words, one or many, after those that its memory holds."""
    writer = _Writer(weights, config, precision)
    graph = helper.make_graph(writer.nodes, "jam", writer.inputs, writer.outputs, writer.constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def memories(config: JamConfig) -> list[str]:
    """Name the keys and values of every layer."""
    return [f"{kind}{layer}" for layer in range(config.layers) for kind in ("keys", "values")]


def memory_shape(config: JamConfig) -> tuple[int, int, int, int]:
    return (1, config.heads, config.context, config.width // config.heads)


class _Writer:
    """Writes node after node; a name stands for what a node gives."""

    def __init__(self, weights: Weights, config: JamConfig, precision: Precision) -> None:
        self.weights, self.config, self.precision = weights, config, precision
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        told: dict[str, Any] = {"words": (TensorProto.INT64, [1, "t"]), "beside": (TensorProto.INT64, [1, "t", 2])}
        told |= dict.fromkeys(("last", "total"), (TensorProto.INT32, [1]))
        self.inputs = [helper.make_tensor_value_info(name, *kind) for name, kind in told.items()]
        self.outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "t", TABLE])]
        for name in memories(config):
            kind = (TensorProto.FLOAT, memory_shape(config))
            self.inputs.append(helper.make_tensor_value_info(f"{name}_before", *kind))
            self.outputs.append(helper.make_tensor_value_info(f"{name}_after", *kind))
        self.write()

    def write(self) -> None:
        half = self.config.width // self.config.heads // 2
        angles = np.arange(self.config.context)[:, None] * ROTARY_BASE ** (-np.arange(half) / half)
        self.constant("cos", np.cos(angles))
        self.constant("sin", np.sin(angles))
        embedding = self.constant("embedding", self.weight("model.embed_tokens"))
        words, beside = (self.node("Gather", embedding, told) for told in ("words", "beside"))
        axis = self.constant("beside_axis", np.array([2]), np.int64)
        stream = self.node("Add", words, self.node("ReduceSum", beside, axis, keepdims=0))
        heard = self.node(
            "SimplifiedLayerNormalization",
            stream,
            self.norm("model.layers.0.input_layernorm"),
            axis=-1,
            epsilon=NORM_EPSILON,
            stash_type=1,
        )
        for layer in range(self.config.layers):
            block = f"model.layers.{layer}"
            after = f"model.layers.{layer + 1}.input_layernorm" if layer + 1 < self.config.layers else "model.norm"
            attended = self.attention(heard, block, layer)
            heard, stream = self.added(attended, stream, f"{block}.post_attention_layernorm")
            heard, stream = self.added(self.feed_forward(heard, block), stream, after)
        self.nodes.append(helper.make_node("Identity", [self.product(heard, "lm_head")], ["logits"]))

    def attention(self, heard: str, block: str, layer: int) -> str:
        packed = self.product(heard, *(f"{block}.self_attn.{part}_proj" for part in "qkv"))
        before = [f"keys{layer}_before", f"values{layer}_before", "last", "total", "cos", "sin"]
        outputs = [f"attended{layer}", f"keys{layer}_after", f"values{layer}_after"]
        heads = self.config.heads
        self.nodes.append(
            helper.make_node(
                "GroupQueryAttention", [packed, "", "", *before], outputs,
                domain=MICROSOFT, num_heads=heads, kv_num_heads=heads, do_rotary=1,
            )
        )  # fmt: skip
        return self.product(outputs[0], f"{block}.self_attn.o_proj")

    def feed_forward(self, heard: str, block: str) -> str:
        both = self.product(heard, f"{block}.mlp.gate_proj", f"{block}.mlp.up_proj")
        gate, up = f"{both}_gate", f"{both}_up"
        self.nodes.append(helper.make_node("Split", [both], [gate, up], axis=-1, num_outputs=2))
        opened = self.node("QuickGelu", gate, domain=MICROSOFT, alpha=1.0)
        return self.product(self.node("Mul", opened, up), f"{block}.mlp.down_proj")

    def added(self, change: str, stream: str, norm: str) -> tuple[str, str]:
        """Add to the stream, and give it normed as well."""
        heard, whole = f"{change}_heard", f"{change}_stream"
        inputs, outputs = [change, stream, self.norm(norm)], [heard, "", "", whole]
        kind = "SkipSimplifiedLayerNormalization"
        self.nodes.append(helper.make_node(kind, inputs, outputs, domain=MICROSOFT, epsilon=NORM_EPSILON))
        return heard, whole

    def product(self, heard: str, *names: str) -> str:
        """Multiply by the weights of one projection, or of several at once."""
        weight = np.concatenate([self.weight(name) for name in names])  # [out, in]
        if self.precision == "fp32":
            return self.node("MatMul", heard, self.constant(names[0], weight.T))
        rounded, scales = in_blocks(weight)
        blocks = self.constant(names[0], rounded, np.uint8), self.constant(f"{names[0]}_scales", scales)
        rows, columns = weight.shape
        return self.node(
            "MatMulNBits", heard, *blocks, domain=MICROSOFT,
            K=columns, N=rows, bits=8, block_size=BLOCK, accuracy_level=EIGHT_BIT_PRODUCTS,
        )  # fmt: skip

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], domain=domain, **attributes))
        return name

    def norm(self, name: str) -> str:
        return self.constant(name, self.weight(name))

    def weight(self, name: str) -> NDArray[np.float32]:
        return self.weights[f"llama.{name}.weight"]

    def constant(self, name: str, value: NDArray[Any], kind: Any = np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, kind), name))
        return name


def in_blocks(weight: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round weights [out, in] to 8 bits in blocks of the inputs: [out, blocks, 32], and a scale for each block."""
    rows, columns = weight.shape
    blocks = np.pad(weight, ((0, 0), (0, -columns % BLOCK))).reshape(rows, -1, BLOCK)
    scales = np.maximum(np.abs(blocks).max(-1) / (ZERO - 1), np.finfo(np.float32).tiny)
    return (np.round(blocks / scales[..., None]) + ZERO).astype(np.uint8), scales
