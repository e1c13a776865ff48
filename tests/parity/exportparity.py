#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `tlpipe export` writes, against PyTorch, onnx and onnxruntime.

Models: ResNet-18 of the material (without it: of random weights) and a random
ResNet-50 whose BatchNorm statistics are those of pictures. A .pth must load
strictly with equal bits. ONNX files must pass onnx.checker with full_check and
strict shape inference, and onnxruntime must agree with PyTorch within 1e-4 on
batches of 1 and 5, BatchNorm folded or not, for every kind of input. Then runs
the Python of docs/export.md.

    exportparity.py SOURCE TLPIPE

Exit status 77: torch, torchvision, onnx or onnxruntime is not here.
"""
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
    import torch
    from PIL import Image

    from torchvisionless import import_torchvision

    torchvision = import_torchvision()
except ImportError as reason:
    print("skipped:", reason)
    sys.exit(77)

TOLERANCE = 1e-4
WEIGHTS = "resnet18_imagenet_ktb65.8_bnstats.pth"
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
SCALE = ("--mean", ",".join(map(str, MEAN)), "--std", ",".join(map(str, STD)),
         "--size", "224x224")


# ---- Pictures and models ---------------------------------------------------------


def read_photos(n):
    """Photos of the material, or noise with structure; uint8 [n, 224, 224, 3]."""
    archive = os.path.join(os.environ.get("TLPIPE_MATERIAL", ""), "hymenoptera_data.tar")
    if not os.path.exists(archive):
        random = np.random.default_rng(1)
        small = random.integers(0, 256, (n, 14, 14, 3), np.uint8)
        return small.repeat(16, 1).repeat(16, 2)
    photos = []
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.name.endswith(".jpg") and "/val/" in member.name:
                photo = Image.open(tar.extractfile(member)).convert("RGB")
                photos.append(np.array(photo.resize((224, 224))))
            if len(photos) == n:
                break
    return np.stack(photos)


def normalise(pixels):
    planes = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    return (planes - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def make_random(name, pixels, n_classes):
    """BatchNorm has the statistics of the pictures: activations as in a real model."""
    torch.manual_seed(5)
    model = getattr(torchvision.models, name)(num_classes=n_classes).train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the mean of all batches
    with torch.no_grad():
        model(normalise(pixels))
    return model.eval()


def load_real():
    path = os.path.join(os.environ.get("TLPIPE_MATERIAL", ""), WEIGHTS)
    if not os.path.exists(path):
        return None
    model = torchvision.models.resnet18()
    model.load_state_dict(torch.load(path, weights_only=True))
    return model.eval()


# ---- Exports ---------------------------------------------------------------------


def export(source, target, *options):
    done = subprocess.run([TLPIPE, "export", source, "--output", target, *options],
                          text=True, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"{options}: {done.stderr}")
    return target


def check_bytes_repeat(source, target, *options):
    with open(export(source, target, *options), "rb") as first:
        with open(export(source, target + ".again", *options), "rb") as second:
            assert first.read() == second.read(), options
    os.remove(target + ".again")


def check_pth(name, source, model):
    path = source + ".export.pth"
    check_bytes_repeat(source, path, "--format", "pth")
    for weights_only in (True, False):
        state = torch.load(path, weights_only=weights_only)
        assert type(state).__name__ == "OrderedDict"
        assert list(state) == list(model.state_dict())
    for mmap in (False, True):
        other = getattr(torchvision.models, name)(num_classes=model.fc.out_features)
        other.load_state_dict(torch.load(path, weights_only=True, mmap=mmap), strict=True)
        for key, tensor in model.state_dict().items():
            assert torch.equal(tensor, other.state_dict()[key]), key
    # A chain of exports comes back to the same bytes.
    chain = export(path, source + ".chain.safetensors")
    with open(export(chain, source + ".chain.pth"), "rb") as end:
        with open(path, "rb") as begin:
            assert begin.read() == end.read()
    print(f"{name}: .pth loads strictly")


def give(kind, pixels):
    if kind == "uint8":
        return pixels
    if kind == "float":
        return pixels.transpose(0, 3, 1, 2).astype(np.float32)
    return normalise(pixels).numpy()


def check_file(path, wanted_ops):
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    assert len(inferred.graph.value_info) == len(model.graph.node) - 1
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    ops = {node.op_type for node in model.graph.node}
    assert wanted_ops == ("BatchNormalization" in ops), ops
    return model


def run_onnx(path, batch):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": batch})[0]


def check_onnx(name, source, model, pixels):
    path = source + ".onnx"
    with torch.no_grad():
        logits = model(normalise(pixels))
    worst = 0
    for kind in ("normalized", "float", "uint8"):
        for fold in (False, True):
            if fold and kind == "float":
                continue  # as the others
            options = ["--format", "onnx", "--input", kind, *SCALE, *(["--fold-batchnorm"] if fold else [])]
            softmax = kind == "float"
            write = check_bytes_repeat if fold and kind == "uint8" else export
            write(source, path, *options, *(["--softmax"] if softmax else []))
            check_file(path, not fold)
            wanted = (logits.softmax(1) if softmax else logits).numpy()
            for n in (1, len(pixels)):
                got = run_onnx(path, give(kind, pixels[:n]))
                assert got.shape == wanted[:n].shape
                worst = max(worst, np.abs(got - wanted[:n]).max())
    print(f"{name}: ONNX differs by {worst:.2g} at most; logits up to "
          f"{logits.abs().max():.3g}")
    if not worst <= TOLERANCE:
        sys.exit("onnxruntime and PyTorch disagree")


def check_free_size(source, pixels, model):
    """A file of weights says no size: the model takes any."""
    path = export(source, source + ".free.onnx")
    small = np.ascontiguousarray(pixels[:2, :96, :128])
    with torch.no_grad():
        wanted = model(normalise(small)).numpy()
    assert np.abs(run_onnx(path, normalise(small).numpy()) - wanted).max() <= TOLERANCE
    print("any size is taken")


def check_every_arch(folder):
    """Those that are not run: random weights, structure checked."""
    for name in ("resnet34", "resnet101", "resnet152"):
        source = os.path.join(folder, name + ".pth")
        torch.save(getattr(torchvision.models, name)(num_classes=3).half().state_dict(), source)
        path = export(source, source + ".onnx", "--fold-batchnorm")
        model = check_file(path, False)
        assert {p.key: p.value for p in model.metadata_props}["tlpipe.arch"] == name
        os.remove(path)
        print(f"{name}: good")


# ---- The document ----------------------------------------------------------------


def make_checkpoint(folder, model):
    """As a run leaves it, as far as its model and its own words go."""
    import struct

    tensors, data, header = model.state_dict(), b"", {}
    header["__metadata__"] = {
        "tlpipe.arch": "resnet18", "tlpipe.classes": json.dumps(["ants", "bees"]),
        "tlpipe.preprocess": "width=224 height=224 resize=256 crop=center "
        "interpolation=bilinear region= auto-orient=false "
        f"mean={','.join(map(str, MEAN))} std={','.join(map(str, STD))}"}
    for key, tensor in tensors.items():
        raw = tensor.numpy().tobytes()
        header[key] = {"dtype": "I64" if tensor.dtype == torch.int64 else "F32",
                       "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    os.makedirs(os.path.join(folder, "run"))
    with open(os.path.join(folder, "run", "best.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def run_documented_snippet(source, folder, pixels):
    make_checkpoint(folder, make_random("resnet18", pixels, 2))
    Image.fromarray(pixels[0]).save(os.path.join(folder, "frame.png"))
    os.chdir(folder)
    export("run/best.safetensors", "run/best.onnx", "--input", "uint8", "--sidecars")
    export("run/best.safetensors", "run/best.pth")
    with open(os.path.join(source, "docs", "export.md"), encoding="utf-8") as page:
        blocks = re.findall(r"```python\n(.*?)```", page.read(), re.S)
    assert blocks
    for code in blocks:
        exec(compile(code, "docs/export.md", "exec"), {})


def main():
    global TLPIPE
    source, TLPIPE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    torch.set_num_threads(1)
    pixels = read_photos(5)
    with tempfile.TemporaryDirectory() as folder:
        models = {"resnet18": load_real() or make_random("resnet18", pixels, 1000),
                  "resnet50": make_random("resnet50", pixels, 7)}
        for name, model in models.items():
            path = os.path.join(folder, name + ".pth")
            torch.save(model.state_dict(), path)
            check_pth(name, path, model)
            check_onnx(name, path, model, pixels)
        check_free_size(os.path.join(folder, "resnet18.pth"), pixels, models["resnet18"])
        check_every_arch(folder)
        run_documented_snippet(source, folder, pixels)


if __name__ == "__main__":
    main()
