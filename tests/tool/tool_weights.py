#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tlpipe weights list and verify; names of weights in the other verbs."""
import os

from toolbench import main
from tapcases import check, digest

FILE_18 = "resnet18-f37072fd.pth"


def folders(bench):
    return {"TLPIPE_WEIGHTS": bench.path("weights"), "TORCH_HOME": bench.path("torch")}


def put(bench, name, content):
    path = bench.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    return path


def case_list_says_what_there_is_and_where(bench):
    env = folders(bench)
    rows = bench.run("weights", "list", "--json", env=env).of_type("weights")
    check(len(rows) == 8 and not any("path" in row for row in rows), f"{rows}")
    by_name = {row["name"]: row for row in rows}
    check(by_name["resnet50"]["torchvision"] == "ResNet50_Weights.IMAGENET1K_V2"
          and by_name["resnet50"]["resize"] == 232
          and by_name["resnet50-v1"]["resize"] == 256, f"{by_name}")
    check(by_name["resnet18"]["bytes"] == 46830571 and "bytes" not in by_name["resnet34"],
          f"{by_name}")
    for place in ("torch/hub/checkpoints", "weights"):
        path = put(bench, f"{place}/{FILE_18}", b"x")
        rows = bench.run("weights", "list", "--json", env=env).of_type("weights")
        check([row["path"] for row in rows if "path" in row] == [path], f"{rows}")
    text = bench.run("weights", "list", env=env).out
    for row in rows:
        line = [l for l in text.splitlines() if l.startswith(row["name"] + " ")][0]
        for key in ("file", "top1", "resize", "crop"):
            check(str(row[key]) in line, f"no {key} in {line!r}")
    check(path in text and env["TLPIPE_WEIGHTS"] in text, text)


def case_verify_says_what_a_file_is(bench):
    checkpoint = bench.train()
    result = bench.run("weights", "verify", checkpoint)
    check("safetensors checkpoint of tlpipe, thumbnail for 3 classes" in result.out
          and "3 tensors of F32" in result.out and digest(checkpoint) in result.out
          and "none of torchvision's" in result.out, str(result))
    row = bench.run("weights", "verify", checkpoint, "--json").of_type("weights-file")[0]
    check(row["good"] and row["arch"] == "thumbnail" and row["classes"] == 3
          and row["tensors"] == 3 and row["parameters"] == 192 + 3 * 193
          and row["sha256"] == digest(checkpoint) and row["digest"] == "unknown"
          and row["checkpoint"], f"{row}")


# Name of the file, its content, what stderr must say of it.
BAD = (
    ("empty.pth", b"", "empty"),
    (FILE_18, b"PK\3\4 and no more", "truncated or altered download"),
    ("page.pth", b"<!DOCTYPE html>", "a web page, not a model"),
    ("text.pth", b"hello", "neither a safetensors file"),
    ("none.safetensors", b"\2\0\0\0\0\0\0\0{}", "not a ResNet that tlpipe knows"),
)


def case_verify_fails_for_bad_files(bench):
    checkpoint = bench.train()
    for name, content, text in BAD:
        path = put(bench, "bad/" + name, content)
        result = bench.run("weights", "verify", path, checkpoint, status=1)
        check(path in result.err and text in result.err, f"{name}: {result}")
        check("checkpoint of tlpipe" in result.out, f"{name}: the next was left out: {result}")
        row = bench.run("weights", "verify", path, "--json", status=1).of_type("weights-file")[0]
        check(not row["good"] and text in row["text"], f"{row}")
    result = bench.run("weights", "verify", "nothing.pth", status=1)
    check("nothing.pth is neither a file here nor a name" in result.err, str(result))


def case_verify_takes_a_name(bench):
    env = folders(bench)
    result = bench.run("weights", "verify", "resnet18", env=env, status=1)
    check('"tlpipe weights fetch resnet18"' in result.err, str(result))
    path = put(bench, f"weights/{FILE_18}", b"PK\3\4 and no more")
    result = bench.run("weights", "verify", "resnet18", env=env, status=1)
    check(f"{path}: truncated or altered" in result.err, str(result))


# Words, what stderr must say.
USAGE_ERRORS = (
    ([], "weights needs list|verify FILE...|fetch NAME..."),
    (["lsit"], 'weights does not lsit - did you mean "list"?'),
    (["list", "resnet18"], 'weights list takes no arguments, but there is "resnet18"'),
    (["verify"], "weights verify needs FILE..."),
    (["fetch"], "weights fetch needs NAME..."),
    (["list", "--from", "http://a"], "--from and --stall-timeout are for weights fetch"),
    (["fetch", "resnet18", "--from", "ftp://a"], "--from=ftp://a: expected a URL"),
    (["fetch", "resnet18", "--from", "http://"], "--from=http://: expected a URL"),
    (["fetch", "resnet18", "--from", "http://a/b?c"], "without \"?\" and \"#\""),
    (["fetch", "resnet18", "--from", "http://me:se%zz@a"], "--from=...@a: expected a URL"),
    (["fetch", "resnet18", "--stall-timeout", "0"], "--stall-timeout=0: expected"),
)


def case_wrong_command_lines_are_explained(bench):
    for words, text in USAGE_ERRORS:
        result = bench.run("weights", *words, status=2)
        check(text in result.err and result.out == "", f"{words}: {result}")


def case_a_pipeline_file_takes_a_name(bench):
    name = bench.finetune()
    env = folders(bench)
    sets = ["--set", "resnetfinetune.weights=resnet50", "--set", "resnetfinetune.arch=auto"]
    bench.run("check", name, *sets, env=env)
    result = bench.run("run", name, *sets, env=env, status=1)
    check('"tlpipe weights fetch resnet50"' in result.err, str(result))


def case_doctor_knows_the_cache(bench):
    env = folders(bench)
    found = {o["what"]: o for o in bench.run("doctor", "--json", env=env).objects()}["weights"]
    check(found["state"] == "optional" and "tlpipe weights fetch" in found["advice"], f"{found}")
    put(bench, f"weights/{FILE_18}", b"x")
    found = {o["what"]: o for o in bench.run("doctor", "--json", env=env).objects()}["weights"]
    check(found["state"] == "ok" and "resnet18" in found["found"], f"{found}")


if __name__ == "__main__":
    main(globals())
