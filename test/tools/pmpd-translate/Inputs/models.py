# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes small models: models.py KIND OPSET FILE."""
import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def axes_nodes(opset):
    """Operators whose attributes became inputs in opsets 13 and 18."""
    integers = {"axes": [1], "split": [1, 3], "last": [-1]}
    weights = [
        numpy_helper.from_array(np.array(value, np.int64), name)
        for name, value in integers.items()
    ]
    used = set()

    def make(op, inputs, outputs, since, key, value, **rest):
        if opset >= since:
            used.add(value)
            return helper.make_node(op, [*inputs, value], outputs, op, **rest)
        return helper.make_node(op, inputs, outputs, op, **{key: integers[value]}, **rest)

    count = {"num_outputs": 2} if opset >= 18 else {}
    nodes = [
        make("Unsqueeze", ["x"], ["wide"], 13, "axes", "axes"),
        make("Squeeze", ["wide"], ["back"], 13, "axes", "axes"),
        make("ReduceSum", ["back"], ["sum"], 13, "axes", "last", keepdims=1),
        make("ReduceMean", ["back"], ["mean"], 18, "axes", "last", keepdims=1),
        make("Split", ["back"], ["left", "right"], 13, "split", "split", axis=1),
        helper.make_node("Split", ["back"], ["a", "b"], "Halves", axis=1, **count),
        helper.make_node("Softmax", ["right"], ["y"], "Softmax", axis=-1),
    ]
    return nodes, [w for w in weights if w.name in used], ["x"], ["y"]


def softmax_nodes(opset):
    """A softmax over all but the first axis, before opset 13."""
    return [helper.make_node("Softmax", ["x"], ["y"], "/s/Softmax", axis=0)], [], ["x"], ["y"]


def branch_nodes(opset):
    """A branch on whether there is a past, and one on a constant."""

    def branch(name, op):
        node = helper.make_node(op, ["x"], ["inner"], name)
        info = helper.make_tensor_value_info("inner", FLOAT, ["r", 4])
        return helper.make_graph([node], name, [], [info])

    def choose(condition, output):
        return helper.make_node(
            "If", [condition], [output], output,
            then_branch=branch("then", "Sin"), else_branch=branch("else", "Cos"),
        )  # fmt: skip

    always = numpy_helper.from_array(np.array(False), "always")
    nodes = [
        choose("use_cache_branch", "cached"),
        choose("always", "other"),
        helper.make_node("IsNaN", ["cached"], ["strange"], "IsNaN"),
        choose("strange", "unknown"),
        helper.make_node("Add", ["cached", "other"], ["y"], "Add"),
    ]
    return nodes, [always], ["x", "use_cache_branch"], ["y", "unknown"]


KINDS = {"axes": axes_nodes, "softmax": softmax_nodes, "branch": branch_nodes}


def main():
    kind, opset, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    nodes, weights, inputs, outputs = KINDS[kind](opset)
    infos = {
        "x": helper.make_tensor_value_info("x", FLOAT, ["rows-1", 4]),
        "use_cache_branch": helper.make_tensor_value_info(
            "use_cache_branch", TensorProto.BOOL, [1]
        ),
    }
    graph = helper.make_graph(
        nodes, "g", [infos[name] for name in inputs],
        [helper.make_tensor_value_info(name, FLOAT, ["r", 4]) for name in outputs],
        weights,
    )  # fmt: skip
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    if opset <= 17:  # the newest that Debian's onnx knows
        checker.check_model(model)
    with open(path, "wb") as file:
        file.write(model.SerializeToString())


if __name__ == "__main__":
    main()
