# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether two compiled models write the same text, with the same bits, for
several prompts under several schedules.

Usage: npu_text.py DIR DIR
"""
import subprocess
import sys

PROMPTS = ("Once upon a time", "The king said to his youngest daughter:",
           "In the middle of the forest")
SCHEDULES = ("4@0", "3@0", "2@0", "4@0,3@20,2@40", "4/3@0",
             "confidence:tokens=5,sigma=1")


def text(directory, prompt, schedule):
    return subprocess.run(
        ["pmpd-run", "-m", directory, "-p", prompt, "-n", "60", "--schedule",
         schedule, "--show-bits"],
        check=True, capture_output=True, text=True).stdout


for schedule in SCHEDULES:
    for prompt in PROMPTS:
        first, second = (text(d, prompt, schedule) for d in sys.argv[1:])
        same = first == second and len(first) > 60
        print(f"{schedule}, {prompt!r}: {'the same' if same else 'different'}")
        if not same:
            raise SystemExit(f"{first}\n----\n{second}")
