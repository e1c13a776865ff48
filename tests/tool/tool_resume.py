#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tlpipe run --resume: it goes on where a killed run stands, and ends with the same bytes."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys

from toolbench import FINETUNE, SLOW, main, wait_for
from tapcases import check, digest, metadata

RESULTS = ("last.safetensors", "best.safetensors", "metrics.jsonl")
EVERY_STEP = ("--set", "resnetfinetune.checkpoint-every=1")


def kill_a_run(bench, *words, name=None, until="run/last.safetensors"):
    process = bench.start("run", name or bench.finetune(), *EVERY_STEP, *words, env=SLOW)
    wait_for(bench, process, until)
    process.send_signal(signal.SIGKILL)
    check(bench.end(process).status == -signal.SIGKILL, "it ended before")


def equal(bench, first, second, names=RESULTS):
    for name in names:
        check(digest(bench.path(f"{first}/{name}")) == digest(bench.path(f"{second}/{name}")),
              f"{name} differs")


def damage(bench, name):
    path = bench.path(name)
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)


def case_a_killed_run_goes_on(bench):
    bench.train("--set", "run=whole")
    kill_a_run(bench)
    stood = metadata(bench.path("run/last.safetensors"))
    result = bench.run("run", "finetune.yaml", "--resume")
    check("resume: goes on from run/last.safetensors (epoch "
          f"{int(stood['tlpipe.epoch']) + 1} of 2, step {stood['tlpipe.step']}, "
          f"{stood['tlpipe.split']} sample {stood['tlpipe.position']})" in result.out, str(result))
    equal(bench, "whole", "run")
    check(not bench.temporary_files(), "temporary files stay")


def case_an_empty_folder_is_a_start(bench):
    bench.train("--set", "run=whole")
    for make in (lambda: None, lambda: os.mkdir(bench.path("run"))):
        shutil.rmtree(bench.path("run"), ignore_errors=True)
        make()
        result = bench.run("run", bench.finetune(), "--resume")
        check("resume: no checkpoint in run yet; begins at the start" in result.out, str(result))
        equal(bench, "whole", "run")


def case_a_finished_run_is_left_alone(bench):
    bench.train()
    before = os.stat(bench.path("run/last.safetensors")).st_mtime_ns
    result = bench.run("run", "finetune.yaml", "--resume")
    check("finished with epoch 2, step " in result.out and "nothing is left to do" in result.out
          and "Raise epochs" in result.out, str(result))
    check(os.stat(bench.path("run/last.safetensors")).st_mtime_ns == before, "it was written")
    found, = bench.run("run", "finetune.yaml", "--resume", "--json").of_type("resume")
    check(found["state"] == "finished" and found["checkpoint"] == "run/last.safetensors"
          and found["epoch"] == 2, f"{found}")


def case_more_epochs_prolong_a_finished_run(bench):
    bench.train("--set", "run=whole", "--set", "epochs=4")
    bench.train()
    bench.run("run", "finetune.yaml", "--resume", "--set", "epochs=4")
    equal(bench, "whole", "run")


def case_a_damaged_last_checkpoint_is_passed_over(bench):
    # Folder: what to do to last and best, what must be said, from where it goes on.
    words = ("--set", "checkpointsink.save-top-k=2", "--set", "epochs=4")
    bench.train("--set", "run=whole", *words)
    rows = (
        ("missing", lambda run: os.unlink(bench.path(f"{run}/last.safetensors")), (), "epoch-002"),
        ("half", lambda run: damage(bench, f"{run}/last.safetensors"), ("last",), "epoch-002"),
        ("foreign", lambda run: bench.write(f"{run}/last.safetensors", "<html>"), ("last",),
         "epoch-002"),
        ("none good", lambda run: [damage(bench, f"{run}/{name}.safetensors") for name in
                                   ("last", "best", "epoch-001", "epoch-002")],
         ("last", "best", "epoch-001", "epoch-002"), None),
    )
    for name, change, bad, source in rows:
        bench.train("--set", f"run={name}", *words[:2])
        if os.path.exists(bench.path(f"{name}/best.safetensors")) and source:
            os.unlink(bench.path(f"{name}/best.safetensors"))
        change(name)
        result = bench.run("run", "finetune.yaml", "--resume", "--set", f"run={name}", *words)
        for file in bad:
            check(f"warning: {name}/{file}.safetensors" in result.err, f"{name}: {result}")
        expected = (f"goes on from {name}/{source}.safetensors (" if source
                    else f"no checkpoint in {name} can be used; begins at the start")
        check(expected in result.out, f"{name}: no {expected!r}: {result}")
        equal(bench, "whole", name)


def case_without_trainer_or_sink_there_is_nothing_to_resume(bench):
    rows = (
        ("no sink", FINETUNE[:FINETUNE.index("  - checkpointsink")], "there is no checkpointsink"),
        ("no trainer", "tlpipe: 1\npipeline: [fakesrc: {num-buffers: 1}, fakesink]\n",
         "there is no resnetfinetune"),
    )
    for name, text, expected in rows:
        result = bench.run("run", bench.write("odd.yaml", text), "--resume", status=2)
        check(expected in result.err and result.err.count("error:") == 1, f"{name}: {result}")
        check(result.out == "", f"{name}: {result}")


STAGES = """tlpipe: 1
vars: {data: FRAMES}
stages:
  head:
    pipeline:
      - datasetsrc: {location: "${data}", epochs: 2, seed: 1}
      - imagedecode: {width: 32, height: 32}
      - batcher: {batch-size: 8}
      - resnetfinetune: {weights: random, arch: thumbnail, device: cpu, name: first}
      - checkpointsink: {location: head}
  more:
    needs: head
    pipeline:
      - datasetsrc: {location: "${data}", epochs: 2, seed: 2}
      - imagedecode: {width: 32, height: 32}
      - batcher: {batch-size: 8}
      - resnetfinetune: {weights: head/best.safetensors, device: cpu, checkpoint-every: "1"}
      - checkpointsink: {location: more}
  check:
    needs: more
    pipeline:
      - datasetsrc: {location: "${data}", splits: valid}
      - imagedecode: {width: 32, height: 32}
      - batcher
      - resnetfinetune: {weights: more/best.safetensors, device: cpu}
"""


def case_stages_that_are_finished_are_passed_over(bench):
    name = bench.write("stages.yaml", STAGES)
    bench.run("run", name)
    shutil.copytree(bench.path("more"), bench.path("whole"))
    for folder in ("head", "more"):
        shutil.rmtree(bench.path(folder))
    kill_a_run(bench, name=name, until="more/last.safetensors")
    result = bench.run("run", name, "--resume")
    check("head/last.safetensors is finished" in result.out
          and "goes on from more/last.safetensors" in result.out
          and "stage check finished" in result.out, str(result))
    equal(bench, "whole", "more")


def case_a_run_from_the_start_keeps_what_was_not_finished(bench):
    kill_a_run(bench)
    before = digest(bench.path("run/last.safetensors"))
    result = bench.run("run", "finetune.yaml")
    check("warning: run/last.safetensors is of a run that is not finished (epoch " in result.err
          and "--resume would go on" in result.err
          and "kept as run/unfinished.safetensors" in result.err, str(result))
    check(digest(bench.path("run/unfinished.safetensors")) == before, "it is another one")
    result = bench.run("run", "finetune.yaml")
    check("not finished" not in result.err, f"a finished run: {result}")
    check(digest(bench.path("run/unfinished.safetensors")) == before, "it was replaced")


def add_bad_pictures(bench):
    folder = pathlib.Path(bench.frames)
    good = sorted((folder / "normal").iterdir())[0].read_bytes()
    for n, bad in enumerate((b"", b"not a picture" * 50, good[:len(good) // 2], good[:700])):
        for name in ("normal", "b-lines"):
            (folder / name / f"video{n}_frame99.jpg").write_bytes(bad)


def case_kills_at_any_moment_change_nothing(bench):
    add_bad_pictures(bench)
    script = os.path.join(os.path.dirname(__file__), "killresume.py")
    result = subprocess.run(
        [sys.executable, script, bench.finetune(), "--tlpipe", bench.tlpipe, "--kills", "8",
         "--seed", "6", "--set", "epochs=3", "--set", "checkpointsink.save-top-k=2",
         "--set", "resnetfinetune.checkpoint-every=1", "--vary", "imagedecode.n-threads=1,4"],
        cwd=bench.folder, env={**os.environ, "TLPIPE_REFERENCE_FAIL": "step-ms:20"}, text=True,
        capture_output=True, check=False)
    check(result.returncode == 0 and "8 kills in " in result.stdout,
          f"{result.stdout}\n{result.stderr}")


if __name__ == "__main__":
    main(globals())
