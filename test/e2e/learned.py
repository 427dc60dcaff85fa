# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A learned scheduler with random weights, and whether a compiled model follows
what PyTorch says of its own K and V.

Usage: learned.py STORYBOOK-FOLDER OUT.onnx
       learned.py STORYBOOK-FOLDER --check BUILD COMPILED-DIR
"""
import math
import sys

import numpy
import torch

sys.path.insert(0, sys.argv[1])
import scheduler

HEADS, HEAD_DIM, T = 4, 32, 12


def classifiers():
    torch.manual_seed(4)
    made = {}
    for pair in ((4, 3), (3, 2)):
        made[pair] = scheduler.Classifier(HEADS, HEAD_DIM).eval()
        with torch.no_grad():  # or all prompts would be of one class
            made[pair].query *= 8
            made[pair].head[-1].weight *= 30
    return made


def check(build, directory):
    import pmpd
    random = numpy.random.default_rng(9)
    seen = set()
    for tokens in (1, 2, 5, 63, 64, 65, 130, 200, 300):
        session = pmpd.Session(build, directory)
        session.set_scheduler(f"learned:T={T}")
        session.prefill(random.integers(0, session.desc.vocab, tokens), 0)
        planes = [torch.from_numpy(session.plane(address, tokens).astype("f4"))
                  for address in session.planes(session.desc.layers - 1)]
        until = {}  # first token after each of the higher bits
        classes = []
        for (high, _), one in classifiers().items():
            with torch.no_grad():
                classes.append(one(*(p[None] for p in planes)).argmax().item())
            until[high] = T * classes[-1] // 3 if classes[-1] < 3 else math.inf
        expected = [next((b for b in (4, 3) if i < until[b]), 2)
                    for i in range(1, T)]
        actual = [session.decode(7)[1] for _ in expected]
        print(f"{tokens} tokens: classes {classes}, bits {actual}")
        if actual != expected:
            raise SystemExit(f"expected {expected}")
        seen.add(tuple(classes))
    if len(seen) < 4:
        raise SystemExit(f"only the classes {seen}, which says little")


if sys.argv[2] == "--check":
    check(*sys.argv[3:])
else:
    scheduler.export(classifiers(), HEADS, HEAD_DIM, sys.argv[2])
