#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where the time of a decode step goes: a table and a picture of traces that
`pmpd-run --trace FILE` wrote.

Times are those of the calling thread, medians over the decode steps of a
precision; what it did not spend in kernels it spent on starting them and on
waiting for the other threads.
"""
import argparse
import json
import statistics
import sys
from pathlib import Path

KINDS = {  # by the beginning of a kernel's name
    "linear": ("linear layers", "#4477aa"),
    "attention": ("attention", "#ee6677"),
    "": ("norms, rotations, activations, quantization", "#ccbb44"),
}
WAIT = ("starting kernels, waiting for threads", "#bbbbbb")


def kind_of(name):
    return next(KINDS[prefix] for prefix in KINDS if name.startswith(prefix))


def steps_of(trace):
    """{bits: [{kind: microseconds}]}, of decode steps."""
    events = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    regions = [e for e in events if e["cat"] == "region"
               and e["name"].startswith("decode")]
    callers = {e["tid"] for e in regions}
    kernels = iter(sorted((e for e in events if e["cat"] == "kernel"
                           and e["tid"] in callers), key=lambda e: e["ts"]))
    steps = {}
    kernel = next(kernels, None)
    for region in sorted(regions, key=lambda e: e["ts"]):
        end = region["ts"] + region["dur"]
        step = dict.fromkeys([*KINDS.values(), WAIT], 0.0)
        while kernel and kernel["ts"] < region["ts"]:
            kernel = next(kernels, None)
        while kernel and kernel["ts"] < end:
            step[kind_of(kernel["name"])] += kernel["dur"]
            kernel = next(kernels, None)
        step[WAIT] = region["dur"] - sum(step.values())
        steps.setdefault(region["args"]["bits"], []).append(
            (step, region["args"]["weight_bytes"]))
    return steps


def table(medians):
    bits = sorted(medians, reverse=True)
    print("| part of a decode step | " +
          " | ".join(f"{b} bits, ms | share" for b in bits) + " |")
    print("|---|" + "---|" * 2 * len(bits))
    totals = {b: sum(medians[b][0].values()) for b in bits}
    for kind in medians[bits[0]][0]:
        cells = (f"{medians[b][0][kind] / 1e3:.3f} | "
                 f"{medians[b][0][kind] / totals[b]:.1%}" for b in bits)
        print(f"| {kind[0]} | " + " | ".join(cells) + " |")
    print("| all | " + " | ".join(f"{totals[b] / 1e3:.3f} | 100 %"
                                  for b in bits) + " |")
    print("| weights read, GB/s | " + " | ".join(
        f"{medians[b][1] / totals[b] / 1e3:.1f} |" for b in bits) + " |")


def picture(medians, path):
    bits = sorted(medians, reverse=True)
    totals = [sum(medians[b][0].values()) for b in bits]
    width, left, scale = 760, 60, 660 / max(totals)
    height = 40 * len(bits) + 110
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} '
           f'{height}" font-family="sans-serif" font-size="13">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for row, b in enumerate(bits):
        y, x = 10 + 40 * row, left
        out.append(f'<text x="8" y="{y + 19}">{b} bits</text>')
        for (_, color), time in medians[b][0].items():
            out.append(f'<rect x="{x:.1f}" y="{y}" height="28" fill="{color}" '
                       f'width="{time * scale:.1f}"/>')
            x += time * scale
        out.append(f'<text x="{x - 6:.1f}" y="{y + 19}" text-anchor="end" '
                   f'fill="white">{totals[row] / 1e3:.2f} ms</text>')
    for row, (name, color) in enumerate(medians[bits[0]][0]):
        y = 40 * len(bits) + 18 + 22 * row
        out.append(f'<rect x="{left}" y="{y}" width="14" height="14" '
                   f'fill="{color}"/>')
        out.append(f'<text x="{left + 22}" y="{y + 12}">{name}</text>')
    temporary = path.with_suffix(".tmp")
    temporary.write_text("\n".join(out + ["</svg>\n"]))
    temporary.replace(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path, nargs="+")
    parser.add_argument("--svg", type=Path, help="picture to write")
    args = parser.parse_args()
    steps = {}
    for path in args.trace:
        try:
            trace = json.loads(path.read_text())
            for bits, found in steps_of(trace).items():
                steps.setdefault(bits, []).extend(found)
        except (OSError, ValueError, KeyError, TypeError) as error:
            sys.exit(f"error: {path}: expected a trace of pmpd-run: {error}")
    if not steps:
        sys.exit("error: the traces have no decode step; generate at least two "
                 "tokens")
    medians = {
        bits: ({kind: statistics.median(step[kind] for step, _ in found)
                for kind in found[0][0]}, found[0][1])
        for bits, found in steps.items()}
    table(medians)
    if args.svg:
        picture(medians, args.svg)


if __name__ == "__main__":
    main()
