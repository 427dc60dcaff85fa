# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what pmpd-tune wrote: the choice against the table, which is every
schedule that was tried, and the plot. Usage: check_tuned.py FILE.json."""
import csv
import itertools
import json
import sys
import xml.etree.ElementTree as xml

path = sys.argv[1]
with open(path, encoding="utf-8") as file:
    tuned = json.load(file)
with open(path.replace(".json", ".csv"), encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))

tokens, segments = tuned["new_tokens"], 3
expected = set()
for levels in itertools.combinations_with_replacement([4, 3, 2], segments):
    points = [f"{bits}@{k * tokens // segments}" for k, bits in enumerate(levels)
              if k == 0 or bits != levels[k - 1]]
    expected.add("4/" + ",".join(points))
assert {row["schedule"] for row in rows} == expected, rows

def average(schedule):
    points = [point.split("@") for point in schedule[2:].split(",")]
    starts = {int(start): int(bits) for bits, start in points}
    steps = [starts[max(s for s in starts if s <= index)]
             for index in range(1, tokens)]
    return sum(steps) / len(steps)

limit = tuned["highest_bits_value"] + tuned["max_drop"]
for row in rows:
    assert abs(float(row["average_bits"]) - average(row["schedule"])) < 1e-9, row
    assert (row["meets"] == "1") == (float(row[tuned["metric"]]) <= limit), row
    better = [other for other in rows
              if float(other["average_bits"]) <= float(row["average_bits"])
              and float(other["kl"]) < float(row["kl"])]
    assert (row["pareto"] == "1") == (not better), row
best = min((row for row in rows if row["meets"] == "1"),
           key=lambda row: float(row["average_bits"]))
assert best["schedule"] == tuned["schedule"] and best["chosen"] == "1", best
print(len(rows), "schedules, every choice the best of those that meet the limit")

plot = xml.parse(path.replace(".json", ".svg")).getroot()
titles = [title.text for title in plot.iter("{http://www.w3.org/2000/svg}title")]
assert set(titles) == expected, titles
_, _, width, height = map(float, plot.get("viewBox").split())
dots = list(plot.iter("{http://www.w3.org/2000/svg}circle"))
assert all(0 < float(dot.get("cx")) < width and 0 < float(dot.get("cy")) < height
           for dot in dots)
# Bits grow to the right, divergence upwards.
place = {dot[0].text: (float(dot.get("cx")), -float(dot.get("cy"))) for dot in dots}
for a, b in itertools.permutations(rows, 2):
    for axis, column in enumerate(("average_bits", "kl")):
        if float(a[column]) < float(b[column]):
            assert place[a["schedule"]][axis] <= place[b["schedule"]][axis]
print("the plot is well-formed")
