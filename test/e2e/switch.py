# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a switch of precision in mid-generation does and does not change.

Usage: switch.py BUILD COMPILED-DIR
"""
import sys

import numpy

import pmpd

build, directory = sys.argv[1:]
tokens = numpy.random.default_rng(5).integers(0, 4096, 90)
prompt = 70  # more than one call of the prefill region


def same(name, a, b):
    print(f"{name}: {'the same' if numpy.array_equal(a, b) else 'different'}")
    if not numpy.array_equal(a, b):
        raise SystemExit(1)


def run(points, threads=2):
    session = pmpd.Session(build, directory, threads)
    session.schedule(*points)
    rows = [session.prefill(tokens[:prompt])]
    bits = []
    for token in tokens[prompt:]:
        logits, used = session.decode(token)
        rows.append(logits[None])
        bits.append(used)
    return session, numpy.concatenate(rows), bits


switching, logits, bits = run([(4, 0), (3, 6), (2, 12)])
# The first decode step chooses token 1.
assert bits == [4] * 5 + [3] * 6 + [2] * 9, bits

# Every step set by hand at the bits that the schedule used.
manual = pmpd.Session(build, directory)
rows = [manual.prefill(tokens[:prompt])]
for token, b in zip(tokens[prompt:], bits):
    manual.schedule((b, 0))
    rows.append(manual.decode(token)[0][None])
same("a switch and a run at those bits", logits, numpy.concatenate(rows))

# A switch rewrites nothing: what was in the cache before it stays.
steady, _, _ = run([(4, 0)])
before = prompt + 5
for layer in range(switching.desc.layers):
    same(f"keys before the switch, layer {layer}", switching.keys(layer, before),
         steady.keys(layer, before))

for threads in (1, 3):
    same(f"2 threads and {threads}", logits, run([(4, 0), (3, 6), (2, 12)], threads)[1])

# Prefill in chunks, and with logits of fewer rows, is the same computation.
session = pmpd.Session(build, directory)
same("logits of the last rows", session.prefill(tokens[:prompt], 3),
     logits[prompt - 3:prompt])
session = pmpd.Session(build, directory)
session.prefill(tokens[:10], 0)
same("prefill in two parts", session.prefill(tokens[10:prompt]), logits[10:prompt])

# Going back and on again.
session, _, _ = run([(4, 0), (3, 6), (2, 12)])
session.truncate(prompt)
session.schedule((4, 0), (3, 6), (2, 12))
same("after truncation", session.decode(tokens[prompt])[0], logits[prompt])
