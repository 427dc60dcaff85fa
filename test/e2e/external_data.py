# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes variants of an ONNX model. Usage: external_data.py IN.onnx FOLDER"""
import os
import sys

import onnx

source, folder = sys.argv[1:]


def save(name, change=lambda model: None):
    os.makedirs(os.path.join(folder, name), exist_ok=True)
    model = onnx.load(source)
    onnx.save_model(model, os.path.join(folder, name, "model.onnx"),
                    save_as_external_data=True, location="weights.bin",
                    size_threshold=1024)
    model = onnx.load(os.path.join(folder, name, "model.onnx"),
                      load_external_data=False)
    change(model)
    onnx.save(model, os.path.join(folder, name, "model.onnx"))


def entry(model, key):
    for tensor in model.graph.initializer:
        for item in tensor.external_data:
            if item.key == key:
                return item
    raise KeyError(key)


def outside(model):
    entry(model, "offset").value = str(1 << 40)


def elsewhere(model):
    entry(model, "location").value = "../weights.bin"


def unsupported(model):
    nodes = [n for n in model.graph.node if n.op_type == "Softmax"]
    for node in nodes[:2]:
        node.op_type = "LpNormalization"


save("good")
save("outside", outside)
save("elsewhere", elsewhere)
save("missing")
os.remove(os.path.join(folder, "missing", "weights.bin"))
save("unsupported", unsupported)
