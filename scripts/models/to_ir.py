"""An ONNX graph as OpenVINO's own files, which are mapped into memory rather than read: to_ir.py IN.onnx OUT.xml

Matrices that were 4-bit blocks before the graph spelt them out are kept as such, each value in a byte, so that OpenVINO may
multiply them as integers. No number changes: a matrix that blocks do not give to the last bit stays as it is.
"""
import sys

import numpy as np
import openvino
from openvino import opset13 as operations

BLOCK = 32  # values of a row that share one scale


def blocks_of(matrix):
    """Values -8 to 7 as [rows, blocks, 32] and their scales, if the matrix is exactly that. The value that is furthest from
    zero is -8."""
    if matrix.shape[1] % BLOCK:
        return None
    values = matrix.reshape(len(matrix), -1, BLOCK)
    furthest = np.take_along_axis(values, np.abs(values).argmax(axis=2, keepdims=True), axis=2)
    scales = (furthest / -8).astype(np.float16)
    divisors = np.where(scales == 0, 1, scales).astype(np.float32)
    whole = np.rint(values / divisors)
    is_same = np.array_equal(whole * scales.astype(np.float32), values)
    return (whole.astype(np.int8), scales) if is_same and whole.min() >= -8 and whole.max() <= 7 else None


def keep_blocks(model):
    for product in model.get_ordered_ops():
        if product.get_type_name() != "MatMul" or product.input_value(1).get_node().get_type_name() != "Constant":
            continue
        matrix = product.input_value(1).get_node().get_data().T
        found = blocks_of(matrix) if matrix.ndim == 2 else None
        if found is None:
            continue
        name, (values, scales) = product.get_friendly_name(), found
        steps = operations.convert(operations.constant(values, name=name + "/values"), "f16", name=name + "/wide")
        steps = operations.multiply(steps, operations.constant(scales, name=name + "/scales"), name=name + "/scaled")
        shape = operations.constant(np.array(matrix.shape, np.int64), name=name + "/shape")
        steps = operations.reshape(steps, shape, False, name=name + "/rows")
        steps = operations.convert(steps, "f32", name=name + "/matrix")
        kept = operations.matmul(product.input_value(0), steps, False, True, name=name + "/blocks")
        product.output(0).replace(kept.output(0))


graph = openvino.Core().read_model(sys.argv[1])
keep_blocks(graph)
openvino.save_model(graph, sys.argv[2], compress_to_fp16=False)
