# SPDX-License-Identifier: BSD-3-Clause
"""What the scripts of this folder share: the program tlpipe, as a user runs it.

Every case runs it on pictures drawn here and looks at the exit status, at stdout and
stderr, and at the files. The environment (plugin, shim) is meson's, with the reference
backend. A script is a file of functions case_NAME(bench) that ends with
main(globals()), and a name in meson.build:

    tool_NAME.py --tlpipe TLPIPE --draw DRAW-FRAMES --completion FILE [CASE ...]
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parent.parent))
from tapcases import Failure, check, metadata, run_cases  # noqa: E402

VERBS = ("run", "check", "show", "inspect", "doctor", "weights", "predict", "evaluate",
         "export", "parity")

FINETUNE = """tlpipe: 1
vars: {data: FRAMES, run: run, epochs: 2}
pipeline:
  - datasetsrc: {location: "${data}", epochs: "${epochs}", seed: 1}
  - imagedecode: {width: 32, height: 32}
  - augment
  - batcher: {batch-size: 8}
  - queue: {max-size-buffers: 2, max-size-bytes: 0, max-size-time: 0}
  - resnetfinetune: {weights: random, arch: thumbnail, device: cpu, n-threads: 1,
                     report-interval: 1}
  - checkpointsink: {location: "${run}"}
"""

SLOW = {"TLPIPE_REFERENCE_FAIL": "step-ms:50"}


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    def __str__(self):
        return f"exit status {self.status}\nstdout:\n{self.out}\nstderr:\n{self.err}"

    def objects(self):
        """Every line of stdout as JSON."""
        objects = []
        for line in self.out.splitlines():
            try:
                objects.append(json.loads(line))
            except json.JSONDecodeError:
                raise Failure(f"not JSON: {line!r}\n{self}") from None
            check(isinstance(objects[-1], dict) and "type" in objects[-1], f"no type: {line}")
        return objects

    def of_type(self, name):
        return [o for o in self.objects() if o["type"] == name]


class Bench:
    """A scratch folder with drawn frames, and the program."""

    def __init__(self, args, folder):
        self.tlpipe = args.tlpipe
        self.completion = args.completion
        self.folder = folder
        self.frames = self.path("drawn/frames")
        subprocess.run([args.draw, "--videos", "6", "--frames", "4", self.path("drawn")],
                       check=True, stdout=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text.replace("FRAMES", self.frames))
        return name

    def finetune(self):
        return self.write("finetune.yaml", FINETUNE)

    def start(self, *words, env=None, **options):
        return subprocess.Popen([self.tlpipe, *words], cwd=self.folder, text=True,
                                stdin=subprocess.DEVNULL, errors="replace",
                                env={**os.environ, **(env or {})},
                                **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                   **options})

    def end(self, process, timeout=60):
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise Failure(f"hangs: {process.args}\n{out}\n{err}") from None
        return Result(process.returncode, out, err)

    def run(self, *words, status=0, env=None, timeout=60):
        """Runs the program; another exit status is a failure."""
        result = self.end(self.start(*words, env=env), timeout)
        check(result.status == status, f"{words}: expected {status}, {result}")
        return result

    def train(self, *words):
        self.run("run", self.finetune(), "--quiet", *words)
        return self.path("run/best.safetensors")

    def temporary_files(self, run="run"):
        folder = self.path(run)
        return [n for n in os.listdir(folder) if "tmp" in n] if os.path.exists(folder) else []


def wait_for_handlers(process):
    """Until a signal is a request, and does not end the program as it ends any other."""
    deadline = time.time() + 30
    asked = sum(1 << number - 1 for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    while True:
        check(process.poll() is None and time.time() < deadline, f"no handlers: {process.poll()}")
        with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
            caught = re.search(r"^SigCgt:\s*(\w+)", status.read(), re.M)
        if int(caught.group(1), 16) & asked == asked:
            return
        time.sleep(0.01)


def wait_for(bench, process, name):
    """Until the program has written the file; lines it said meanwhile are lost."""
    deadline = time.time() + 30
    while not os.path.exists(bench.path(name)):
        check(process.poll() is None and time.time() < deadline,
              f"no {name}: {process.poll()}")
        time.sleep(0.01)


def interrupted(bench, process):
    result = bench.end(process)
    check(result.status == 130, str(result))
    state = metadata(bench.path("run/last.safetensors"))
    # "running" is the checkpoint of an epoch, if the stop came at its end.
    check(state["tlpipe.state"] in ("interrupted", "running"), f"{state}\n{result}")
    check("interrupted after" in result.out and not bench.temporary_files(), str(result))
    return result


@contextlib.contextmanager
def open_bench(args):
    with tempfile.TemporaryDirectory(prefix="tlpipe tool ") as folder:
        yield Bench(args, folder)


def add_options(parser):
    parser.add_argument("--tlpipe", required=True, type=os.path.abspath, help="the program")
    parser.add_argument("--draw", required=True, type=os.path.abspath,
                        help="the program draw-frames")
    parser.add_argument("--completion", required=True, type=os.path.abspath,
                        help="the bash completion")


def main(names):
    """Runs the cases among the names of a script."""
    run_cases(names, add_options, open_bench)
