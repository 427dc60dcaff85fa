#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports a decoder to ONNX in the form that optimum gives it.

    export.py --checkpoint DIR/last.pt --out storybook.onnx
    export.py --random --layers 2 --hidden 64 --heads 4 --out tiny.onnx
"""
import argparse
import copy
import os
import tempfile

import onnx
import torch
from onnx import TensorProto, numpy_helper

from model import Config, LlamaForCausalLM

HALF_MAX = 65504.0


def trace(net, layers, kv_heads, head_dim, path, opset, dtype, **options):
    """torch.onnx.export of net(input_ids, attention_mask, position_ids, past).

    past is a list of (key, value), one for each layer, each [B, Hkv, P, D].
    options go to torch.onnx.export.
    """
    net = copy.deepcopy(net).to(dtype).eval()
    batch, length, past_length = 2, 3, 5
    total = past_length + length
    past = [
        tuple(torch.randn(2, batch, kv_heads, past_length, head_dim).to(dtype))
        for _ in range(layers)
    ]
    ids = torch.ones(batch, length, dtype=torch.long)
    mask = torch.ones(batch, total, dtype=torch.long)
    positions = torch.arange(past_length, total).expand(batch, length)

    caches = [f"{i}.{part}" for i in range(layers) for part in ("key", "value")]
    inputs = ["input_ids", "attention_mask", "position_ids"]
    axes = {n: {0: "batch_size", 1: "sequence_length"} for n in inputs}
    axes["logits"] = {0: "batch_size", 1: "sequence_length"}
    whole = "past_sequence_length + sequence_length"
    axes["attention_mask"] = {0: "batch_size", 1: whole}
    for c in caches:
        axes["past_key_values." + c] = {0: "batch_size", 2: "past_sequence_length"}
        axes["present." + c] = {0: "batch_size", 2: whole}
    torch.onnx.export(
        net,
        (ids, mask, positions, past),
        path,
        opset_version=opset,
        input_names=inputs + ["past_key_values." + c for c in caches],
        output_names=["logits"] + ["present." + c for c in caches],
        dynamic_axes=axes,
        **options,
    )
    return onnx.load(path)


def tensors(graph):
    """The initializers and the tensor attributes, in order."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t


def to_half(shape, values):
    """Makes a float16 model of a bfloat16 and a float32 trace of one network.

    The bfloat16 trace says which tensors are narrow and where the casts
    are (norms and rotary angles are float32, as in any half-precision model);
    the float32 trace has the exact values. PyTorch cannot run, so cannot
    trace, float16 on a CPU.
    """
    if [n.name for n in shape.graph.node] != [n.name for n in values.graph.node]:
        raise RuntimeError("expected both traces to have the same nodes")
    for narrow, wide in zip(tensors(shape.graph), tensors(values.graph)):
        if narrow.data_type == TensorProto.BFLOAT16:
            exact = numpy_helper.to_array(wide).clip(-HALF_MAX, HALF_MAX)
            half = numpy_helper.from_array(exact.astype("float16"), narrow.name)
            narrow.CopyFrom(half)
    for node in shape.graph.node:
        for attribute in node.attribute:
            is_type = node.op_type == "Cast" and attribute.name == "to"
            if is_type and attribute.i == TensorProto.BFLOAT16:
                attribute.i = TensorProto.FLOAT16
    graph = shape.graph
    for value in [*graph.input, *graph.output, *graph.value_info]:
        kind = value.type.tensor_type
        if kind.elem_type == TensorProto.BFLOAT16:
            kind.elem_type = TensorProto.FLOAT16
    return shape


def export(net, layers, kv_heads, head_dim, out, opset=17, half=True):
    """Writes net to the file `out`, in float16 or float32."""
    if half and opset < 13:
        raise ValueError(f"expected opset 13 or later for float16, but got {opset}")
    form = (layers, kv_heads, head_dim)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        model = trace(net, *form, path, opset, torch.float32)
        if half:
            narrow = trace(net, *form, path, opset, torch.bfloat16)
            model = to_half(narrow, model)
    onnx.checker.check_model(model)
    onnx.save(model, out + ".tmp")
    os.replace(out + ".tmp", out)
    print(f"{out}: {len(model.graph.node)} nodes, opset {opset}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", help="a file written by train.py")
    source.add_argument("--random", action="store_true", help="random weights")
    sizes = parser.add_argument_group("sizes, for --random")
    for name, default in vars(Config()).items():
        option = "--" + name.replace("_", "-")
        sizes.add_argument(option, type=type(default), default=default)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, help="the .onnx file to write")
    parser.add_argument("--opset", type=int, default=17)
    width = parser.add_mutually_exclusive_group()
    width.add_argument("--fp16", action="store_true", help="the default")
    width.add_argument("--fp32", action="store_true")
    args = parser.parse_args()

    if args.random:
        torch.manual_seed(args.seed)
        config = Config(**{name: getattr(args, name) for name in vars(Config())})
        net = LlamaForCausalLM(config)
        for name, p in net.named_parameters():
            # Away from 1, so that a lost norm shows.
            if "norm" in name:
                torch.nn.init.normal_(p, mean=1.0, std=0.1)
        torch.nn.init.normal_(net.lm_head.weight, std=config.hidden**-0.5)
    else:
        state = torch.load(args.checkpoint, map_location="cpu")
        config = Config(**state["config"])
        net = LlamaForCausalLM(config)
        net.load_state_dict(state["model"])
    form = (config.layers, config.kv_heads, config.head_dim)
    export(net, *form, args.out, args.opset, not args.fp32)


if __name__ == "__main__":
    main()
