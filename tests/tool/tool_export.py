#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tlpipe export. What it writes is held against PyTorch and onnxruntime by
tests/parity/exportparity.py."""
import array
import configparser
import json
import os
import shutil
import struct
import subprocess

from toolbench import main
from tapcases import check, digest

SCALE = ("--mean", "0.5,0.5,0.4", "--std", "0.25,0.25,0.2")
PREPROCESS = ("width=96 height=64 resize=80 crop=center interpolation=bilinear region= "
              "auto-orient=false mean=0.5,0.5,0.4 std=0.25,0.25,0.2")


def write_safetensors(path, tensors, metadata):
    """tensors: name -> (dtype, shape, bytes)."""
    header, offset = {"__metadata__": metadata} if metadata else {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, data in tensors.values():
            file.write(data)
    return path


def write_resnet18(bench, n_classes=2, metadata=None, change=None):
    """Zeros, with variances of one: modelfile's own list would be no witness."""
    tensors = {}

    def add(name, *shape, value=0.0):
        n = 1
        for size in shape:
            n *= size
        tensors[name] = ("F32", list(shape), array.array("f", [value]) .tobytes() * n)

    def add_conv_bn(conv, bn, n_out, n_in, kernel):
        add(conv + ".weight", n_out, n_in, kernel, kernel)
        for part in ("weight", "bias", "running_mean"):
            add(f"{bn}.{part}", n_out)
        add(bn + ".running_var", n_out, value=1.0)

    add_conv_bn("conv1", "bn1", 64, 3, 7)
    n_in = 64
    for layer in range(1, 5):
        width = 32 << layer
        for block in range(2):
            name = f"layer{layer}.{block}"
            add_conv_bn(name + ".conv1", name + ".bn1", width, n_in, 3)
            add_conv_bn(name + ".conv2", name + ".bn2", width, width, 3)
            if layer > 1 and block == 0:
                add_conv_bn(name + ".downsample.0", name + ".downsample.1", width, n_in, 1)
            n_in = width
    add("fc.weight", n_classes, 512)
    add("fc.bias", n_classes)
    if change:
        change(tensors)
    return write_safetensors(bench.path("resnet18.safetensors"), tensors, metadata)


def describe(classes=("a b", "ü")):
    return {"tlpipe.arch": "resnet18", "tlpipe.classes": json.dumps(list(classes)),
            "tlpipe.preprocess": PREPROCESS}


def read_ini(path):
    parser = configparser.ConfigParser(interpolation=None)
    with open(path, encoding="utf-8") as file:
        parser.read_file(file)
    return {section: dict(parser[section]) for section in parser.sections()}


def case_a_checkpoint_becomes_pth_and_safetensors(bench):
    checkpoint = bench.train()
    result = bench.run("export", checkpoint, "--format", "pth")
    path = bench.path("run/best.pth")
    check(result.out == f"{path}: thumbnail, 3 classes\n" and not result.err, str(result))
    small = bench.path("small.safetensors")
    line, = bench.run("export", checkpoint, "-o", small, "--json").objects()
    check(line["path"] == small and line["format"] == "safetensors" and line["written"]
          and line["arch"] == "thumbnail" and line["classes"] == 3, f"{line}")
    check(os.path.getsize(small) < os.path.getsize(checkpoint), "optimizer state")
    # It says and predicts the same; what comes from the .pth has the same model.
    predictions = [bench.run("predict", file, bench.frames).out for file in (checkpoint, small)]
    check(predictions[0] == predictions[1], predictions[1])
    bench.run("export", path, "-o", bench.path("a.safetensors"))
    bench.run("export", small, "-o", bench.path("b.pth"))
    check(digest(path) == digest(bench.path("b.pth")), "other bytes")
    # It begins a run, but is not resumed: its momentum is gone.
    bench.run("run", bench.finetune(), "--set", f"resnetfinetune.weights={small}",
              "--set", "run=warm", "--quiet")
    resumed = bench.run("run", bench.finetune(), "--set", f"resnetfinetune.resume={small}",
                        "--set", "resnetfinetune.weights=", "--set", "epochs=4", "--quiet",
                        status=1)
    check("has no optimizer state" in resumed.err, str(resumed))


def case_a_run_exports_its_best_checkpoint(bench):
    """ONNX of the reference backend's model is refused: that harms nothing."""
    result = bench.run("run", bench.finetune(), "--set", "checkpointsink.export=pth,onnx")
    check("not exported as onnx" in result.err and "exported as pth" not in result.err,
          str(result))
    plain = bench.path("run/best.safetensors")
    bench.run("export", plain, "-o", bench.path("again.pth"))
    check(digest(bench.path("run/best.pth")) == digest(bench.path("again.pth")), "other bytes")
    check(not os.path.exists(bench.path("run/best.onnx")), "best.onnx")
    check(not bench.temporary_files(), "temporary files")
    trained = digest(bench.path("run/last.safetensors"))
    shutil.rmtree(bench.path("run"))
    bench.train()
    check(digest(bench.path("run/last.safetensors")) == trained, "other checkpoint")
    for wrong in ("tflite", "onnx,", "safetensors"):
        result = bench.run("run", bench.finetune(), "--set", f"checkpointsink.export={wrong}",
                           status=1)
        check("is not possible: choose onnx" in result.err, str(result))


def case_sidecars_say_what_the_model_is(bench):
    source = write_resnet18(bench, metadata=describe())
    for kind, layout in (("float", "-1,3,64,96"), ("normalized", "-1,3,64,96"),
                         ("uint8", "-1,64,96,3")):
        folder = bench.path(kind)
        os.mkdir(folder)
        model = os.path.join(folder, "m.onnx")
        words = ["export", source, "-o", model, "--input", kind, "--sidecars"]
        words += ["--softmax"] if kind == "float" else []
        result = bench.run(*words)
        first = {name: digest(os.path.join(folder, name)) for name in os.listdir(folder)}
        bench.run(*words)
        check(first == {name: digest(os.path.join(folder, name)) for name in os.listdir(folder)},
              "bytes do not repeat")
        wanted = {"m.onnx", "m.onnx.modelinfo", "labels.txt"}
        nvinfer = {"m.onnx.nvinfer.txt", "m.onnx.nvinfer-labels.txt"}
        check(set(first) == wanted | (nvinfer if kind != "uint8" else set()), f"{set(first)}")
        check(("nvinfer gives a model float32 alone" in result.err) == (kind == "uint8"),
              str(result))
        with open(os.path.join(folder, "labels.txt"), encoding="utf-8") as file:
            check(file.read() == "a b\nü\n", "labels")
        info = read_ini(os.path.join(folder, "m.onnx.modelinfo"))
        output = "probabilities" if kind == "float" else "logits"
        check(list(info) == ["modelinfo", "input", output] and info["input"]["dims"] == layout
              and info["modelinfo"]["version"] == "1.0" and info[output]["dims"] == "-1,2",
              f"{info}")
        check(info[output]["id"] == info["modelinfo"]["group-id"]
              and ("softmaxed" in info[output]["id"]) == (kind == "float"), f"{info}")
        check(info["input"]["type"] == ("uint8" if kind == "uint8" else "float32"), f"{info}")
        ranges = [[float(x) for x in r.split(",")] for r in info["input"]["ranges"].split(";")]
        check(ranges == ([[-2, 2], [-2, 2], [-2, 3]] if kind == "normalized"
                         else [[0, 255]] * 3), f"{ranges}")
        if kind == "uint8":
            continue
        config = read_ini(os.path.join(folder, "m.onnx.nvinfer.txt"))["property"]
        check(config["infer-dims"] == "3;64;96" and config["onnx-file"] == "m.onnx"
              and config["output-blob-names"] == output, f"{config}")
        if kind == "float":
            check(config["net-scale-factor"] == "1" and "offsets" not in config, f"{config}")
        else:
            check(config["offsets"] == "127.5;127.5;102"
                  and abs(float(config["net-scale-factor"]) * 255 * 0.7 / 3 - 1) < 1e-6,
                  f"{config}")
            with open(os.path.join(folder, "m.onnx.nvinfer.txt"), encoding="utf-8") as file:
                check("NOT EXACT" in file.read(), "not said")


def case_a_file_of_weights_is_told_the_rest(bench):
    source = write_resnet18(bench)
    labels = bench.write("names.txt", "\ufeffants\r\nbees\n\n")
    model = bench.path("m.onnx")
    check("--mean" in bench.run("export", source, "-o", model, "--input", "uint8", status=3).err,
          "mean")
    words = ["export", source, "-o", model, "--sidecars"]
    check("--labels" in bench.run(*words, *SCALE, status=3).err, "labels")
    check(not os.path.exists(model), "written")
    result = bench.run(*words, *SCALE, "--labels", labels)
    check("give --size" in result.err, str(result))
    bench.run(*words, *SCALE, "--labels", labels, "--size", "96x64")
    check(read_ini(model + ".modelinfo")["input"]["dims"] == "-1,3,64,96", "size")
    with open(bench.path("labels.txt"), encoding="utf-8") as file:
        check(file.read() == "ants\nbees\n", "labels")
    few = bench.write("few.txt", "ants")
    check("names for 1" in bench.run(*words, *SCALE, "--labels", few, status=3).err, "few")
    described = write_resnet18(bench, metadata=describe())
    for extra, word in ((SCALE, "leave out mean"), (("--labels", labels), "leave out the labels")):
        check(word in bench.run("export", described, "-o", model, *extra, status=3).err, word)


def case_names_that_break_a_sidecar_are_explained(bench):
    model = bench.path("m.onnx")
    source = write_resnet18(bench, metadata=describe(("a;b", "c")))
    result = bench.run("export", source, "-o", model, "--sidecars", "--json")
    skipped, = [o for o in result.objects() if not o["written"]]
    check(skipped["kind"] == "nvinfer" and "semicolons" in skipped["reason"], f"{skipped}")
    source = write_resnet18(bench, metadata=describe(("a\nb", "c")))
    os.remove(model)
    result = bench.run("export", source, "-o", model, "--sidecars", status=3)
    check("control character" in result.err and not os.path.exists(model), str(result))


def case_what_cannot_be_exported_is_explained(bench):
    checkpoint = bench.train()
    text = bench.write("text.pth", "no model")
    model = bench.path("m.onnx")
    for words, status, sentence in (
            (("missing.pth", "-o", model), 3, "No such file"),
            ((text, "-o", model), 3, "neither a safetensors file nor"),
            ((checkpoint, "-o", model), 3, "a thumbnail cannot be written as ONNX"),
            ((checkpoint, "-o", bench.path("nowhere/m.pth")), 1, "cannot be created"),
            ((checkpoint,), 2, "no format is given"),
            ((checkpoint, "--format", "onxx"), 2, "expected onnx, pth or safetensors"),
            ((checkpoint, "--format", "safetensors"), 2, "replaced by its own export"),
            ((checkpoint, "--format", "pth", "--softmax"), 2, "for --format onnx alone"),
            ((checkpoint, "--format", "pth", "--labels", text), 2, "--labels is for --format onnx"),
            ((checkpoint, "--format", "pth", "--size", "64x64"), 2, "--size is for --format onnx"),
            ((checkpoint, "--format", "pth", *SCALE), 2, "--mean is for --format onnx alone"),
            ((checkpoint, "--format", "pth", "-o", "/dev/null"), 1, "is not a regular file"),
            ((checkpoint, "-o", model, "--input", "raw"), 2, "normalized, float or uint8"),
            ((checkpoint, "-o", model, "--mean", "1,2"), 2, "three numbers"),
            ((checkpoint, "-o", model, "--mean", "1,2,3"), 2, "go together"),
            ((checkpoint, "-o", model, "--size", "224"), 2, "WIDTHxHEIGHT")):
        result = bench.run("export", *words, status=status)
        check(sentence in result.err and not result.out, f"{words}: {result}")
    check(not os.path.exists(model), "written")

    def change(tensors):
        dtype, shape, data = tensors["bn1.running_var"]
        tensors["bn1.running_var"] = (dtype, shape, struct.pack("<f", -1) + data[4:])

    damaged = write_resnet18(bench, change=change)
    result = bench.run("export", damaged, "-o", model, status=3)
    check("bn1.running_var holds a variance below zero" in result.err, str(result))


def case_a_full_disk_leaves_the_old_export(bench):
    source = write_resnet18(bench, metadata=describe())
    model = bench.path("run.onnx")
    with open(model, "w", encoding="utf-8") as file:
        file.write("old")
    done = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 64; exec "$@"', "sh",
                           bench.tlpipe, "export", source, "-o", model],
                          capture_output=True, text=True)
    check(done.returncode == 1 and "File too large" in done.stderr, f"{done}")
    with open(model, encoding="utf-8") as file:
        check(file.read() == "old", "replaced")
    check(not [n for n in os.listdir(bench.folder) if ".tmp-" in n], "temporary files")


main(globals())
