# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads the table of pmpd-npu-time: size of code, order of times, and how busy
the memory is in decode."""
import sys

rows = [[cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in sys.stdin if line.startswith("|")]
names = rows[0]
regions = {row[0]: dict(zip(names, row)) for row in rows[2:]}
for name, region in regions.items():
    size = int(region["code bytes"])
    print(f"{name}: {'at most 8192' if size <= 8192 else size} bytes")
times = [float(regions[f"decode_b{bits}"]["ms"]) for bits in (4, 3, 2)]
if times[0] > times[1] > times[2]:
    print("fewer bits take less time")
share = min(float(regions[f"decode_b{bits}"]["% QW"])
            + float(regions[f"decode_b{bits}"]["% QK"]) for bits in (4, 3, 2))
if share >= 98:
    print("weights and cache keep the memory busy at least 98 % of the time")
else:
    print("weights and cache keep the memory busy", share, "% of the time")
