# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Logits of a model on the simulated NPU against those on the CPU, both with
16-bit activations: every precision, every way to cut a prompt, KV cache.

Usage: npu.py BUILD NPU-DIR CPU-DIR
"""
import sys

import numpy

import pmpd

build, npu, cpu = sys.argv[1:]
vocab = pmpd.Session(build, npu).desc.vocab
tokens = numpy.random.default_rng(7).integers(0, vocab, 140)
# Both use the same integers and group scales; they differ in the order of
# additions, in exp, and in where 16-bit roundings of activations and of the
# cache fall, which can differ by a unit in the last place.
BOUND = 1e-3


def logits(directory, prompt, *points):
    session = pmpd.Session(build, directory)
    session.schedule(*points)
    return session, session.run(tokens, prompt)


for prompt, points in ((70, [(4, 0)]), (1, [(3, 0)]), (139, [(2, 0)]),
                       (64, [(4, 0), (3, 20), (2, 40)])):
    session, actual = logits(npu, prompt, *points)
    reference, expected = logits(cpu, prompt, *points)
    name = f"prompt of {prompt}, " + ",".join(f"{b}@{s}" for b, s in points)
    pmpd.require(name, pmpd.relative_error(actual, expected), BOUND)
    layer = session.desc.layers - 1
    pmpd.require("  its keys", pmpd.relative_error(
        session.keys(layer, len(tokens)).astype(numpy.float32),
        reference.keys(layer, len(tokens)).astype(numpy.float32)), BOUND)

# The same instructions on one row and on many.
_, whole = logits(npu, 140, (4, 0))
_, single = logits(npu, 1, (4, 0))
print("prefill and decode:",
      "the same" if numpy.array_equal(whole, single) else "different")
