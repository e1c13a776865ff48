#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs that end early: signals, stalls, and a stdout that closes."""
import os
import random
import re
import shutil
import signal
import subprocess
import time

from toolbench import SLOW, interrupted, main, wait_for, wait_for_handlers
from tapcases import check, digest, metadata


def case_a_signal_leaves_a_checkpoint(bench):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        shutil.rmtree(bench.path("run"), ignore_errors=True)
        process = bench.start("run", bench.finetune(), "--set", "epochs=1000", env=SLOW)
        wait_for(bench, process, "run/last.safetensors")
        process.send_signal(number)
        result = interrupted(bench, process)
        line = re.search(r"^go on with: (.*)$", result.out, re.M)
        check(line and line.group(1) ==
              "tlpipe run 'finetune.yaml' --set 'epochs=1000' --resume", str(result))


def case_a_checkpoint_that_is_lost_is_a_failure(bench):
    process = bench.start("run", bench.finetune(), "--set", "epochs=1000",
                          "--set", "resnetfinetune.checkpoint-every=none",
                          env={"TLPIPE_REFERENCE_FAIL": "step-ms:100"})
    wait_for(bench, process, "run")
    time.sleep(1)
    shutil.rmtree(bench.path("run"))
    process.send_signal(signal.SIGINT)
    result = bench.end(process)
    check(result.status == 1 and result.err.count("error:") == 1 and "is gone" in result.err,
          str(result))


def case_an_interrupted_run_goes_on_to_the_same_bytes(bench):
    bench.train("--set", "run=whole", "--set", "epochs=4")
    process = bench.start("run", bench.finetune(), "--set", "epochs=4", env=SLOW)
    wait_for(bench, process, "run/last.safetensors")
    process.send_signal(signal.SIGINT)
    words = re.search(r"go on with: tlpipe (.*)", interrupted(bench, process).out).group(1)
    words = subprocess.run(["sh", "-c", f"printf '%s\\n' {words}"], text=True, check=True,
                           capture_output=True).stdout.splitlines()
    bench.run(*words)
    for name in ("last.safetensors", "best.safetensors", "metrics.jsonl"):
        check(digest(bench.path(f"run/{name}")) == digest(bench.path(f"whole/{name}")),
              f"{name} differs")


def case_the_second_signal_ends_it_at_once(bench):
    for first, second in ((signal.SIGINT, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)):
        process = bench.start("run", bench.finetune(), env={"TLPIPE_REFERENCE_FAIL":
                                                            "step-ms:20000"})
        wait_for_handlers(process)
        time.sleep(1)
        process.send_signal(first)
        time.sleep(0.6)
        check(process.poll() is None, "it did not wait for the step")
        process.send_signal(second)
        begin = time.time()
        result = bench.end(process)
        check(result.status == 130 and time.time() - begin < 2, str(result))
        check("stopped at once" in result.err, str(result))


def case_one_key_press_sent_twice_is_one(bench):
    process = bench.start("run", bench.finetune(), "--set", "epochs=1000", env=SLOW)
    wait_for(bench, process, "run/last.safetensors")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    interrupted(bench, process)


def case_a_terminal_that_closes_says_so_more_than_once(bench):
    process = bench.start("run", bench.finetune(), "--set", "epochs=1000",
                          env={"TLPIPE_REFERENCE_FAIL": "step-ms:700"})
    wait_for_handlers(process)
    time.sleep(1)
    for _ in range(3):
        process.send_signal(signal.SIGHUP)
        time.sleep(0.35)
    interrupted(bench, process)


def case_twenty_interruptions_at_any_moment(bench):
    chance = random.Random(5)
    for number in range(20):
        shutil.rmtree(bench.path("run"), ignore_errors=True)
        process = bench.start("run", bench.finetune(), "--set", "epochs=1000",
                              "--set", "resnetfinetune.checkpoint-every=2",
                              env={"TLPIPE_REFERENCE_FAIL": "step-ms:20"})
        # From before the first element to the middle of an epoch.
        time.sleep(chance.uniform(0.15, 0.8))
        asked = chance.choice([signal.SIGINT, signal.SIGTERM])
        process.send_signal(asked)
        result = bench.end(process)
        # Before it listens, a signal ends it as it ends any program.
        unheard = (result.status == -asked and result.out + result.err == ""
                   and not os.path.exists(bench.path("run")))
        check(result.status == 130 or unheard, f"{number}: {result}")
        check(not bench.temporary_files(), f"{number}: temporary files stay")
        last = bench.path("run/last.safetensors")
        if "stopped after step" in result.out:
            check(os.path.exists(last), f"{number}: no checkpoint: {result}")
        if os.path.exists(last):
            bench.run("predict", last, bench.frames, "--json")


def case_a_signal_ends_all_stages(bench):
    bench.write("stages.yaml", "tlpipe: 1\nstages:\n"
                "  a: {pipeline: [fakesrc: {is-live: true}, fakesink: {sync: true}]}\n"
                "  b: {pipeline: [fakesrc: {num-buffers: 1}, fakesink]}\n")
    process = bench.start("run", "stages.yaml")
    wait_for_handlers(process)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    result = bench.end(process)
    check(result.status == 130 and "stage b" not in result.out, str(result))


def case_a_stall_is_reported_with_where_it_stands(bench):
    bench.write("silent.yaml", "tlpipe: 1\npipeline: [appsrc: {name: silent}, queue, fakesink]\n")
    begin = time.time()
    result = bench.run("run", "silent.yaml", "--stall-timeout", "1", status=1)
    check(1 <= time.time() - begin < 10, "time")
    check("Nothing has moved for 1 s" in result.err and "silent.src gave 0 buffers" in result.err
          and "queue.src gave 0 buffers, holds 0 of 200" in result.err, str(result))
    check("failed after" in result.out, str(result))


def case_an_element_that_never_stops_does_not_hold_the_program(bench):
    bench.write("stuck.yaml", "tlpipe: 1\npipeline: [fakesrc, "
                "identity: {name: stuck, sleep-time: 100000000}, fakesink]\n")
    result = bench.run("run", "stuck.yaml", "--stall-timeout", "1", status=1, timeout=30)
    check("stuck.src gave 0 buffers" in result.err and "does not stop" in result.err, str(result))


def case_a_slow_step_is_no_stall(bench):
    bench.run("run", bench.finetune(), "--set", "epochs=1", "--stall-timeout", "2",
              env={"TLPIPE_REFERENCE_FAIL": "step-ms:300"})


def case_a_closed_stdout_ends_the_run_in_order(bench):
    read, write = os.pipe()
    process = bench.start("run", bench.finetune(), "--set", "epochs=1000", env=SLOW, stdout=write)
    os.close(write)
    wait_for(bench, process, "run/last.safetensors")
    os.close(read)
    result = bench.end(process)
    check(result.status == 1 and "stdout cannot be written to" in result.err, str(result))
    # The line that could not be written is that of an epoch: where no step was
    # made after it, its checkpoint is the last one, and not written twice.
    state = metadata(bench.path("run/last.safetensors"))
    check(state["tlpipe.state"] == "interrupted"
          or state["tlpipe.state"] == "running" and state["tlpipe.position"] == "0",
          f"{state} {result}")
    check(not bench.temporary_files(), str(bench.temporary_files()))


def case_tools_without_a_checkpoint_end_as_others_when_stdout_closes(bench):
    checkpoint = bench.train()
    for words in (["inspect"], ["predict", checkpoint, bench.frames],
                  ["evaluate", checkpoint, bench.frames], ["doctor"]):
        read, write = os.pipe()
        process = bench.start(*words, stdout=write)
        os.close(read)
        os.close(write)
        result = bench.end(process)
        check(result.status == -signal.SIGPIPE and result.err == "", f"{words}: {result}")


def case_a_full_disk_behind_stdout_is_an_error(bench):
    with open("/dev/full", "w", encoding="utf-8") as full:
        for words in (["inspect"], ["check", bench.finetune()], ["--help"],
                      ["show", "--launch", "finetune.yaml"]):
            result = bench.end(bench.start(*words, stdout=full))
            check(result.status == 1, f"{words}: {result}")


if __name__ == "__main__":
    main(globals())
