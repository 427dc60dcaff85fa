# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kills the compiler at many moments: the output directory holds the model it
held before, or the new one, whole.

Usage: killed.py MODEL.onnx FOLDER
"""
import os
import signal
import subprocess
import sys
import time

model, folder = sys.argv[1:]
visible = lambda: sorted(f for f in os.listdir(folder) if not f.startswith("."))
command = ["pmpd-compile", model, "-o", folder, "--name", "m", "--ctx", "512",
           "--quantizer", "rtn"]


def run():
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


os.makedirs(folder)
begin = time.time()
process = run()
process.wait()
assert process.returncode == 0
seconds = time.time() - begin
complete = visible()
for file in complete:
    os.remove(os.path.join(folder, file))

killed = 0
for number in (signal.SIGTERM, signal.SIGKILL):
    for part in range(6):
        process = run()
        time.sleep(seconds * (part + 0.5) / 7)
        process.send_signal(number)
        process.wait()
        if process.returncode == -number:
            killed += 1
            left = visible()
            # Files appear one after the other at the very end, the manifest
            # last, and without it there is no model.
            assert "m.json" not in left or left == complete, left
        if number == signal.SIGTERM:
            hidden = [f for f in os.listdir(folder) if f.startswith(".")]
            assert not hidden, hidden
print(f"killed {killed} times")
assert killed >= 6
