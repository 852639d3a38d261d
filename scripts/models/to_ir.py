"""An ONNX graph as OpenVINO's own files, which are mapped into memory rather than read: to_ir.py IN.onnx OUT.xml"""
import sys

import openvino

openvino.save_model(openvino.Core().read_model(sys.argv[1]), sys.argv[2], compress_to_fp16=False)
