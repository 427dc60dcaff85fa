# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes samples as pmpd-tune --scheduler-data does, whose classes follow from
the values: a scheduler can learn them.

Usage: make_samples.py OUT COUNT SEED
"""
import json
import sys

import numpy

out, count, seed = sys.argv[1], *map(int, sys.argv[2:])
heads, head_dim = 4, 8
random = numpy.random.default_rng(seed)
with open(out, "w", encoding="utf-8") as lines, open(out + ".kv", "wb") as kv:
    setting = {"format": "pmpd-scheduler-data", "bits": [4, 3, 2],
               "element": "float16", "heads": heads, "head_dim": head_dim}
    lines.write(json.dumps(setting) + "\n")
    for _ in range(count):
        tokens = int(random.integers(4, 20))
        planes = random.normal(size=(2, heads, tokens, head_dim))
        classes = random.integers(0, 4, 2)
        for channel, chosen in enumerate(classes):
            planes[1, :, :, channel] += 1.5 * chosen - 2.2
        scores = [[0.1 + 0.1 * (c >= chosen) for c in range(3)]
                  for chosen in classes]
        line = {"at": kv.tell(), "tokens": tokens,
                "labels": {"4_3": int(classes[0]), "3_2": int(classes[1])},
                "rouge": {"4": 0.2, "4_3": scores[0], "3_2": scores[1]}}
        lines.write(json.dumps(line) + "\n")
        kv.write(planes.astype("f2").tobytes())
