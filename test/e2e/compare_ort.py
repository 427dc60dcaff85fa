# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares a compiled model with ONNX Runtime on the same ONNX model.

Usage: compare_ort.py BUILD ORACLE NODE MODEL.onnx COMPILED-DIR
"""
import os
import subprocess
import sys
import tempfile

import numpy

import pmpd

build, oracle, node, model, directory = sys.argv[1:]
here = os.path.dirname(os.path.abspath(__file__))
vocab = pmpd.Session(build, directory).desc.vocab
random = numpy.random.default_rng(7)
# Prompts around the 64 rows of a prefill call, then decode with past.
for prompt, total in ((1, 6), (7, 9), (64, 66), (65, 68), (150, 153)):
    tokens = random.integers(0, vocab, total)
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run([node, os.path.join(here, "ort.mjs"), oracle, model,
                        str(prompt), ",".join(map(str, tokens)), out.name],
                       check=True)
        expected = numpy.fromfile(out.name, numpy.float32).reshape(total, vocab)
    actual = pmpd.Session(build, directory).run(tokens, prompt)
    for phase, rows in (("prefill", slice(0, prompt)), ("decode", slice(prompt, None))):
        error = pmpd.relative_error(actual[rows], expected[rows])
        pmpd.require(f"{phase} of {prompt} + {total - prompt}", error, 1e-3)
