# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What pmpd-run says of a model on the simulated NPU.

Usage: npu_speed.py DIR
"""
import json
import subprocess
import sys


def decode(*options, bits=4):
    text = subprocess.run(
        ["pmpd-run", "-m", sys.argv[1], "-p", "Once upon a time", "-n", "20",
         "--ignore-eos", "--json", "--schedule", f"{bits}@0", *options],
        check=True, capture_output=True, text=True).stdout
    return json.loads(text)["simulated_npu"]["decode"]


by_bits = [decode(bits=bits) for bits in (4, 3, 2)]
for more, fewer in zip(by_bits, by_bits[1:]):
    for key in ("seconds", "joules_per_token", "bytes_per_token"):
        assert fewer[key] < more[key], (key, fewer[key], more[key])
print("fewer bits: faster, less energy, fewer bytes")
# A machine cannot read faster than its memory.
for run in by_bits:
    assert run["bytes_per_token"] * run["tokens"] / run["seconds"] < 34.128e9
assert decode("--npu-mode", "timing") == by_bits[0]
print("timing alone says the same")
assert decode("--npu-config", "edge")["seconds"] < by_bits[0]["seconds"]
print("edge is faster than ref")
