# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares a compiled storybook model with NumPy on its dequantized weights.

Usage: compare_numpy.py BUILD COMPILED-DIR BOUND
"""
import sys

import numpy

import decoder
import pmpd
import weights

build, directory, bound = sys.argv[1], sys.argv[2], float(sys.argv[3])
stored = weights.Weights(f"{directory}/storybook.pmpdw")
tokens = numpy.random.default_rng(3).integers(0, 4096, 20)
prompt = 12
for bits in (4, 3, 2):
    session = pmpd.Session(build, directory)
    session.schedule((bits, 0))
    actual = session.run(tokens, prompt)
    d = session.desc
    model = decoder.Llama(stored, d.layers, d.heads, d.kv_heads, 1e-5)
    # The prompt is read at 4 bits whatever decodes after it.
    expected = numpy.concatenate([model.forward(tokens[:prompt], 4)] +
                                 [model.forward(t[None], bits) for t in tokens[prompt:]])
    for phase, rows in (("prefill", slice(0, prompt)), ("decode", slice(prompt, None))):
        pmpd.require(f"{phase}, {bits} bits",
                     pmpd.relative_error(actual[rows], expected[rows]), bound)
