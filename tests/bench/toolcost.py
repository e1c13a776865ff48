#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What "tlpipe run" costs beside the gst-launch-1.0 line of the same file.

    meson devenv -C build tests/bench/toolcost.py FILE --set data=frames \\
        --set weights=resnet18.pth --set epochs=4

Runs both in turns, so that both meet the same machine, and compares the time of
epochs as the trainer measured it (tl-flow; the first epoch, which warms up, does
not count) and that of the whole process. Prints the ratio of each round and their
median: 1.00 is no cost. Each run writes to a folder of its own (the variable "run").
"""
import argparse
import json
import os
import re
import shlex
import statistics
import subprocess
import tempfile
import time


def timed(command, parse):
    begin = time.perf_counter()
    output = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL).stdout
    return time.perf_counter() - begin, parse(output)


def epochs_of_objects(output):
    flows = [json.loads(line) for line in output.splitlines()]
    return sum_epochs((o["epoch"], o["seconds"]) for o in flows if o["type"] == "flow")


def epochs_of_messages(output):
    found = re.findall(r"tl-flow, epoch=\(uint\)(\d+).*?seconds=\(double\)([\d.e+-]+)", output)
    return sum_epochs((int(epoch), float(seconds)) for epoch, seconds in found)


def sum_epochs(phases):
    epochs = {}
    for epoch, seconds in phases:
        epochs[epoch] = epochs.get(epoch, 0) + seconds
    return [epochs[e] for e in sorted(epochs)][1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file")
    parser.add_argument("--set", action="append", default=[], dest="sets")
    parser.add_argument("--tlpipe", default="tlpipe")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sets = [word for value in arguments.sets for word in ("--set", value)]
    ratios, wholes = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.rounds):
            run = ["--set", "run=" + os.path.join(folder, f"tool-{number}")]
            whole, tool = timed([arguments.tlpipe, "run", arguments.file, *sets, *run, "--json"],
                                epochs_of_objects)
            run = ["--set", "run=" + os.path.join(folder, f"line-{number}")]
            line = subprocess.run([arguments.tlpipe, "show", "--launch", arguments.file, *sets,
                                   *run], check=True, text=True, capture_output=True).stdout
            words = shlex.split(line)
            other, launch = timed([words[0], "-m", *words[1:]], epochs_of_messages)
            ratios.append(statistics.median(tool) / statistics.median(launch))
            wholes.append(whole / other)
            print(f"epoch: tlpipe {statistics.median(tool):.3f} s, gst-launch-1.0 "
                  f"{statistics.median(launch):.3f} s, ratio {ratios[-1]:.3f}; whole process: "
                  f"{whole:.2f} s, {other:.2f} s, ratio {wholes[-1]:.3f}", flush=True)
    print(f"median ratio: epoch {statistics.median(ratios):.3f}, "
          f"whole process {statistics.median(wholes):.3f}")


if __name__ == "__main__":
    main()
