#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Trains in Python with torchvision and torch.optim, and through the shim.

Both get the same weights and the same batches. With exact=true at one thread
everything must be equal bit by bit; the default path within 1e-4 of the
largest logit. Exit status 77: torch or torchvision is not here.
"""
import argparse
import os
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torch.nn.functional as F

    from torchvisionless import import_torchvision

    torchvision = import_torchvision()
except ImportError as reason:
    print("skipped:", reason)
    sys.exit(77)

STAGES = ["stem", "layer1", "layer2", "layer3", "layer4", "fc"]
FREEZES = ["none", "stem", "layer1", "layer2", "layer3", "all-but-fc"]
DTYPES = {1: np.float32, 2: np.float64, 5: np.int64, 6: np.int32, 9: np.uint8}
CODES = {np.dtype(value): key for key, value in DTYPES.items()}
WEIGHTS = "resnet18_imagenet_ktb65.8_bnstats.pth"


def write_dump(path, tensors):
    with open(path, "wb") as file:
        for name, array in tensors.items():
            shape = array.shape  # ascontiguousarray makes a scalar 1-d
            array = np.ascontiguousarray(array)
            file.write(struct.pack("<I", len(name)) + name.encode())
            file.write(struct.pack("<II", CODES[array.dtype], len(shape)))
            file.write(struct.pack("<%dq" % len(shape), *shape))
            file.write(array.tobytes())


def read_dump(path):
    tensors = {}
    with open(path, "rb") as file:
        while head := file.read(4):
            name = file.read(struct.unpack("<I", head)[0]).decode()
            code, n_dims = struct.unpack("<II", file.read(8))
            shape = struct.unpack("<%dq" % n_dims, file.read(8 * n_dims))
            dtype = np.dtype(DTYPES[code])
            size = int(np.prod(shape)) * dtype.itemsize
            tensors[name] = np.frombuffer(file.read(size), dtype).reshape(shape)
    return tensors


def stage_of(name):
    first = name.split(".")[0]
    return "stem" if first in ("conv1", "bn1") else first


def is_frozen(name, freeze):
    return STAGES.index(stage_of(name)) < FREEZES.index(freeze)


def make_model(arch, n_classes, weights=None):
    """Random weights with BatchNorm statistics that are not 0 and 1."""
    torch.manual_seed(7)
    model = getattr(torchvision.models, arch)(num_classes=n_classes)
    if weights:
        state = torch.load(weights, weights_only=True)
        state = {k: v for k, v in state.items() if not k.startswith("fc.")}
        model.load_state_dict(state, strict=False)
        return model
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.9, 1.1)
            module.num_batches_tracked.fill_(3)
    return model


def make_batches(steps, n, size, n_classes):
    random = np.random.default_rng(11)
    pixels = random.integers(0, 256, (steps, n, size, size, 3), dtype=np.uint8)
    labels = random.integers(0, n_classes, (steps, n), dtype=np.int32)
    return pixels, labels


def to_input(pixels):
    """torchvision's ToTensor and Normalize, picture by picture."""
    pictures = []
    for picture in pixels:
        x = torch.from_numpy(picture).permute(2, 0, 1).contiguous()
        x = x.to(torch.float32).div(255)
        mean = torch.as_tensor((0.485, 0.456, 0.406)).view(-1, 1, 1)
        std = torch.as_tensor((0.229, 0.224, 0.225)).view(-1, 1, 1)
        pictures.append(x.sub_(mean).div_(std))
    return torch.stack(pictures)


def set_mode(model, freeze, train_bn):
    model.train()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train(train_bn or not is_frozen(name, freeze))


def make_optimizer(model, case):
    parameters = []
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not is_frozen(name, case["freeze"]))
        if parameter.requires_grad:
            parameters.append(parameter)
    kind = case.get("optimizer", "sgd")
    decay = case.get("weight-decay", 0)
    if kind == "sgd":
        return torch.optim.SGD(
            parameters, lr=case["lr"], momentum=case.get("momentum", 0.9),
            weight_decay=decay, nesterov=bool(case.get("nesterov", 0)),
            foreach=False, fused=False)
    make = torch.optim.Adam if kind == "adam" else torch.optim.AdamW
    return make(parameters, lr=case["lr"], weight_decay=decay,
                foreach=False, fused=False)


def logits_of(model, x):
    model.eval()
    with torch.no_grad():
        return model(x).numpy()


def run_python(model, case, pixels, labels):
    result = {}
    first = to_input(pixels[0])
    result["logits.before"] = logits_of(model, first)
    optimizer = make_optimizer(model, case)
    losses = []
    for x, y in zip(pixels, labels):
        set_mode(model, case["freeze"], bool(case.get("train-bn", 0)))
        loss = F.cross_entropy(model(to_input(x)), torch.from_numpy(y).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    result["losses"] = np.array([losses], np.float32)
    result["logits.after"] = logits_of(model, first)
    for name, value in model.state_dict().items():
        result["state." + name] = value.numpy()
    for name, value in model.named_parameters():
        for slot, content in optimizer.state.get(value, {}).items():
            if content is not None:
                result[f"optimizer.{name}.{slot}"] = content.numpy()
    return result


def run_shim(program, case, model, pixels, labels, **settings):
    tensors = {"state." + name: value.numpy()
               for name, value in model.state_dict().items()}
    tensors.update(pixels=pixels, labels=labels)
    settings = {"exact": 1, "threads": 1, **case, **settings}
    kinds = ["sgd", "adam", "adamw"]
    settings["optimizer"] = kinds.index(settings.get("optimizer", "sgd"))
    with tempfile.TemporaryDirectory() as folder:
        job, result = os.path.join(folder, "job"), os.path.join(folder, "result")
        write_dump(job, tensors)
        subprocess.run([program, job, result]
                       + [f"{k}={v}" for k, v in settings.items()], check=True)
        return read_dump(result)


def first_difference(expected, actual):
    """The first tensor that is not the same to the last bit, or None."""
    for name, value in expected.items():
        if name not in actual:
            return f"{name} is missing"
        other = actual[name].reshape(value.shape)
        if value.tobytes() != other.tobytes():
            worst = np.abs(value.astype(np.float64) - other).max()
            return f"{name} differs by up to {worst:g}"
    extra = [n for n in actual if n.startswith(("state.", "optimizer."))
             and n not in expected]
    return f"unexpected {extra[0]}" if extra else None


EXACT = [
    dict(freeze="all-but-fc"),
    dict(freeze="layer3"),
    dict(freeze="none"),
    dict(freeze="layer3", **{"train-bn": 1}),
    dict(freeze="layer3", nesterov=1, **{"weight-decay": 1e-2}),
    dict(freeze="layer3", momentum=0, **{"weight-decay": 1e-2}),
    dict(freeze="layer3", optimizer="adam", **{"weight-decay": 1e-2}),
    dict(freeze="layer3", optimizer="adamw", **{"weight-decay": 1e-2}),
]


def check_exact(program, weights):
    pixels, labels = make_batches(10, 4, 96, 3)
    failures = 0
    for case in EXACT:
        case = dict(case, lr=1e-2, arch="resnet18")
        model = make_model("resnet18", 3, weights)
        actual = run_shim(program, case, model, pixels, labels)
        expected = run_python(model, case, pixels, labels)
        difference = first_difference(expected, actual)
        failures += difference is not None
        print(f"exact {case}:", difference or "equal", flush=True)
    return failures


def check_logits(program, arch, weights):
    """Unfolded to the bit; folded, fused and channels_last to rounding."""
    pixels, labels = make_batches(1, 3, 224, 10)
    model = make_model(arch, 10, weights)
    expected = logits_of(model, to_input(pixels[0]))
    case = dict(arch=arch, steps=0)
    exact = run_shim(program, case, model, pixels, labels)["logits.before"]
    fast = run_shim(program, case, model, pixels, labels,
                    exact=0)["logits.before"]
    error = np.abs(fast - expected).max() / np.abs(expected).max()
    same = exact.tobytes() == expected.tobytes()
    print(f"logits {arch}: exact {'equal' if same else 'DIFFER'},"
          f" default within {error:.1e} of the largest", flush=True)
    return (not same) + (not error < 1e-4)


def check_threads(program, weights):
    """Training fc alone gives the same bytes with any number of threads."""
    pixels, labels = make_batches(4, 12, 224, 3)
    model = make_model("resnet18", 3, weights)
    case = dict(arch="resnet18", freeze="all-but-fc", lr=1e-2, exact=0)
    results = [run_shim(program, case, model, pixels, labels, threads=n)
               for n in (1, 2, 3, 4)]
    names = [n for n in results[0] if n != "seconds"]
    failures = 0
    for n, other in zip((2, 3, 4), results[1:]):
        difference = first_difference({k: results[0][k] for k in names}, other)
        failures += difference is not None
        print(f"default path, fc, {n} threads against 1:",
              difference or "equal", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("check", choices=["exact", "logits", "threads"])
    parser.add_argument("--real", action="store_true",
                        help="the weights in TLPIPE_MATERIAL")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    weights = None
    if arguments.real:
        folder = os.environ.get("TLPIPE_MATERIAL")
        if not folder:
            print("skipped: TLPIPE_MATERIAL is not set")
            return 77
        weights = os.path.join(folder, WEIGHTS)
    if arguments.check == "exact":
        failures = check_exact(arguments.program, weights)
    elif arguments.check == "threads":
        failures = check_threads(arguments.program, weights)
    elif weights:
        failures = check_logits(arguments.program, "resnet18", weights)
    else:
        failures = sum(check_logits(arguments.program, arch, None)
                       for arch in ("resnet18", "resnet34", "resnet50"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
