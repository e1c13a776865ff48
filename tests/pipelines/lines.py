#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Whole gst-launch-1.0 lines, as a user types them.

Every case runs real lines on pictures drawn here and looks at the exit status, at
what is on the screen, and at the files. The environment (plugin, shim) is meson's;
with the reference backend the lines take a second, with libtorch they are slower
but the same: --arch says which network.

    lines.py --draw DRAW-FRAMES [--arch thumbnail|resnet18] [CASE ...]
"""
import contextlib
import filecmp
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parent.parent))
from tapcases import Failure, check, digest, metadata, run_cases  # noqa: E402

QUEUE = "queue max-size-buffers=2 max-size-bytes=0 max-size-time=0"


class Bench:
    """A scratch folder with drawn frames, and the lines over them."""

    def __init__(self, args, folder):
        self.arch = args.arch
        self.folder = folder
        self.frames = os.path.join(folder, "drawn", "frames")
        self.video = os.path.join(folder, "drawn", "video.avi")
        subprocess.run([args.draw, "--videos", "6", "--frames", "4",
                        os.path.join(folder, "drawn")],
                       check=True, stdout=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.folder, name)

    def line(self, run, location=None, source="", decode="", trainer="", weights="random",
             epochs=2, sink=""):
        """The words of the documented line."""
        size = "" if "width=" in decode else "width=32 height=32"
        start = f"weights={weights}" if weights and "resume=" not in trainer else ""
        arch = "" if weights != "random" or "resume=" in trainer else f"arch={self.arch}"
        return (f"datasetsrc location={location or self.frames} epochs={epochs} seed=1 {source} ! "
                f"imagedecode {size} {decode} ! augment ! batcher batch-size=8 ! {QUEUE} ! "
                f"resnetfinetune {start} {arch} device=cpu n-threads=1 {trainer} ! "
                f"checkpointsink location={run} {sink}").split()

    def start(self, words, *options, env=None):
        return subprocess.Popen(["gst-launch-1.0", *options, *words], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})

    def launch(self, words, *options, status=0, timeout=120, env=None):
        """Runs a line; its output. Another exit status is a failure."""
        process = self.start(words, *options, env=env)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            raise Failure(f"hangs: {' '.join(words)}\n{output}") from None
        check((process.returncode == 0) == (status == 0),
              f"exit status {process.returncode}: {' '.join(words)}\n{output}")
        return output

    def train(self, run, *options, **arguments):
        return self.launch(self.line(self.path(run), **arguments), *options)


def same(bench, first, second, name="last.safetensors"):
    a, b = (os.path.join(bench.path(run), name) for run in (first, second))
    check(filecmp.cmp(a, b, shallow=False), f"{a} and {b} differ:\n{metadata(a)}\n{metadata(b)}")


# ---- Cases -------------------------------------------------------------------


def case_trains_and_ends_by_itself(bench):
    output = bench.train("run", epochs=3)
    check(output.count("Progress: (train) epoch ") == 3, f"not a line per epoch:\n{output}")
    check("acc" in output and "loss" in output, output)
    lines = open(bench.path("run/metrics.jsonl"), encoding="utf-8").readlines()
    check(len(lines) == 3, "metrics.jsonl has not one line per epoch")
    check(metadata(bench.path("run/last.safetensors"))["tlpipe.state"] == "finished", "state")
    check(os.path.exists(bench.path("run/best.safetensors")), "no best.safetensors")
    check(not [n for n in os.listdir(bench.path("run")) if "tmp" in n], "temporary files stay")


def case_same_line_same_bytes(bench):
    for run in ("a", "b"):
        bench.train(run)
    for name in ("last.safetensors", "best.safetensors", "metrics.jsonl"):
        same(bench, "a", "b", name) if name != "metrics.jsonl" else check(
            filecmp.cmp(bench.path("a/" + name), bench.path("b/" + name), False), name)


def case_decoding_threads_change_nothing(bench):
    bench.train("one", decode="n-threads=1")
    bench.train("four", decode="n-threads=4")
    same(bench, "one", "four")


def case_another_seed_another_result(bench):
    bench.train("a")
    words = [w.replace("seed=1", "seed=2") for w in bench.line(bench.path("b"))]
    bench.launch(words)
    check(digest(bench.path("a/last.safetensors")) != digest(bench.path("b/last.safetensors")),
          "the seed changes nothing")


def case_trainer_may_end_the_line(bench):
    words = bench.line("unused")
    bench.launch(words[:len(words) - 1 - words[::-1].index("!")])


def case_checkpoint_evaluates_as_it_was_trained(bench):
    bench.train("run")
    last = json.loads(open(bench.path("run/metrics.jsonl"), encoding="utf-8").readlines()[-1])
    output = bench.launch(
        f"datasetsrc location={bench.frames} splits=valid seed=1 ! imagedecode ! batcher ! "
        f"resnetfinetune weights={bench.path('run/last.safetensors')} device=cpu".split(), "-m")
    check(f"loss=(double){last['valid']['loss']:.4f}"[:18] in output
          and f"accuracy=(double){last['valid']['accuracy']:.4f}"[:20] in output,
          f"{last}\n{output}")


def case_video_is_classified(bench):
    bench.train("run")
    output = bench.launch(
        f"filesrc location={bench.video} ! decodebin ! videoconvert ! video/x-raw,format=RGB ! "
        f"resnetinfer checkpoint={bench.path('run/best.safetensors')} device=cpu ! "
        "fakesink".split(), "-m")
    check(output.count("tl-result") > 20, output)
    check("b-lines" in output, output)


def case_folder_is_classified(bench):
    bench.train("run")
    output = bench.launch(
        f"datasetsrc location={bench.frames} splits=valid ! imagedecode ! "
        f"resnetinfer checkpoint={bench.path('run/best.safetensors')} device=cpu ! "
        "fakesink".split(), "-m")
    check(output.count("tl-result") >= 3 and "path=" in output, output)


def results(output):
    """Classes and probabilities of all tl-result messages, with the files' names."""
    found = re.findall(r"tl-result, .*?path=\(string\)([^,]*),.*?classes=\(string\)(<[^>]*>), "
                       r"probabilities=\(double\)(<[^>]*>)", output)
    return sorted((os.path.basename(path), *rest) for path, *rest in found)


def case_frames_are_prepared_as_in_training(bench):
    for crop in ("center", "pad", "none"):
        bench.train(crop, epochs=1, decode=f"crop={crop} interpolation=bicubic "
                                           "region=10%,0,80%,90%")
        frames = (f"datasetsrc location={bench.frames} splits=valid ! jpegdec ! videoconvert ! "
                  "video/x-raw,format=RGB")
        model = f"resnetinfer checkpoint={bench.path(crop)}/last.safetensors device=cpu ! fakesink"
        direct = results(bench.launch(f"{frames} ! {model}".split(), "-m"))
        prepared = results(bench.launch(f"{frames} ! imagedecode ! {model}".split(), "-m"))
        check(len(direct) >= 3 and direct == prepared, f"crop={crop}: {direct}\n{prepared}")


def case_foreign_decoder_may_stand_in_between(bench):
    bench.train("own")
    # Not decodebin: where the run ends within its own state change, GstBin 1.22
    # does not pass on the EOS of sinks that do not preroll.
    words = " ".join(bench.line(bench.path("foreign")))
    bench.launch(words.replace("! imagedecode", "! jpegdec ! videoconvert ! imagedecode").split())
    own, foreign = ([json.loads(line) for line in open(bench.path(f"{run}/metrics.jsonl"),
                                                       encoding="utf-8")]
                    for run in ("own", "foreign"))
    check(len(own) == len(foreign) == 2, f"{own}\n{foreign}")
    for a, b in zip(own, foreign):
        check(a["train"]["n"] == b["train"]["n"] and a["valid"]["n"] == b["valid"]["n"],
              f"not as many samples:\n{a}\n{b}")


def case_bad_files_are_skipped_counted_and_listed(bench):
    data = bench.path("with-bad")
    shutil.copytree(bench.frames, data)
    folder = os.path.join(data, "b-lines")
    good = os.path.join(folder, sorted(os.listdir(folder))[0])
    with open(good, "rb") as file:
        content = file.read()
    for name, bad in (("zz_empty.jpg", b""), ("zz_garbage.jpg", b"not a picture" * 50),
                      ("zz_truncated.jpg", content[:len(content) // 2])):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(bad)
    # A group of their own each; without a valid part nothing but training sees them.
    output = bench.launch(bench.line(bench.path("run"), location=data, epochs=1,
                                     source="valid-fraction=0"), "-m")
    for name in ("zz_empty.jpg", "zz_garbage.jpg", "zz_truncated.jpg"):
        check(name in output, f"{name} is not listed:\n{output}")
    check("skipped=(guint64)3" in output, f"not counted:\n{output}")
    output = bench.launch(bench.line(bench.path("run2"), location=data, decode="on-error=fail"),
                          status=1)
    check("zz_" in output, output)


def interrupt(bench, run, options, count, **arguments):
    """Starts a slow line, sends SIGINT when something was trained; its output."""
    process = bench.start(bench.line(bench.path(run), **arguments), "-m", *options,
                          env={"TLPIPE_REFERENCE_FAIL": "step-ms:100"})
    seen = []
    for text in process.stdout:
        seen.append(text)
        if "tl-metrics" in text and "step" in text:
            count -= 1
            if count == 0:
                process.send_signal(signal.SIGINT)
    check(process.wait(timeout=60) is not None, "does not end")
    return "".join(seen)


def resumes_to_the_same_bytes(bench, options):
    arguments = {"epochs": 4, "trainer": "report-interval=1"}
    bench.train("whole", **arguments)
    output = interrupt(bench, "cut", options, 2, **arguments)
    state = metadata(bench.path("cut/last.safetensors"))
    # "running" is the checkpoint of an epoch, if the stop came at its end.
    check(state["tlpipe.state"] in ("interrupted", "running"), f"{state}\n{output}")
    bench.train("cut", epochs=4,
                trainer=f"report-interval=1 resume={bench.path('cut/last.safetensors')}")
    same(bench, "whole", "cut")
    check(filecmp.cmp(bench.path("whole/metrics.jsonl"), bench.path("cut/metrics.jsonl"), False),
          "metrics.jsonl differs after a resume")


def case_ctrl_c_leaves_a_checkpoint_that_resumes(bench):
    resumes_to_the_same_bytes(bench, [])


def case_ctrl_c_with_e_leaves_a_checkpoint_that_resumes(bench):
    resumes_to_the_same_bytes(bench, ["-e"])


def case_kill_leaves_whole_files(bench):
    process = bench.start(bench.line(bench.path("run"), epochs=1000), "-m")
    while not os.path.exists(bench.path("run/last.safetensors")):
        check(process.poll() is None, "ended by itself")
        time.sleep(0.05)
    time.sleep(0.5)
    process.kill()
    process.communicate()
    check(metadata(bench.path("run/last.safetensors"))["tlpipe.state"] == "running", "state")
    bench.train("run", epochs=1)
    check(not [n for n in os.listdir(bench.path("run")) if "tmp" in n], "temporary files stay")


def changed(path, before):
    return os.path.exists(path) and os.stat(path).st_mtime_ns != before


def kill_early(process, last, chance):
    """kill -9 while it loads, or soon after it has written a checkpoint."""
    before = os.stat(last).st_mtime_ns if os.path.exists(last) else 0
    deadline = time.time() + (chance.uniform(0, 0.4) if chance.random() < 0.3 else 30)
    while process.poll() is None and not changed(last, before) and time.time() < deadline:
        time.sleep(0.002)
    time.sleep(chance.uniform(0, 0.06))
    process.kill()


def case_kills_and_resumes_to_the_same_bytes(bench):
    n_kills, common = 30, "checkpoint-every=1 report-interval=1"
    bench.train("whole", epochs=8, trainer=common)
    last = bench.path("cut/last.safetensors")
    chance = random.Random(3)
    for kill in range(n_kills + 1):
        resume = f"resume={last}" if os.path.exists(last) else ""
        words = bench.line(bench.path("cut"), epochs=8, trainer=f"{common} {resume}")
        process = bench.start(words, "-q", env={"TLPIPE_REFERENCE_FAIL": "step-ms:40"})
        if kill < n_kills:
            kill_early(process, last, chance)
        output, _ = process.communicate(timeout=120)
        check("ERROR" not in output, f"after {kill} kills:\n{output}")
        check(process.returncode == (-signal.SIGKILL if kill < n_kills else 0),
              f"after {kill} kills: exit status {process.returncode}\n{output}")
        if os.path.exists(last):
            metadata(last)
    for name in ("last.safetensors", "best.safetensors", "metrics.jsonl"):
        check(filecmp.cmp(bench.path("whole/" + name), bench.path("cut/" + name), False),
              f"{name} differs after {n_kills} kills")
    check(not [n for n in os.listdir(bench.path("cut")) if "tmp" in n], "temporary files stay")


def case_frames_go_to_stock_decoders(bench):
    for rest in ("decodebin ! fakesink", "jpegdec ! videoconvert ! fakesink", "fakesink"):
        bench.launch(f"datasetsrc location={bench.frames} valid-fraction=0 ! {rest}".split())


def case_start_up_lines_say_what_is_there(bench):
    output = bench.train("run", epochs=1)
    for word in ("b-lines", "consolidation", "normal", "18 groups"):
        check(word in output, f"no \"{word}\":\n{output}")
    output = bench.train("run2", epochs=1, source="group=none")
    check("WARNING" in output and "both sides" in output.replace("\n", " ") or "group" in output,
          output)


# What the user did, the words of the line, and what must be on the screen.
def case_mistakes_get_one_sentence_each(bench):
    empty, one, junk = (bench.path(n) for n in ("empty", "one", "junk.pth"))
    os.makedirs(os.path.join(empty, "a"))
    os.makedirs(os.path.join(empty, "b"))
    shutil.copytree(os.path.join(bench.frames, "normal"), os.path.join(one, "normal"))
    with open(junk, "w", encoding="utf-8") as file:
        file.write("<html>404</html>")
    run = bench.path("run")
    lists = (
        ("a missing folder", bench.line(run, location="/no/such/folder"), "/no/such/folder"),
        ("a file as folder", bench.line(run, location=junk), "junk.pth"),
        ("empty classes", bench.line(run, location=empty), empty),
        ("one class", bench.line(run, location=one), "one class"),
        ("no weights", bench.line(run, weights=""), "weights"),
        ("missing weights", bench.line(run, weights="/no/such.pth"), "/no/such.pth"),
        ("foreign weights", bench.line(run, weights=junk), "junk.pth"),
        ("a folder as weights", bench.line(run, weights=empty), empty),
        ("lr out of range", bench.line(run, trainer="lr=-1"), "lr=-1"),
        ("momentum out of range", bench.line(run, trainer="momentum=2"), "momentum=2"),
        ("no CUDA", [w.replace("device=cpu", "device=cuda") for w in bench.line(run)], "cuda"),
        ("no such device", [w.replace("device=cpu", "device=tpu") for w in bench.line(run)], "tpu"),
        ("no shim", bench.line(run), "libtorch", {"TLPIPE_SHIM": "/no/such.so"}),
        ("no libtorch", bench.line(run), "libtorch", {"TLPIPE_TORCH": "/no/such"}),
        ("no place to write", bench.line("/proc/no/run"), "/proc/no"),
        ("batch-size out of range", [w.replace("batch-size=8", "batch-size=0")
                                     for w in bench.line(run)], "batch-size=0"),
    )
    for name, words, expected, *env in lists:
        output = bench.launch(words, status=1, env=env[0] if env else None)
        errors = [l for l in output.splitlines() if l.startswith("ERROR: from element")]
        check(errors and expected.lower() in errors[0].lower(),
              f"{name}: no \"{expected}\" in the first error:\n{output}")
        check(len(errors) == 1, f"{name}: {len(errors)} errors:\n{output}")


@contextlib.contextmanager
def open_bench(args):
    with tempfile.TemporaryDirectory(prefix="tlpipe lines ") as folder:
        # A blank in the path, as users have.
        link = tempfile.mktemp(prefix="tlpipe-lines-")
        os.symlink(folder, link)
        try:
            yield Bench(args, link)
        finally:
            os.unlink(link)


def add_options(parser):
    parser.add_argument("--draw", required=True, help="the program draw-frames")
    parser.add_argument("--arch", default="thumbnail")


if __name__ == "__main__":
    run_cases(globals(), add_options, open_bench)
