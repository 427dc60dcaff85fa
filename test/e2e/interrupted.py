# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kills a search once its journal has losses and runs it to its end.

Usage: interrupted.py JOURNAL COMMAND...
"""
import os
import subprocess
import sys
import time

journal, command = sys.argv[1], sys.argv[2:]


def losses():
    if not os.path.exists(journal):
        return []
    with open(journal, encoding="utf-8") as file:
        return file.read().splitlines()[1:]


process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
while len(losses()) < 2 and process.poll() is None:
    time.sleep(0.001)
process.kill()
process.wait()
before = losses()
subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
assert not os.path.exists(journal), "the journal is left"
print("killed with", len(before), "losses, went on with them")
