#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tlpipe show, inspect and doctor."""
import os
import re
import shutil
import subprocess

from toolbench import main
from tapcases import check, digest


def case_the_shown_line_trains_to_the_same_bytes(bench):
    bench.train()
    line = bench.run("show", "--launch", "finetune.yaml", "--set", "run=with a blank & more").out
    # A program that is not ours has no AddressSanitizer of its own.
    shared = subprocess.run(["ldd", bench.tlpipe], check=True, text=True, capture_output=True).stdout
    runtime = re.search(r"\blibasan\S* => (\S+)", shared)
    preload = f"env LD_PRELOAD={runtime.group(1)} " if runtime else ""
    subprocess.run(["sh", "-c", preload + line.replace("gst-launch-1.0", "gst-launch-1.0 -q", 1)],
                   cwd=bench.folder, check=True, timeout=60)
    for name in ("last.safetensors", "best.safetensors", "metrics.jsonl"):
        check(digest(bench.path(f"run/{name}")) == digest(bench.path(f"with a blank & more/{name}")),
              f"{name} differs:\n{line}")


def case_the_drawing_has_every_element(bench):
    text = bench.run("show", "--dot", bench.finetune()).out
    check(text.startswith("digraph "), text[:100])
    for name in ("datasetsrc", "imagedecode", "resnetfinetune", "checkpointsink"):
        check(name in text, f"no {name}")


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
    clean.update((k, v) for k, v in os.environ.items() if k.endswith("SAN_OPTIONS"))
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


if __name__ == "__main__":
    main(globals())
