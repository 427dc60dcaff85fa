# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_trace.py TRACE: what a trace of two threads must say."""
import json
import sys

trace = json.load(open(sys.argv[1]))["traceEvents"]
events = [e for e in trace if e["ph"] == "X"]
regions = sorted((e for e in events if e["cat"] == "region"),
                 key=lambda e: e["ts"])
kernels = [e for e in events if e["cat"] == "kernel"]
print("regions:", *(e["name"].replace(" ", "-") for e in regions))
print("threads:", len({e["tid"] for e in kernels}))

slack = 0.01  # microseconds, for the printed digits
outside = [e["name"] for e in kernels if not any(
    r["ts"] - slack <= e["ts"] and
    e["ts"] + e["dur"] <= r["ts"] + r["dur"] + slack for r in regions)]
print("kernels outside of regions:", len(outside))
overlaps = 0
for thread in {e["tid"] for e in kernels}:
    own = sorted((e for e in kernels if e["tid"] == thread),
                 key=lambda e: e["ts"])
    overlaps += sum(a["ts"] + a["dur"] > b["ts"] + slack
                    for a, b in zip(own, own[1:]))
print("overlaps in a thread:", overlaps)

# One launch for query, key and value: 16, 8 and 8 panels of 16 rows.
joined = [e for e in kernels if e["name"].count("linear_s_b2") == 3]
print("tasks of joined launches at 2 bits, per decode step:",
      sum(e["args"]["tasks"] for e in joined) /
      sum(r["name"] == "decode 2 bits" for r in regions))
