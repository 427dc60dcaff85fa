# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares compiled classifiers with ONNX Runtime on the same ONNX network and
the same K and V.

Usage: compare_classifier.py BUILD ORACLE NODE SCHEDULER.onnx COMPILED-DIR
"""
import glob
import os
import subprocess
import sys
import tempfile

import numpy

import pmpd

build, oracle, node, network, directory = sys.argv[1:]
here = os.path.dirname(os.path.abspath(__file__))
file = numpy.fromfile(glob.glob(os.path.join(directory, "*.pmpdw"))[0],
                      numpy.uint8)
weights = numpy.empty(file.size + 4096, numpy.uint8)
weights = weights[-weights.ctypes.data % 4096:][:file.size]
weights[:] = file
context = pmpd.Session(build, directory).desc.context
random = numpy.random.default_rng(5)
for tokens in (1, 2, 63, 200, context):
    session = pmpd.Session(build, directory)
    d = session.desc
    session.prefill(random.integers(0, d.vocab, tokens), 0)
    planes = numpy.stack([session.plane(a, tokens).astype(numpy.float32)
                          for a in session.planes(d.layers - 1)])
    pairs = sorted((d.classifiers[i].from_bits, d.classifiers[i].to_bits, i)
                   for i in range(d.classifier_count))
    actual = numpy.stack([session.classify(i, weights, tokens)
                          for _, _, i in pairs])
    with tempfile.NamedTemporaryFile() as given, \
            tempfile.NamedTemporaryFile() as out:
        planes.tofile(given.name)
        subprocess.run([node, os.path.join(here, "classifier_ort.mjs"), oracle,
                        network, str(d.kv_heads), str(tokens), str(d.head_dim),
                        given.name, out.name], check=True)
        expected = numpy.fromfile(out.name, numpy.float32).reshape(actual.shape)
    pmpd.require(f"logits after {tokens} tokens",
                 pmpd.relative_error(actual, expected), 1e-5)
