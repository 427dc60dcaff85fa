# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What becomes of the kernels of a GPU.

Reads MLIR with images from standard input, as --pmpd-emit-gpu-images makes it.
Prints the PTX; with `PTXAS SM...` assembles it for every SM and prints, per
kernel, what a thread takes, how many products on tensor cores it has and
how many instructions the largest loop with some of them. Fails if a kernel
uses local memory.
"""
import re
import struct
import subprocess
import sys
import tempfile

BRANCHES = 0x547, 0x947
PRODUCTS = 0x237, 0x23C  # On tensor cores: of integers, of halves.


def read_ptx(mlir):
    text = re.search(r'assembly = "((?:[^"\\]|\\.)*)"', mlir)[1]
    byte = lambda match: chr(int(match[1], 16)) if match[1] else "\\"
    return re.sub(r"\\(?:([0-9A-Fa-f]{2})|\\)", byte, text).rstrip("\0")


def read_functions(cubin):
    """Name and bytes of every kernel of an ELF file."""
    (table,) = struct.unpack_from("<Q", cubin, 0x28)
    size, count, names = struct.unpack_from("<HHH", cubin, 0x3A)
    sections = [
        struct.unpack_from("<IIQQQQ", cubin, table + i * size) for i in range(count)
    ]
    for name, _, _, _, offset, length in sections:
        start = sections[names][4] + name
        text = cubin[start : cubin.index(b"\0", start)].decode()
        if text.startswith(".text."):
            yield text[len(".text.") :], cubin[offset : offset + length]


def read_instructions(code):
    return [int.from_bytes(code[i : i + 16], "little") for i in range(0, len(code), 16)]


def is_product(word):
    return word & 0xFFF in PRODUCTS


def measure_loop(words, sm):
    """Instructions from the target of a branch backwards to it."""
    largest = 0
    for at, word in enumerate(words):
        if word & 0xFFF not in BRANCHES:
            continue
        distance = (word >> 34) & ((1 << 48) - 1)
        distance -= (distance >> 47) << 48
        if sm >= 90:  # The low byte is elsewhere.
            distance = distance << 8 | (word >> 16 & 0xFF)
        target = at + 1 + distance * 4 // 16
        if target <= at and any(map(is_product, words[target:at])):
            largest = max(largest, at + 1 - target)
    return largest


def assemble(ptx, ptxas, chip):
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/kernels.ptx", "w", encoding="ascii") as file:
            file.write(ptx)
        report = subprocess.run(
            [ptxas, "-v", "-arch=" + chip, file.name, "-o", folder + "/cubin"],
            capture_output=True,
            text=True,
            check=False,
        )
        if report.returncode:
            sys.exit(f"{chip}: {report.stderr}")
        with open(folder + "/cubin", "rb") as file:
            functions = dict(read_functions(file.read()))
    for match in re.finditer(
        r"properties for (\S+)\n\s+(\d+) bytes stack frame, (\d+) bytes spill "
        r"stores, (\d+) bytes spill loads\n.*?Used (\d+) registers(?:.*?(\d+) bytes "
        r"smem)?",
        report.stderr,
    ):
        name, stack, stores, loads, registers, shared = match.groups()
        words = read_instructions(functions[name])
        products = sum(map(is_product, words))
        loop = measure_loop(words, int(chip[3:]))
        print(
            f"{chip} {name}: {registers} registers, {shared or 0} bytes shared, "
            f"{products} products, {loop} instructions"
        )
        if int(stack) or int(stores) or int(loads):
            sys.exit(f"{chip} {name}: {stack} bytes of local memory")
        functions.pop(name)
    if functions:
        sys.exit(f"{chip}: expected a report of {', '.join(functions)}")


def main():
    ptx = read_ptx(sys.stdin.read())
    if len(sys.argv) == 1:
        print(ptx)
    for chip in sys.argv[2:]:
        assemble(ptx, sys.argv[1], chip)


main()
