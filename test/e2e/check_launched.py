#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that every kernel was launched.

Usage: check_launched.py LAUNCHED FILE...: names, one on a line, and files with PTX
in them. Prints the kernels of the PTX that are not among the names and exits with
1 if there is one.
"""
import re
import sys


def main():
    with open(sys.argv[1], encoding="ascii") as names:
        launched = set(names.read().split())
    kernels = set()
    for path in sys.argv[2:]:
        with open(path, "rb") as file:
            found = re.findall(rb"\.entry (\w+)\(", file.read())
        if not found:
            sys.exit(f"{path}: expected PTX with kernels")
        kernels.update(name.decode() for name in found)
    missing = sorted(kernels - launched)
    print("\n".join(missing) or f"{len(kernels & launched)} kernels were launched")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
