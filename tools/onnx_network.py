"""The packaged encoder's network in ONNX, written from its weights with some products in 8 bits.

What a token becomes depends on its own text alone, bit by bit, and not on what runs beside it:
activations are scaled per token, sums of integers are exact, and no other operator used here adds
up in an order that depends on the number of texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

LONGEST = 256
"""Tokens of a text that are read, as the published model does."""

HEADS, LAYERS, EPSILON = 12, 6, 1e-12

ROUNDED = (0, 3, 5)
"""Layers whose queries, keys and values are rounded: the others', and the feed-forward's second
product anywhere, cost most accuracy."""

SHIFT = 0.5
"""How much of the channels' unevenness the rounded weights take over from the activations."""

CONTRIBUTED = {"BiasGelu", "MatMulIntegerToFloat", "MultiHeadAttention"}
"""ONNX Runtime's own operators."""


class Network:
    """BERT with mean pooling and unit length: ids (texts, tokens) of one length to vectors.

    `inputs` names the tensors that enter the products worth rounding. With `peaks`, the largest
    values of these by channel, the products are taken in 8 bits; without, everything is fp32.
    """

    def __init__(
        self, weights: Mapping[str, np.ndarray], peaks: Mapping[str, Any] | None = None
    ) -> None:
        self._weights, self._peaks = weights, peaks
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self.inputs: dict[str, str] = {}
        self._write()

    def model(self, show: Iterable[str] = ()) -> Any:
        """The ONNX model; its outputs are "vectors" and the tensors named in `show`."""
        from onnx import TensorProto, helper

        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            for name in ("vectors", *show)
        ]
        graph = helper.make_graph(self._nodes, "encoder", [ids], outputs, self._constants)
        domains = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=domains, ir_version=8)

    def _write(self) -> None:
        words = self._constant(self._weight("embeddings.word_embeddings"))
        places = self._weight("embeddings.position_embeddings")[:LONGEST]
        places = self._constant(places + self._weight("embeddings.token_type_embeddings")[0])
        length = self._add("Shape", "ids", start=1, end=2)
        zero = self._constant(np.array([0]))
        places = self._add("Slice", places, zero, length)
        x = self._add("Add", self._add("Gather", words, "ids"), places)
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            x = self._layer(x, layer)
        # A mean as a product: ReduceMean adds up in another order when texts run together.
        ones = self._constant(np.ones((1, LONGEST), dtype=np.float32))
        ones = self._add("Slice", ones, zero, length, self._constant(np.array([1])))
        total = self._add("Squeeze", self._add("MatMul", ones, x), self._constant(np.array([1])))
        self._add("LpNormalization", total, names=["vectors"], axis=-1, p=2)

    def _layer(self, x: str, layer: int) -> str:
        at = f"encoder.layer.{layer}."
        heads = [f"{at}attention.self.{part}" for part in ("query", "key", "value")]
        joint = self._product(x, *heads) if layer in ROUNDED else self._exact(x, *heads)
        joint = self._add("Add", joint, self._bias(*heads))
        three = [f"{at}{part}" for part in ("query", "key", "value")]
        self._add("Split", joint, names=three, axis=-1)
        seen = self._add("MultiHeadAttention", *three, num_heads=HEADS)
        after = f"{at}attention.output."
        seen = self._add("Add", self._product(seen, after + "dense"), self._bias(after + "dense"))
        x = self._norm(self._add("Add", x, seen), after + "LayerNorm")
        inner = self._product(x, f"{at}intermediate.dense")
        inner = self._add("BiasGelu", inner, self._bias(f"{at}intermediate.dense"))
        outer = self._exact(inner, f"{at}output.dense")
        outer = self._add("Add", outer, self._bias(f"{at}output.dense"))
        return self._norm(self._add("Add", x, outer), f"{at}output.LayerNorm")

    def _exact(self, x: str, *names: str) -> str:
        return self._add("MatMul", x, self._constant(self._weight(*names).T))

    def _product(self, x: str, *names: str) -> str:
        """x (..., i) times the joined weights (o, i), in 8 bits where the peaks are known."""
        self.inputs[names[0]] = x
        if self._peaks is None:
            return self._exact(x, *names)
        weight = self._weight(*names)
        # Large channels would take the others' precision: the weights take over part of them.
        even = self._peaks[names[0]] ** SHIFT / np.abs(weight).max(axis=0) ** (1 - SHIFT)
        weight = weight * even
        x = self._add("Mul", x, self._constant(1 / even))
        largest = self._add("ReduceMax", self._add("Abs", x), axes=[-1])
        step = self._add("Mul", largest, self._constant(np.float32(1 / 127)))
        one, zero = self._constant(np.float32(1)), self._constant(np.uint8(128))
        whole = self._add("QuantizeLinear", self._add("Div", x, step), one, zero)
        steps = np.abs(weight).max(axis=1) / 127
        whole_weight = self._constant(np.rint(weight.T / steps).astype(np.int8))
        product = self._add(
            "MatMulIntegerToFloat", whole, whole_weight, one, self._constant(steps), zero
        )
        return self._add("Mul", product, step)

    def _norm(self, x: str, name: str) -> str:
        scale, bias = self._constant(self._weight(name)), self._bias(name)
        return self._add("LayerNormalization", x, scale, bias, epsilon=EPSILON)

    def _weight(self, *names: str) -> np.ndarray:
        return np.concatenate([self._weights[f"{name}.weight"] for name in names])

    def _bias(self, *names: str) -> str:
        return self._constant(np.concatenate([self._weights[f"{name}.bias"] for name in names]))

    def _constant(self, value: np.ndarray | np.generic) -> str:
        from onnx import numpy_helper

        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _add(self, op: str, *inputs: str, names: Sequence[str] = (), **attributes: Any) -> str:
        """Adds a node and gives the name of its (first) output."""
        from onnx import helper

        names = names or [f"{op}{len(self._nodes)}"]
        domain = "com.microsoft" if op in CONTRIBUTED else ""
        self._nodes.append(helper.make_node(op, inputs, names, domain=domain, **attributes))
        return names[0]
