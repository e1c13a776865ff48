#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The program tlpipe, as a user runs it.

Every case runs it on pictures drawn here and looks at the exit status, at stdout and
stderr, and at the files. The environment (plugin, shim) is meson's, with the reference
backend.

    tool.py --tlpipe TLPIPE --draw DRAW-FRAMES --completion FILE [CASE ...]
"""
import argparse
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

sys.path.append(str(pathlib.Path(__file__).parent.parent / "pipelines"))
from lines import Failure, check, digest, metadata  # noqa: E402
from terminal import Terminal  # noqa: E402

VERBS = ("run", "check", "show", "inspect", "doctor", "predict", "evaluate")

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


# ---- Words of the command line -------------------------------------------------


def case_every_verb_has_help(bench):
    usage = bench.run("--help").out
    for verb in VERBS:
        check(f"\n  {verb} " in usage, f"{verb} is not listed:\n{usage}")
        text = bench.run(verb, "--help").out
        for word in (f"usage: tlpipe {verb}", "Options:", "--help", "Examples:", "Exit status:"):
            check(word in text, f"{verb} --help lacks {word!r}:\n{text}")
        wide = [line for line in text.splitlines() if len(line) > 100]
        check(not wide, f"{verb} --help has wide lines: {wide}")
    check(re.findall(r"^  (\w+)", usage, re.M) == list(VERBS), f"other verbs:\n{usage}")


def case_the_documents_name_what_there_is(bench):
    root = pathlib.Path(__file__).parent.parent.parent
    known = {verb: set(re.findall(r"(?<![\w-])--?[\w-]+", bench.run(verb, "--help").out))
             for verb in VERBS}
    n = 0
    for path in [root / "README.md", *(root / "docs").rglob("*.md")]:
        for line in re.findall(r"^    tlpipe (.*)$", path.read_text(encoding="utf-8"), re.M):
            verb, *words = line.replace("[", " ").replace("]", " ").replace("|", " ").split()
            check(verb in VERBS or verb in ("VERB", "error:"), f"{path}: tlpipe {line}")
            for word in words if verb in VERBS else []:
                check(not word.startswith("-") or word in known[verb], f"{path}: {word} of {line}")
            n += 1
    check(n > 10, f"only {n} lines")


def case_version_is_that_of_the_project(bench):
    check(re.fullmatch(r"tlpipe \d+\.\d+\.\d+\n", bench.run("--version").out), "version")


# Name, words, what stderr must say.
USAGE_ERRORS = (
    ("no verb", [], "usage: tlpipe VERB"),
    ("an unknown verb", ["rnu"], 'there is no verb "rnu" - did you mean "run"?'),
    ("an unknown verb like none", ["frobnicate"], 'there is no verb "frobnicate"'),
    ("an unknown option", ["run", "f.yaml", "--sett", "a=b"],
     'run has no option "sett" - did you mean "set"?'),
    ("an unknown option with a value", ["run", "--stal-timeout=3", "f.yaml"],
     'run has no option "stal-timeout" - did you mean "stall-timeout"?'),
    ("an unknown short option", ["run", "-x", "f.yaml"], "-x"),
    ("an option without its value", ["run", "f.yaml", "--set"], "--set"),
    ("no file", ["run"], "run needs FILE"),
    ("no checkpoint", ["predict"], "predict needs CHECKPOINT PATH..."),
    ("no path", ["predict", "c.safetensors"], "predict needs CHECKPOINT PATH..."),
    ("one argument too many", ["run", "a.yaml", "b.yaml"], '"b.yaml" too'),
    ("an argument where none is taken", ["doctor", "me"], 'takes no arguments, but there is "me"'),
    ("two elements", ["inspect", "batcher", "augment"], '"augment" too'),
    ("neither launch nor dot", ["show", "f.yaml"], "show needs --launch or --dot"),
    ("both launch and dot", ["show", "f.yaml", "--launch", "--dot"], "show needs --launch or --dot"),
    ("top-k of nothing", ["predict", "c", "p", "--top-k", "0"], "--top-k=0: expected a number from 1"),
    ("top-k of too much", ["predict", "c", "p", "--top-k", "17"], "from 1 to 16"),
    ("top-k that is no number", ["predict", "c", "p", "--top-k", "3x"], "--top-k=3x"),
    ("top-k with a sign", ["predict", "c", "p", "--top-k", "+3"], "--top-k=+3"),
    ("a negative timeout", ["run", "f", "--stall-timeout=-1"], "--stall-timeout=-1: expected"),
    ("an unknown split", ["evaluate", "c", "d", "--split", "train"], "expected valid or test"),
)


def case_wrong_command_lines_are_explained(bench):
    for name, words, expected in USAGE_ERRORS:
        result = bench.run(*words, status=2)
        check(expected in result.err, f"{name}: no {expected!r}: {result}")
        check(result.out == "", f"{name}: something on stdout: {result}")
        check("--help" in result.err, f"{name}: where is help? {result}")


def case_double_dash_ends_the_options(bench):
    bench.write("--odd.yaml", FINETUNE)
    bench.run("check", "--", "--odd.yaml")


def case_completion_knows_every_verb_and_option(bench):
    def complete(*words):
        script = (f'source "{bench.completion}"; COMP_WORDS=({" ".join(words)}); '
                  f'COMP_CWORD={len(words) - 1}; _tlpipe; printf "%s\\n" "${{COMPREPLY[@]}}"')
        result = subprocess.run(["bash", "-c", script], cwd=bench.folder, text=True, check=True,
                                capture_output=True)
        check(result.stderr == "", result.stderr)
        return set(result.stdout.split())

    bench.finetune()
    check(complete("tlpipe", "''") == set(VERBS) | {"--help", "--version"},
          str(complete("tlpipe", "''")))
    check(complete("tlpipe", "ev") == {"evaluate"}, "ev")
    for verb in VERBS:
        options = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", bench.run(verb, "--help").out, re.M))
        check(complete("tlpipe", verb, "--") == options,
              f"{verb}: {complete('tlpipe', verb, '--')} instead of {options}")
    check("finetune.yaml" in complete("tlpipe", "run", "fine"), "files")
    check(complete("tlpipe", "evaluate", "c", "d", "--split", "''") == {"valid", "test"}, "split")


# ---- run ----------------------------------------------------------------------


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
    check(names == sorted(words), f"{names}")
    for name, sets in words.items():
        bench.run("run", str(catalog / name), *small, *sets)
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


# ---- show ---------------------------------------------------------------------


def case_the_shown_line_trains_to_the_same_bytes(bench):
    bench.train()
    line = bench.run("show", "--launch", "finetune.yaml", "--set", "run=with a blank & more").out
    subprocess.run(["sh", "-c", line.replace("gst-launch-1.0", "gst-launch-1.0 -q", 1)],
                   cwd=bench.folder, check=True, timeout=60)
    for name in ("last.safetensors", "best.safetensors", "metrics.jsonl"):
        check(digest(bench.path(f"run/{name}")) == digest(bench.path(f"with a blank & more/{name}")),
              f"{name} differs:\n{line}")


def case_the_drawing_has_every_element(bench):
    text = bench.run("show", "--dot", bench.finetune()).out
    check(text.startswith("digraph "), text[:100])
    for name in ("datasetsrc", "imagedecode", "resnetfinetune", "checkpointsink"):
        check(name in text, f"no {name}")


# ---- inspect and doctor ---------------------------------------------------------


def case_inspect_lists_the_elements(bench):
    names = [o["name"] for o in bench.run("inspect", "--json").objects()]
    check({"datasetsrc", "imagedecode", "augment", "batcher", "resnetfinetune", "checkpointsink",
           "resnetinfer"} <= set(names) and names == sorted(names), f"{names}")
    text = bench.run("inspect").out
    check([line.split()[0] for line in text.splitlines()] == names, text)


def case_inspect_shows_every_property(bench):
    for element in [o["name"] for o in bench.run("inspect", "--json").objects()]:
        properties = bench.run("inspect", element, "--json").objects()
        text = bench.run("inspect", element).out
        for p in properties:
            check(re.search(rf"^{p['name']} +{p['value-type']} ", text, re.M), f"{element}: {p}")
            check(p["description"] in text, f"{element}: {p}")
    rows = {p["name"]: p for p in bench.run("inspect", "resnetfinetune", "--json").objects()}
    check(rows["lr"]["range"] == "more than 0" and rows["lr"]["default"] == "0.001", f"{rows['lr']}")
    check(rows["optimizer"]["range"] == "sgd, adam, adamw"
          and rows["optimizer"]["default"] == "sgd", f"{rows['optimizer']}")
    check(rows["loss"]["changes"] == "read only" and rows["lr"]["changes"] == "READY", "changes")
    check("name" not in rows and "parent" not in rows, "GstObject's properties")
    rows = {p["name"]: p for p in bench.run("inspect", "batcher", "--json").objects()}
    check(rows["batch-size"]["range"] == "1 to 65536", f"{rows['batch-size']}")


def case_inspect_knows_stock_elements_and_suggests(bench):
    check("silent" in bench.run("inspect", "fakesink").out, "fakesink")
    result = bench.run("inspect", "resnetfinetun", status=1)
    check('did you mean "resnetfinetune"?' in result.err, str(result))


def case_doctor_knows_whether_training_can_run(bench):
    result = bench.run("doctor")
    for word in ("GStreamer 1.", "libgsttlpipe.so", "reference", "CUDA", "threads", "memory",
                 "training can run here"):
        check(word in result.out, f"no {word!r}: {result}")
    found = {o["what"]: o for o in bench.run("doctor", "--json").objects()}
    check(found["libtorch"]["state"] == "ok" and found["CUDA"]["state"] == "optional"
          and found["CUDA"]["found"], f"{found}")


def case_doctor_says_what_is_wrong(bench):
    result = bench.run("doctor", status=1, env={"TLPIPE_SHIM": "/no/such.so"})
    check("bad      libtorch" in result.out and "/no/such.so" in result.out
          and "pip install torch" in result.out and "cannot run here" in result.out, str(result))
    # Fewer stock plugins than there are packages: it says how to get the rest.
    empty = bench.path("no-plugins")
    os.mkdir(empty)
    result = bench.run("doctor", env={"GST_PLUGIN_SYSTEM_PATH_1_0": empty,
                                      "GST_REGISTRY_1_0": bench.path("registry.bin")})
    check("apt-get install gstreamer1.0-plugins-good" in result.out, str(result))


def case_the_build_tree_needs_no_environment(bench):
    clean = {"PATH": "/usr/bin:/bin", "HOME": bench.folder}
    program = subprocess.run([bench.tlpipe, "inspect", "--json"], cwd="/", env=clean, text=True,
                             capture_output=True, check=False)
    check(program.returncode == 0 and "resnetfinetune" in program.stdout,
          f"{program.stdout}\n{program.stderr}")
    check("/elements/libgsttlpipe.so" in subprocess.run(
        [bench.tlpipe, "doctor"], cwd="/", env=clean, text=True, capture_output=True,
        check=False).stdout, "another plugin")
    # Elsewhere it is an installed program, which finds no plugin here.
    other = shutil.copy(bench.tlpipe, bench.path("tlpipe"))
    clean["LD_LIBRARY_PATH"] = os.path.join(os.path.dirname(bench.tlpipe), "../elements/common")
    program = subprocess.run([other, "inspect"], env=clean, text=True, capture_output=True,
                             check=False)
    check(program.returncode == 1 and "doctor" in program.stderr,
          f"{program.stdout}\n{program.stderr}")


# ---- predict and evaluate ---------------------------------------------------------


def case_evaluate_measures_what_training_measured(bench):
    checkpoint = bench.train()
    found, = bench.run("evaluate", checkpoint, bench.frames, "--json").objects()
    lines = [json.loads(l) for l in open(bench.path("run/metrics.jsonl"), encoding="utf-8")]
    check(any(abs(l["valid"]["loss"] - found["loss"]) < 1e-6 for l in lines), f"{found}\n{lines}")
    check(found["n"] == 12 and found["split"] == "valid", f"{found}")
    for i, klass in enumerate(found["classes"]):
        row = found["confusion"][i]
        check(klass["n"] == sum(row) and klass["right"] == row[i]
              and abs(klass["sensitivity"] - row[i] / sum(row)) < 1e-12, f"{klass}")
    text = bench.run("evaluate", checkpoint, bench.frames).out
    for word in ("accuracy", "sensitivity", "b-lines", "taken for"):
        check(word in text, f"no {word!r}:\n{text}")


def case_predict_agrees_with_evaluate(bench):
    checkpoint = bench.train("--set", "epochs=8")
    whole, = bench.run("evaluate", checkpoint, bench.frames, "--split", "test", "--json").objects()
    names = [c["name"] for c in whole["classes"]]
    matrix = [[0] * len(names) for _ in names]
    results = bench.run("predict", checkpoint, bench.frames, "--json").of_type("prediction")
    for result in results:
        check(abs(sum(result["probabilities"]) - 1) < 1e-5, f"{result}")
        check(result["probabilities"] == sorted(result["probabilities"], reverse=True), f"{result}")
        truth = os.path.basename(os.path.dirname(result["path"]))
        matrix[names.index(truth)][names.index(result["classes"][0])] += 1
    check(matrix == whole["confusion"], f"{matrix}\n{whole['confusion']}")
    paths = [r["path"] for r in results]
    check(paths == sorted(paths) and len(paths) == 72, "order")


def case_predict_lists_pictures(bench):
    checkpoint = bench.train()
    picture = os.path.join(bench.frames, "normal", sorted(os.listdir(f"{bench.frames}/normal"))[0])
    odd = bench.path("pas mal é.JPG")
    shutil.copy(picture, odd)
    result = bench.run("predict", checkpoint, picture, odd, "--top-k", "1",
                       env={"LC_ALL": "C"})
    lines = result.out.splitlines()
    check(len(lines) == 2 and all(re.search(r"  [\w-]+ 0\.\d{4}$", l) for l in lines), str(result))
    check("é" in lines[1], str(result))


def case_predict_gives_bad_pictures_a_line(bench):
    checkpoint = bench.train()
    picture = os.path.join(bench.frames, "normal", sorted(os.listdir(f"{bench.frames}/normal"))[0])
    bench.write("junk.jpg", "no picture")
    bench.write("empty.png", "")
    os.mkdir(bench.path("nothing"))
    os.mkfifo(bench.path("pipe.jpg"))
    os.symlink(bench.path("loop"), bench.path("loop"))
    bad = ["junk.jpg", "empty.png", "nothing", "pipe.jpg", "loop", "missing.jpg"]
    result = bench.run("predict", checkpoint, *bad, picture, status=1)
    for name in bad:
        check(re.search(rf"^{name} .*cannot be used: \w", result.out, re.M), f"{name}: {result}")
    check(re.search(r"normal/.*0\.\d{4}", result.out) and result.err == "", str(result))
    result = bench.run("predict", checkpoint, *bad, picture, "--json", status=1)
    check(len(result.of_type("sample-error")) == len(bad) and len(result.of_type("prediction")) == 1,
          str(result))
    result = bench.run("predict", checkpoint, "junk.jpg", status=1)
    check(result.out.count("\n") == 1 and result.err == "", f"all are bad: {result}")
    result = bench.run("predict", checkpoint, "missing.jpg", status=1)
    check(result.out.count("\n") == 1 and result.err == "", f"all are missing: {result}")


def case_a_wrong_checkpoint_is_one_error(bench):
    bench.write("junk.safetensors", "no checkpoint")
    for words in (["predict", "junk.safetensors", bench.frames],
                  ["evaluate", "junk.safetensors", bench.frames],
                  ["predict", "no-such.safetensors", bench.frames],
                  ["evaluate", "no-such.safetensors", bench.frames],
                  ["evaluate", bench.train(), "/no/such/folder"]):
        result = bench.run(*words, status=1)
        check(result.err.count("error:") == 1 and result.out == "", str(result))
        check("no-such" in result.err or "junk" in result.err or "/no/such" in result.err,
              str(result))


def case_names_cannot_write_to_the_terminal(bench):
    checkpoint = bench.train()
    name = bench.path("\033[2Jevil\r.jpg")
    shutil.copy(os.path.join(bench.frames, "normal", os.listdir(f"{bench.frames}/normal")[0]), name)
    result = bench.run("predict", checkpoint, name)
    check("\033" not in result.out and "\r" not in result.out and "evil" in result.out,
          repr(result.out))
    found, = bench.run("predict", checkpoint, name, "--json").objects()
    check(found["path"] == name, f"{found}")


# ---- Signals and stalls ---------------------------------------------------------


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
    check(state["tlpipe.state"] == "interrupted", f"{state}\n{result}")
    check("interrupted after" in result.out and not bench.temporary_files(), str(result))
    return result


def case_a_signal_leaves_a_checkpoint(bench):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        shutil.rmtree(bench.path("run"), ignore_errors=True)
        process = bench.start("run", bench.finetune(), "--set", "epochs=1000", env=SLOW)
        wait_for(bench, process, "run/last.safetensors")
        process.send_signal(number)
        result = interrupted(bench, process)
        line = re.search(r"^go on with: (.*)$", result.out, re.M)
        check(line and "resnetfinetune.resume=" in line.group(1), str(result))


def case_a_checkpoint_that_is_lost_is_a_failure(bench):
    process = bench.start("run", bench.finetune(), "--set", "epochs=1000",
                          "--set", "resnetfinetune.checkpoint-every=none",
                          env={"TLPIPE_REFERENCE_FAIL": "step-ms:100"})
    time.sleep(1)
    shutil.rmtree(bench.path("run"))
    process.send_signal(signal.SIGINT)
    result = bench.end(process)
    check(result.status == 1 and result.err.count("error:") == 1 and "cannot be" in result.err,
          str(result))


def case_an_interrupted_run_goes_on_to_the_same_bytes(bench):
    bench.train("--set", "run=whole", "--set", "epochs=4")
    process = bench.start("run", bench.finetune(), "--set", "epochs=4", env=SLOW)
    wait_for(bench, process, "run/last.safetensors")
    process.send_signal(signal.SIGINT)
    words = re.search(r"go on with: tlpipe (.*)", interrupted(bench, process).out).group(1)
    words = subprocess.run(["sh", "-c", f"printf '%s\\n' {words}"], text=True, check=True,
                           capture_output=True).stdout.splitlines()
    bench.run(*words, "--set", "epochs=4")
    for name in ("last.safetensors", "best.safetensors", "metrics.jsonl"):
        check(digest(bench.path(f"run/{name}")) == digest(bench.path(f"whole/{name}")),
              f"{name} differs")


def case_the_second_signal_ends_it_at_once(bench):
    for first, second in ((signal.SIGINT, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)):
        process = bench.start("run", bench.finetune(), env={"TLPIPE_REFERENCE_FAIL":
                                                            "step-ms:20000"})
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
        process.send_signal(chance.choice([signal.SIGINT, signal.SIGTERM]))
        result = bench.end(process)
        check(result.status == 130, f"{number}: {result}")
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


# ---- On a terminal ------------------------------------------------------------


def case_the_bar_fits_every_width(bench):
    for columns in (40, 41, 60, 80, 120, 200):
        shutil.rmtree(bench.path("run"), ignore_errors=True)
        terminal = Terminal([bench.tlpipe, "run", bench.finetune(), "--set", "epochs=2"],
                            columns, bench.folder, SLOW)
        check(terminal.finish() == 0, terminal.text)
        bars = terminal.bars()
        check(len(bars) > 3, f"no bar at {columns}: {terminal.text!r}")
        wide = [b for b in bars if len(b) >= columns]
        check(not wide, f"{columns}: {wide}")
        check(any("%" in b for b in bars), f"{columns}: {bars}")
        lines = terminal.lines()
        check(sum(bool(re.match(r"epoch \d/2: train loss", l)) for l in lines) == 2, f"{lines}")
        check(not any("[=" in l or "[>" in l for l in lines), f"a bar stays: {lines}")


def case_the_bar_shows_the_training(bench):
    terminal = Terminal([bench.tlpipe, "run", bench.finetune(), "--set", "epochs=5"], 120,
                        bench.folder, {"TLPIPE_REFERENCE_FAIL": "step-ms:120"})
    check(terminal.finish() == 0, terminal.text)
    last = [b for b in terminal.bars() if "epoch" in b][-1]
    for part in (r"epoch \d/5", r"\[=+>? *\]", r"\d+ %", r"loss \d\.\d{3}", r"acc \d+\.\d %",
                 r"\d+ images/s", r"ETA \d+ s"):
        check(re.search(part, last), f"no {part} in {last!r}")
    percents = [int(p) for p in re.findall(r"(\d+) %", " ".join(
        re.sub(r"acc [\d.]+ %", "", b) for b in terminal.bars()))]
    check(percents == sorted(percents), f"{percents}")


def case_ctrl_c_on_a_terminal(bench):
    terminal = Terminal([bench.tlpipe, "run", bench.finetune(), "--set", "epochs=1000"], 80,
                        bench.folder, SLOW)
    terminal.wait_for("epoch 2/1000")
    terminal.type("\x03")
    check(terminal.finish() == 130, terminal.text)
    check(any(l.startswith("interrupted after") for l in terminal.lines()), terminal.text)
    check("once more to stop at once" in terminal.text, terminal.text)


def case_colours_only_where_they_are_wanted(bench):
    words = [bench.tlpipe, "run", bench.finetune()]
    for env, color, bar in (({}, True, True), ({"NO_COLOR": "1"}, False, True),
                            ({"NO_COLOR": ""}, True, True), ({"TERM": "dumb"}, False, False)):
        terminal = Terminal(words, 80, bench.folder, {**SLOW, **env})
        check(terminal.finish() == 0, terminal.text)
        check(("\033[1;" in terminal.text) == color, f"{env}: {terminal.text!r}")
        check(bool(terminal.bars()) == bar, f"{env}: {terminal.text!r}")


def case_no_bar_with_json_or_quiet(bench):
    for option in ("--json", "--quiet"):
        terminal = Terminal([bench.tlpipe, "run", bench.finetune(), option], 80, bench.folder, SLOW)
        check(terminal.finish() == 0 and not terminal.bars(), terminal.text)


def main():
    cases = {n[5:]: f for n, f in globals().items() if n.startswith("case_")}
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--tlpipe", required=True, type=os.path.abspath, help="the program")
    p.add_argument("--draw", required=True, type=os.path.abspath, help="the program draw-frames")
    p.add_argument("--completion", required=True, type=os.path.abspath, help="the bash completion")
    p.add_argument("case", nargs="*", help="all without: " + ", ".join(cases))
    args = p.parse_args()
    chosen = args.case or list(cases)
    failures = 0
    print(f"1..{len(chosen)}")
    for number, name in enumerate(chosen, 1):
        with tempfile.TemporaryDirectory(prefix="tlpipe tool ") as folder:
            try:
                cases[name](Bench(args, folder))
                print(f"ok {number} - {name}", flush=True)
            except (Failure, OSError, subprocess.SubprocessError) as failure:
                failures += 1
                print(f"not ok {number} - {name}")
                print("".join(f"# {line}\n" for line in str(failure).splitlines()), flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
