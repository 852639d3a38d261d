"""An ONNX graph in the making, as both converters write it."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Nodes and constants; every method gives the name of its result.

    The graph's inputs are input_ids and attention_mask, int64 [batch, length]; its output `embedding`, float32
    [batch, width].
    """

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, name, value):
        self.constants.setdefault(name, np.ascontiguousarray(value))
        return name

    def integers(self, *values):
        return self.constant("i_" + "_".join(map(str, values)), np.array(values, np.int64))

    def number(self, value):
        return self.constant(f"f_{value:.9g}", np.float32(value))

    def node(self, kind, *inputs, out=None, **attributes):
        name = out or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def save(self, name, width, path):
        inputs = [helper.make_tensor_value_info(value, TensorProto.INT64, ["batch", "length"])
                  for value in ("input_ids", "attention_mask")]
        output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])
        constants = [numpy_helper.from_array(value, key) for key, value in self.constants.items()]
        whole = helper.make_graph(self.nodes, name, inputs, [output], constants)
        onnx.save(helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
