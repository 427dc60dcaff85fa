# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks which part of the tree includes which.

Usage: check-includes.py ROOT. Prints every include that is not allowed and
exits with 1 if there is one.
"""
import os
import re
import sys

PLAIN = ["include", "lib/Quant", "lib/Pack", "lib/Tokenizer"]
COMPILER = PLAIN + ["dialects", "lib"]
# Longest prefix wins: what files below the key may include of the project.
ALLOWED = {
    "include": ["include"],
    "lib/Quant": ["include", "lib/Quant"],
    "lib/Pack": ["include", "lib/Quant", "lib/Pack"],
    "lib/Tokenizer": ["lib/Tokenizer"],
    "dialects": ["include", "dialects"],
    "lib": COMPILER,
    "passes": COMPILER + ["passes"],
    "runtime": ["include", "runtime"],
    "tools/pmpd-opt": COMPILER + ["passes", "tools/support/Version.h"],
    "tools/pmpd-compile": COMPILER + ["passes", "tools/support/CommandLine.h",
                                      "tools/pmpd-compile"],
    "tools/pmpd-translate": COMPILER + ["passes", "tools/support/Version.h"],
    # Measures kernels of the compiler on the threads of the runtime.
    "tools/pmpd-bench": COMPILER + [
        "runtime/CpuFeatures.h", "runtime/ThreadPool.h", "tools/support",
        "tools/pmpd-bench"],
    "tools/support": ["include", "lib/Tokenizer", "runtime/OutputFile.h", "tools/support"],
    "tools/pmpd-run": ["include", "lib/Tokenizer", "tools/support", "tools/pmpd-run"],
    "tools/pmpd-eval": ["include", "lib/Tokenizer", "tools/support", "tools/evaluation",
                        "tools/pmpd-eval"],
    "tools/evaluation": ["include", "lib/Tokenizer", "tools/support", "tools/evaluation"],
    "tools/pmpd-npu-figure": ["include", "runtime", "tools/support", "tools/pmpd-npu-figure"],
    "tools/pmpd-npu-time": ["include", "runtime", "tools/support"],
    "tools/pmpd-objdump": ["include", "runtime", "tools/support"],
    "examples": ["include"],
}
# Parts that must build where there is no LLVM.
WITHOUT_LLVM = ["include", "lib/Quant", "lib/Pack", "lib/Tokenizer", "runtime",
                "tools/support", "tools/evaluation", "tools/pmpd-run", "tools/pmpd-eval",
                "tools/pmpd-npu-figure", "tools/pmpd-npu-time",
                "tools/pmpd-objdump", "examples"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]|^\s*include "([^"]+)"')


def below(path, folder):
    return path == folder or path.startswith(folder + "/")


def part_of(path):
    return max((p for p in ALLOWED if below(path, p)), key=len, default=None)


def resolve(root, target):
    """The path in the tree of an include, or None for one from outside."""
    for candidate in (target, "include/" + target):
        # Generated .inc files lie where their sources do.
        if os.path.isdir(os.path.join(root, os.path.dirname(candidate))) and (
            os.path.exists(os.path.join(root, candidate))
            or candidate.endswith(".inc")
        ):
            return candidate
    return None


def check(root):
    problems = []
    for folder, _, files in os.walk(root):
        for name in sorted(files):
            if not name.endswith((".h", ".cpp", ".c", ".td")):
                continue
            path = os.path.relpath(os.path.join(folder, name), root)
            part = part_of(path)
            if part is None:
                continue
            with open(os.path.join(root, path), encoding="utf-8") as source:
                for number, line in enumerate(source, 1):
                    match = INCLUDE.match(line)
                    target = match and (match.group(1) or match.group(2))
                    if not target:
                        continue
                    if target.startswith(("llvm/", "mlir/")):
                        if any(below(path, p) for p in WITHOUT_LLVM):
                            problems.append(f"{path}:{number}: {part} must do "
                                            f"without LLVM, but includes {target}")
                        continue
                    found = resolve(root, target)
                    if found and not any(below(found, p) for p in ALLOWED[part]):
                        problems.append(f"{path}:{number}: {part} must not "
                                        f"include {found}")
    return problems


if __name__ == "__main__":
    found = check(sys.argv[1])
    print("\n".join(found))
    sys.exit(1 if found else 0)
