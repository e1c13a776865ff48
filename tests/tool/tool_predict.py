#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tlpipe predict and evaluate."""
import json
import os
import re
import shutil

from toolbench import main
from tapcases import check


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


if __name__ == "__main__":
    main(globals())
