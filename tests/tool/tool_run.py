#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tlpipe run, and tlpipe check of what would run."""
import json
import os
import pathlib
import re

from toolbench import FINETUNE, SLOW, main
from tapcases import check, metadata


def case_run_trains_and_says_where_the_checkpoints_are(bench):
    result = bench.run("run", bench.finetune(), "--set", "epochs=3")
    check(len(re.findall(r"^epoch \d/3: train loss .* valid loss ", result.out, re.M)) == 3,
          f"not a line per epoch: {result}")
    for word in ("best checkpoint: run/best.safetensors (balanced-accuracy 0.",
                 "last checkpoint: run/last.safetensors", "slowest stage: ", "finished after "):
        check(word in result.out, f"no {word!r}: {result}")
    check("\r" not in result.out and "\033" not in result.out + result.err,
          f"terminal codes in a log: {result}")
    check("warning: resnetfinetune: weights=random" in result.err, str(result))
    check(metadata(bench.path("run/last.safetensors"))["tlpipe.state"] == "finished", "state")


def case_the_catalog_runs(bench):
    catalog = pathlib.Path(__file__).parent.parent.parent / "pipelines/catalog"
    names = sorted(path.name for path in catalog.glob("*.yaml"))
    small = ["--set", f"data={bench.frames}", "--set", "max-samples=12"]
    trainer = ["--set", "resnetfinetune.arch=thumbnail", "--set", "device=cpu"]
    words = {
        "finetune.yaml": ["--set", "epochs=3", "--set", "weights=random", *trainer],
        "finetune-layer4.yaml": ["--set", "epochs=1", "--set", "weights=random",
                                 "--set", "run=layer4", *trainer],
        "evaluate.yaml": ["--set", "checkpoint=run/best.safetensors"],
        "decode-benchmark.yaml": ["--set", "epochs=1"],
    }
    feed = ["--set", "source=videotestsrc num-buffers=60 ! jpegenc ! decodebin ! queue",
            "--set", "checkpoint=run/best.safetensors", "--set", "device=cpu"]
    live = {
        "live.yaml": ["--set", "sink=fakesink"],
        "record.yaml": ["--set", "record=recording", "--set", "encoder=jpegenc"],
    }
    check(names == sorted([*words, *live]), f"{names}")
    for name, sets in words.items():
        bench.run("run", str(catalog / name), *small, *sets)
    for name, sets in live.items():
        bench.run("run", str(catalog / name), *feed, *sets)
    with open(os.path.join(bench.folder, "recording.jsonl"), encoding="utf-8") as file:
        results = [json.loads(line) for line in file]
    check(len(results) == 60 and all(r["state"] == "valid" for r in results), f"{results[-1:]}")
    check(metadata(bench.path("run/last.safetensors"))["tlpipe.state"] == "finished", "state")


def case_run_hints_when_the_trainer_waits(bench):
    text = FINETUNE.replace("  - augment\n", "  - identity: {sleep-time: 5000}\n")
    result = bench.run("run", bench.write("slow.yaml", text))
    share = re.search(r"waited for data (\d+) %", result.out)
    check(share and int(share.group(1)) > 20 and "hint: " in result.out, str(result))
    check("slowest stage: data" in result.out, str(result))
    text = FINETUNE.replace("epochs: 2", "epochs: 1")
    result = bench.run("run", bench.write("quick.yaml", text), env=SLOW)
    check("slowest stage: model" in result.out and "hint: " not in result.out, str(result))


def case_run_writes_json_and_nothing_else(bench):
    result = bench.run("run", bench.finetune(), "--json")
    objects = result.objects()
    kinds = {o["type"] for o in objects}
    check(kinds == {"stage", "progress", "model", "warning", "metrics", "flow", "checkpoint", "end"},
          f"{kinds}")
    check(objects[0]["type"] == "stage" and objects[-1]["type"] == "end", "order")
    end = objects[-1]
    check(end["state"] == "finished" and end["last"] == "run/last.safetensors"
          and end["seconds"] > 0 and 0 <= end["wait-share"] <= 1 and "value" in end, f"{end}")
    phases = [o for o in objects if o["type"] == "metrics" and o["scope"] == "phase"]
    check([(o["epoch"], o["split"]) for o in phases] ==
          [(0, "train"), (0, "valid"), (1, "train"), (1, "valid")], f"{phases}")
    last = json.loads(open(bench.path("run/metrics.jsonl"), encoding="utf-8").readlines()[-1])
    check(abs(last["valid"]["loss"] - phases[-1]["loss"]) < 1e-6, f"{last}\n{phases[-1]}")
    check(len(phases[-1]["confusion"]) == 3 and len(phases[-1]["confusion"][0]) == 3, "matrix")


def case_quiet_run_says_nothing(bench):
    result = bench.run("run", bench.finetune(), "-q")
    check(result.out == "" and "warning" in result.err, str(result))


def case_an_error_is_said_once(bench):
    result = bench.run("run", bench.finetune(), "--set", "data=/no/such/folder", status=1)
    check(result.err.count("error:") == 1 and "/no/such/folder" in result.err, str(result))
    check("failed after" in result.out, str(result))
    result = bench.run("run", bench.finetune(), "--set", "data=/no/such", "--json", status=1)
    check(len(result.of_type("error")) == 1, str(result))
    check(result.objects()[-1]["state"] == "failed", str(result))
    result = bench.run("run", bench.finetune(), status=1, env={"TLPIPE_SHIM": "/no/such.so"})
    check(result.err.count("error:") == 1 and "libtorch" in result.err, str(result))


def case_what_stock_elements_leave_unsaid_is_added(bench):
    bench.write("bad.yaml", "tlpipe: 1\npipeline:\n  - filesrc: {location: bad.yaml}\n"
                "  - decodebin\n  - fakesink\n")
    result = bench.run("run", "bad.yaml", status=1)
    check(result.err.count("error:") == 1, str(result))


def case_a_bad_file_runs_nothing(bench):
    text = FINETUNE.replace("batch-size: 8", "batch-size: 0").replace("augment", "augmnt")
    name = bench.write("bad.yaml", text)
    for verb in (["run"], ["check"], ["show", "--launch"]):
        result = bench.run(*verb, name, status=3)
        check('bad.yaml:6:5: error: ' in result.err and '"augment"' in result.err,
              f"no place or suggestion: {result}")
        check("bad.yaml:7:" in result.err and "    ^" in result.err, f"not all of them: {result}")
        check(result.out == "", str(result))
    check(not os.path.exists(bench.path("run")), "something ran")
    errors = bench.run("run", name, "--json", status=3).of_type("error")
    check([(e["file"], e["line"]) for e in errors] == [("bad.yaml", 6), ("bad.yaml", 7)],
          f"{errors}")
    result = bench.run("check", "no-such.yaml", name, status=3)
    check("no-such.yaml" in result.err and "bad.yaml" in result.err, str(result))
    result = bench.run("check", "", status=3)
    check('error: "": No such file' in result.err, str(result))


def case_check_says_what_is_good(bench):
    result = bench.run("check", bench.finetune())
    check(result.out == "finetune.yaml: good, 7 steps in 1 stage\n" and not result.err, str(result))
    found, = bench.run("check", "finetune.yaml", "--json").objects()
    check(found == {"type": "check", "file": "finetune.yaml", "good": True, "stages": 1,
                    "steps": 7}, str(found))


STAGES = """tlpipe: 1
stages:
  second: {needs: first, pipeline: [fakesrc: {num-buffers: 2}, fakesink]}
  first: {pipeline: [fakesrc: {num-buffers: 1}, fakesink]}
"""


def case_stages_run_in_their_order(bench):
    name = bench.write("stages.yaml", STAGES)
    stages = [o["stage"] for o in bench.run("run", name, "--json").of_type("stage")]
    check(stages == ["first", "second"], f"{stages}")
    result = bench.run("run", name, "--stage", "second")
    check("stage second finished" in result.out and "first" not in result.out, str(result))
    result = bench.run("run", name, "--stage", "secnd", status=2)
    check('no stage "secnd" - did you mean "second"?' in result.err, str(result))
    check(bench.run("show", "--launch", name).out.count("# stage ") == 2, "show")


def case_a_stage_that_fails_is_the_last(bench):
    bench.write("stages.yaml", STAGES.replace("fakesrc: {num-buffers: 1}",
                                              "filesrc: {location: /no/such}"))
    result = bench.run("run", "stages.yaml", status=1)
    check("stage first failed" in result.out and "second" not in result.out, str(result))


if __name__ == "__main__":
    main(globals())
