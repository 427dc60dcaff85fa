#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a Llama-shaped ONNX model of any size with random fp16 weights.

    make_llama.py --preset tinyllama-1.1b --out out/tinyllama.onnx
    make_llama.py --preset llama-7b --layers 2 --out out/two-layers.onnx
    make_llama.py --preset llama-7b --zeros --out out/shape.onnx

The weights go to external data (MODEL.onnx.data), one tensor at a time: memory
stays near the largest tensor. Such a model says nothing, but takes the time and
the memory of a trained one of its shape. With --zeros the data is a hole in the
file, which takes no space: enough to compile the code of a shape.
"""
import argparse
import os
import sys
import tempfile
from unittest import mock

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "storybook"))
from export import to_half, trace
from model import Config, LlamaForCausalLM

PRESETS = {
    "tinyllama-1.1b": dict(
        hidden=2048, layers=22, intermediate=5632, heads=32, kv_heads=4,
        head_dim=64, vocab=32000, context=2048,
    ),
    "mobilellama-1.4b": dict(
        hidden=2048, layers=24, intermediate=5632, heads=16, kv_heads=16,
        head_dim=128, vocab=32000, context=2048,
    ),
    "llama-7b": dict(
        hidden=4096, layers=32, intermediate=11008, heads=32, kv_heads=32,
        head_dim=128, vocab=32000, context=4096,
    ),
}
PAGE = 4096
BLOCK = 1 << 22  # elements drawn at a time


class Shape(LlamaForCausalLM):
    """A decoder whose parameters have a shape but no memory."""

    def __init__(self, config):
        modules = (torch.nn.Linear, torch.nn.Embedding)
        kept = [m.reset_parameters for m in modules]
        for m in modules:
            m.reset_parameters = lambda self: None
        super().__init__(config)
        for m, reset in zip(modules, kept):
            m.reset_parameters = reset
        self.to(torch.float32)

    def draw_parameters(self):
        pass

    def to(self, dtype):
        count = 0
        for module in self.modules():
            for name, p in module.named_parameters(recurse=False):
                # A value of its own, or the exporter merges equal parameters.
                count += 1
                bits = torch.tensor([0x3000 + count], dtype=torch.int16)
                hollow = bits.view(torch.bfloat16).to(dtype).expand(p.shape)
                setattr(module, name, torch.nn.Parameter(hollow, False))
        return self

    def __deepcopy__(self, memo):
        return self


def keep_hollow(clone=torch.Tensor.clone):
    """Tensor.clone that gives no memory to what has none."""
    return lambda x, **options: x if 0 in x.stride() else clone(x, **options)


def hollow_graph(config, opset):
    """The model without weights; they are inputs of the graph."""
    net = Shape(config)
    form = (config.layers, config.kv_heads, config.head_dim)
    # The tracer copies all parameters for a result that nobody reads, and shape
    # inference to read their shapes.
    hollow = mock.patch.object(torch.Tensor, "clone", keep_hollow())
    name = "_jit_pass_onnx_graph_shape_type_inference"
    infer = getattr(torch._C, name)
    shapes = mock.patch.object(
        torch._C, name, lambda graph, params, version: infer(graph, {}, version)
    )
    with tempfile.TemporaryDirectory() as folder, hollow, shapes:
        path = os.path.join(folder, "model.onnx")
        options = dict(export_params=False, do_constant_folding=False)
        model = trace(net, *form, path, opset, torch.float32, **options)
        narrow = trace(net, *form, path, opset, torch.bfloat16, **options)
    return to_half(narrow, model), dict(net.named_parameters())


def draw(random, shape, data):
    """Appends random values of a parameter."""
    # Rows of unit length keep activations of any depth finite.
    scale, center = (0.1, 1.0) if len(shape) == 1 else (shape[-1] ** -0.5, 0.0)
    count = shape.numel()
    for begin in range(0, count, BLOCK):
        part = random.standard_normal(min(BLOCK, count - begin), dtype=np.float32)
        (part * scale + center).astype(np.float16).tofile(data)


def write_weights(model, parameters, path, seed):
    """Makes every parameter an initializer of the graph: drawn, or zeros but for
    its first value where the seed is None."""
    random = None if seed is None else np.random.default_rng(seed)
    graph = model.graph
    weights = [i for i in graph.input if i.name in parameters]
    written = 0
    with open(path, "wb") as data:
        for number, value in enumerate(weights):
            shape = parameters[value.name].shape
            offset = -(-data.tell() // PAGE) * PAGE
            data.seek(offset)
            count = shape.numel()
            if random:
                draw(random, shape, data)
            else:
                # A value of its own, or equal weights are taken for one.
                np.array([number + 1], dtype=np.float16).tofile(data)
                data.truncate(offset + count * 2)
                data.seek(0, os.SEEK_END)
            tensor = graph.initializer.add(
                name=value.name,
                data_type=TensorProto.FLOAT16,
                dims=list(shape),
                data_location=TensorProto.EXTERNAL,
            )
            for key, text in (
                ("location", os.path.basename(path).removesuffix(".tmp")),
                ("offset", str(offset)),
                ("length", str(count * 2)),
            ):
                tensor.external_data.add(key=key, value=text)
            written += count
            if sys.stderr.isatty():
                print(f"\r{number + 1}/{len(weights)} weights", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    for value in weights:
        graph.input.remove(value)
    return written


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="sizes that are given replace the preset's",
    )
    parser.add_argument("--preset", choices=sorted(PRESETS))
    for name, default in vars(Config()).items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default))
    parser.add_argument("--opset", type=int, default=17)
    values = parser.add_mutually_exclusive_group()
    values.add_argument("--seed", type=int, default=1)
    values.add_argument(
        "--zeros", action="store_true", help="zeros but for a weight's first value"
    )
    parser.add_argument("--out", required=True, help="the .onnx file to write")
    args = parser.parse_args()

    sizes = dict(PRESETS.get(args.preset, {}))
    for name in vars(Config()):
        if getattr(args, name) is not None:
            sizes[name] = getattr(args, name)
    model, parameters = hollow_graph(Config(**sizes), args.opset)
    os.makedirs(os.path.dirname(os.path.abspath(args.out)), exist_ok=True)
    data = args.out + ".data"
    seed = None if args.zeros else args.seed
    count = write_weights(model, parameters, data + ".tmp", seed)
    onnx.save(model, args.out + ".tmp")
    os.replace(data + ".tmp", data)
    os.replace(args.out + ".tmp", args.out)
    print(f"{args.out}: {count / 1e6:.1f} M parameters")


if __name__ == "__main__":
    main()
