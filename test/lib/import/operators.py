#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the test cases of the ONNX project for the operators named.

Each becomes FOLDER/CASE.onnx, whose graph inputs are initializers and whose
outputs are the computed values followed by the expected ones.
"""
import os
import sys

import numpy as np

# The test cases use names that NumPy has dropped.
np.float, np.bool, np.object = float, bool, object
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

SUPPORTED = {
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT8,
    TensorProto.UINT8, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL,
}  # fmt: skip
# What a decoder's masks and tables never do.
# Not of inference, or different on purpose: casts between floats do not round.
SKIPPED = ("test_training_dropout", "test_cast_DOUBLE_to_FLOAT16", "test_cast_FLOAT_to_FLOAT16")


def convert(case, folder):
    model = case.model
    inputs, outputs = case.data_sets[0]
    graph = model.graph
    types = [i.type.tensor_type.elem_type for i in [*graph.input, *graph.output]]
    if len(graph.node) != 1 or not set(types) <= SUPPORTED:
        return False
    if any(not isinstance(a, np.ndarray | np.generic) for a in [*inputs, *outputs]):
        return False
    for info, value in zip(list(graph.input), inputs):
        value = np.asarray(value)
        graph.initializer.append(numpy_helper.from_array(value, info.name))
    del graph.input[:]
    # A case says since when its operator is as it is.
    opset = model.opset_import[0]
    opset.version = max(opset.version, 11)
    for i, value in enumerate(outputs):
        value = np.asarray(value)
        name = f"expected.{i}"
        graph.initializer.append(numpy_helper.from_array(value, name))
        element = graph.output[i].type.tensor_type.elem_type
        graph.output.append(helper.make_tensor_value_info(name, element, value.shape))
    with open(os.path.join(folder, case.name + ".onnx"), "wb") as file:
        file.write(model.SerializeToString())
    return True


def main():
    folder, operators = sys.argv[1], set(sys.argv[2:])
    os.makedirs(folder, exist_ok=True)
    count = 0
    for case in collect_testcases(""):
        if case.model is None or case.name.startswith(SKIPPED):
            continue
        nodes = case.model.graph.node
        if nodes and nodes[0].op_type in operators and not nodes[0].domain:
            count += convert(case, folder)
    print(f"{count} cases")


if __name__ == "__main__":
    main()
