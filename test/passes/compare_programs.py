# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares regions in the output of pmpd-objdump with the first one named:
the same instructions in the same places, but for the fields that say how many
bits of a weight to read and where they are."""
import collections
import re
import sys

ALLOWED = {"bpmv": {"bits", "sw"}, "mmq": {"bits", "sw"},
           "ld": {"cnt1", "imm64", "local"}}


def region(lines, name):
    start = lines.index(f'; region "{name}"')
    end = next((i for i in range(start + 1, len(lines))
                if not lines[i].startswith(("  ", ";  "))), len(lines))
    return [line.split() for line in lines[start + 1:end]
            if not line.strip().startswith(";")]


def fields(words):
    return dict(word.split("=", 1) for word in words[1:])


lines = open(sys.argv[1]).read().split("\n")
first = region(lines, sys.argv[2])
for name in sys.argv[3:]:
    other = region(lines, name)
    assert len(first) == len(other) > 50, (len(first), len(other))
    differing = collections.Counter()
    for a, b in zip(first, other):
        assert a[0] == b[0], (a, b)
        x, y = fields(a), fields(b)
        changed = {key for key in x.keys() | y.keys()
                   if x.get(key) != y.get(key)}
        op = re.match(r"\w+", a[0]).group()
        assert changed <= ALLOWED.get(op, set()), (a, b)
        differing[op] += bool(changed)
    print(f"{name}:", ", ".join(f"{op} {differing[op]}"
                                for op in sorted(differing) if differing[op]))
