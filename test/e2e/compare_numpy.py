# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares a compiled Llama, with or without norms of the heads of queries and
keys, with NumPy on its dequantized weights.

Usage: compare_numpy.py BUILD COMPILED-DIR BOUND [EPS]
"""
import glob
import sys

import numpy

import decoder
import pmpd
import weights

build, directory, bound = sys.argv[1], sys.argv[2], float(sys.argv[3])
eps = float(sys.argv[4]) if len(sys.argv) > 4 else 1e-5
[path] = glob.glob(f"{directory}/*.pmpdw")
stored = weights.Weights(path)
vocab = pmpd.Session(build, directory).desc.vocab
tokens = numpy.random.default_rng(3).integers(0, vocab, 20)
prompt = 12
for bits in (4, 3, 2):
    session = pmpd.Session(build, directory)
    session.schedule((bits, 0))
    actual = session.run(tokens, prompt)
    d = session.desc
    model = decoder.Llama(stored, d.layers, d.heads, d.kv_heads, eps)
    # The prompt is read at 4 bits whatever decodes after it.
    expected = numpy.concatenate([model.forward(tokens[:prompt], 4)] +
                                 [model.forward(t[None], bits) for t in tokens[prompt:]])
    for phase, rows in (("prefill", slice(0, prompt)), ("decode", slice(prompt, None))):
        pmpd.require(f"{phase}, {bits} bits",
                     pmpd.relative_error(actual[rows], expected[rows]), bound)
