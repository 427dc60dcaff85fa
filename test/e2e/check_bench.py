# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what pmpd-bench --format json wrote.

Usage: check_bench.py FILE ROWS COLUMN,...
"""
import json
import math
import sys

path, count, columns = sys.argv[1:]
with open(path) as file:
    rows = json.load(file)
assert len(rows) == int(count), len(rows)
for row in rows:
    for column in columns.split(","):
        assert column in row, (column, row)
    for value in row.values():
        assert not isinstance(value, float) or math.isfinite(value), row
    if "us_median" in row:
        assert 0 < row["us_min"] <= row["us_median"] <= row["us_max"], row
        weights = row["rows"] * row["cols"]
        seconds = row["us_median"] * 1e-6
    if "gbps" in row:
        # Codes, and a scale and a minimum per group of 128.
        size = weights * (row["bits"] / 8 + 4 / 128)
        assert math.isclose(row["gbps"], size / seconds / 1e9, rel_tol=0.01), row
    if "gmacs" in row:
        speed = weights * row["batch"] / seconds / 1e9
        assert math.isclose(row["gmacs"], speed, rel_tol=0.01), row
    if "decode_tok_s" in row:
        low, high = row["decode_tok_s_min"], row["decode_tok_s_max"]
        assert 0 < low <= row["decode_tok_s"] <= high, row
        assert (row["prefill_tok_s"] is None) == (row["prompt_tokens"] == 0), row
if "schedule" in columns:
    size = {row["schedule"]: row["bytes_per_token"] for row in rows}
    assert size["2@0"] < size["4@0,3@3"] < size["4@0"], size
