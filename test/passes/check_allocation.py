# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads programs with addresses and counts pairs of buffers that share bytes
while both live. A buffer lives from its first to its last use; used in a loop
that it was made outside of, throughout that loop; a ring, throughout."""
import re
import sys

ALLOC = re.compile(r"\s*(%\w+) = npu\.alloc( slots \d+)?(?: per_row \d+)? "
                   r"at (\d+) : <scratchpad, (\d+)")


def loop_ends(lines):
    """Where the loop that begins at a line ends."""
    ends, open_loops = {}, []
    for at, line in enumerate(lines):
        if "npu.loop" in line:
            open_loops.append(at)
        elif line.strip() == "}" and open_loops:
            ends[open_loops.pop()] = at
    return ends


def buffers(lines):
    """(begin, end, address, bytes) of every buffer of a program."""
    ends = loop_ends(lines)
    found, in_scope = [], {}
    for at, line in enumerate(lines):
        inside = [begin for begin, end in ends.items() if begin < at <= end]
        match = ALLOC.match(line)
        if match:
            name, ring, address, size = match.groups()
            buffer = {"at": int(address), "size": int(size), "home": inside,
                      "begin": 0 if ring else len(lines),
                      "end": len(lines) if ring else 0}
            in_scope[name] = buffer
            found.append(buffer)
            continue
        defined = re.match(r"\s*(%\w+) = ", line)
        if defined:
            in_scope.pop(defined.group(1), None)
        for name in re.findall(r"%\w+", line):
            buffer = in_scope.get(name)
            if not buffer:
                continue
            outer = [loop for loop in inside if loop not in buffer["home"]]
            first, last = (min(outer), ends[min(outer)]) if outer else (at, at)
            buffer["begin"] = min(buffer["begin"], first)
            buffer["end"] = max(buffer["end"], last)
    return [b for b in found if b["begin"] <= b["end"]]


def overlap(a, b):
    return (a["begin"] <= b["end"] and b["begin"] <= a["end"]
            and a["at"] < b["at"] + b["size"]
            and b["at"] < a["at"] + a["size"])


programs = re.split(r"\n(?=\s*npu\.program)", sys.stdin.read())[1:]
count = overlaps = 0
for program in programs:
    found = buffers(program.split("\n")[1:])
    count += len(found)
    for i, a in enumerate(found):
        for b in found[:i]:
            if overlap(a, b):
                overlaps += 1
                print("overlap:", a, b)
print(f"{len(programs)} programs, {count} buffers, {overlaps} overlap")
