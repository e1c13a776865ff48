#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Does a run that is killed again and again end as one that never was?

Runs a pipeline file once without interruption. Then runs it with "tlpipe run --resume" and
sends it SIGKILL at random moments: any time, while a checkpoint is being written, and just
after one was. Starts it again each time; compares every checkpoint and metrics.jsonl of
both run folders by their SHA-256. If a run ends before it is killed, it is compared, and
the kills go on with a new one.

    killresume.py FILE.yaml --set data=FOLDER --set weights=FILE --kills 30 --seed 1
    killresume.py FILE.yaml --set data=FOLDER --vary imagedecode.n-threads=1,4

The file must have a checkpointsink, whose location is set to a folder below --folder. Exit
status: 0 all equal, 1 not.
"""
import argparse
import hashlib
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time


class Failure(Exception):
    """A resume did not work, or led elsewhere."""


def read_place(path):
    """Where a checkpoint stands. Fails if it is not whole."""
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
    about = header.pop("__metadata__")
    end = 8 + size + max(t["data_offsets"][1] for t in header.values())
    if os.path.getsize(path) != end:
        raise Failure(f"{path} is not whole: {os.path.getsize(path)} of {end} bytes")
    return (f"epoch {int(about['tlpipe.epoch']) + 1}, step {about['tlpipe.step']}, "
            f"{about['tlpipe.split']} {about['tlpipe.position']}, {about['tlpipe.state']}")


def is_temporary(name):
    return ".tmp" in name


def names_in(folder):
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def digests(folder):
    return {name: hashlib.sha256(pathlib.Path(folder, name).read_bytes()).hexdigest()
            for name in names_in(folder)
            if name.endswith((".safetensors", ".jsonl")) or is_temporary(name)}


class Runner:
    def __init__(self, args, chance):
        self.args = args
        self.chance = chance

    def start(self, run, *words, vary=True):
        sets = [f"{self.args.sink}.location={run}", *self.args.set]
        for text in self.args.vary if vary else []:
            name, values = text.split("=", 1)
            sets.append(f"{name}={self.chance.choice(values.split(','))}")
        line = [self.args.tlpipe, "run", self.args.file, "--json", *words]
        for text in sets:
            line += ["--set", text]
        # To a file: a pipe that nobody reads would stop the run.
        self.log = open(os.path.join(self.args.folder, "log"), "w+", encoding="utf-8",
                        errors="replace")
        return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=self.log,
                                stderr=subprocess.STDOUT)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def finish(self, process, what):
        if process.wait() != 0:
            raise Failure(f"{what}: exit status {process.returncode}\n{self.said()}")


def stamp(folder):
    """What changes with every file that is put in its place."""
    stamps = []
    for name in names_in(folder):
        if name.endswith(".safetensors"):
            try:
                stamps.append((name, os.stat(os.path.join(folder, name)).st_mtime_ns))
            except FileNotFoundError:
                pass
    return stamps


def wait_for(process, happens):
    while process.poll() is None and not happens():
        time.sleep(0.0005)


def wait_for_the_moment(process, kind, folder, seconds, chance):
    if kind == "any time":
        end = time.time() + chance.uniform(0, seconds)
        wait_for(process, lambda: time.time() >= end)
        return
    for _ in range(chance.randint(1, 3)):
        if kind == "writing":
            wait_for(process, lambda: not any(map(is_temporary, names_in(folder))))
            wait_for(process, lambda: any(map(is_temporary, names_in(folder))))
        else:
            before = stamp(folder)
            wait_for(process, lambda: stamp(folder) != before)
    if kind == "written":
        end = time.time() + chance.uniform(0, 0.05)
        wait_for(process, lambda: time.time() >= end)


def kill_once(runner, folder, seconds):
    """Starts and kills; what it was like, or None if the run ended before."""
    chance = runner.chance
    kind = chance.choice(("any time", "any time", "writing", "written"))
    begin = time.time()
    process = runner.start(folder, "--resume")
    wait_for_the_moment(process, kind, folder, seconds, chance)
    process.send_signal(signal.SIGKILL)
    status = process.wait()
    if status == 0:
        return None
    if status != -signal.SIGKILL:
        raise Failure(f"exit status {status}\n{runner.said()}")
    last = os.path.join(folder, "last.safetensors")
    for name in names_in(folder):
        if name.endswith(".safetensors"):
            read_place(os.path.join(folder, name))
    return (kind, time.time() - begin, read_place(last) if os.path.exists(last) else "nothing yet",
            len(list(filter(is_temporary, names_in(folder)))))


def compare(whole, folder, n_kills):
    a, b = digests(whole), digests(folder)
    if a == b:
        print(f"finished after {n_kills} kill{'s' * (n_kills != 1)}: {len(a)} files equal",
              flush=True)
        return
    absent = "not there"
    lines = [f"  {name}: {a.get(name, absent)[:16]} whole, {b.get(name, absent)[:16]} killed"
             for name in sorted({*a, *b}) if a.get(name) != b.get(name)]
    raise Failure(f"{folder} differs after {n_kills} kills:\n" + "\n".join(lines))


def run_killed(runner, whole, seconds):
    kills = total_left = 0
    number = 0
    while kills < runner.args.kills:
        number += 1
        folder = os.path.join(runner.args.folder, f"killed-{number}")
        in_this_run = 0
        while kills < runner.args.kills:
            row = kill_once(runner, folder, seconds)
            if not row:
                break
            kills += 1
            in_this_run += 1
            total_left += row[3]
            print(f"{kills:4}  {row[0]:9} {row[1]:7.2f} s  {row[3]:2}  {row[2]}", flush=True)
        runner.finish(runner.start(folder, "--resume"), "the last resume")
        compare(whole, folder, in_this_run)
    runner.finish(runner.start(folder, "--resume"), "the resume of a finished run")
    compare(whole, folder, in_this_run)
    return number, total_left


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("file", help="a pipeline file with a checkpointsink")
    p.add_argument("--set", action="append", default=[], help="as of tlpipe run")
    p.add_argument("--vary", action="append", default=[], metavar="NAME=VALUE,VALUE",
                   help="--set with one of the values, drawn at each start")
    p.add_argument("--kills", type=int, default=30)
    p.add_argument("--seed", type=int, default=0, help="of the moments")
    p.add_argument("--sink", default="checkpointsink", help="name of the element")
    p.add_argument("--tlpipe", default="tlpipe", help="the program")
    p.add_argument("--folder", help="where the run folders go; a temporary one if not given")
    args = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="tlpipe-kills-") as scratch:
        args.folder = args.folder or scratch
        os.makedirs(args.folder, exist_ok=True)
        runner = Runner(args, random.Random(args.seed))
        whole = os.path.join(args.folder, "whole")
        begin = time.time()
        try:
            runner.finish(runner.start(whole, vary=False), "the run without kills")
            seconds = time.time() - begin
            print(f"without kills: {seconds:.1f} s, {read_place(whole + '/last.safetensors')}\n"
                  "kill  moment        after  tmp  last.safetensors", flush=True)
            rounds, left = run_killed(runner, whole, seconds)
        except Failure as failure:
            print(f"FAILED: {failure}")
            sys.exit(1)
        print(f"{args.kills} kills in {rounds} runs, {left} temporary files left by them: "
              "all equal")
        for name, digest in digests(whole).items():
            print(f"  {digest}  {name}")


if __name__ == "__main__":
    main()
