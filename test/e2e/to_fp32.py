# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a copy of an fp16 ONNX model that computes in fp32 on the same values.

Usage: to_fp32.py IN.onnx OUT.onnx
"""
import sys

import numpy
import onnx
from onnx import TensorProto, numpy_helper

HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT


def widen(tensor):
    if tensor.data_type == HALF:
        values = numpy_helper.to_array(tensor).astype(numpy.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


model = onnx.load(sys.argv[1])
graph = model.graph
for tensor in graph.initializer:
    widen(tensor)
for value in (*graph.input, *graph.output, *graph.value_info):
    if value.type.tensor_type.elem_type == HALF:
        value.type.tensor_type.elem_type = FLOAT
for node in graph.node:
    for attribute in node.attribute:
        if attribute.HasField("t"):
            widen(attribute.t)
        if node.op_type == "Cast" and attribute.i == HALF:
            attribute.i = FLOAT
onnx.save(model, sys.argv[2])
