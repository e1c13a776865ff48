#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Trains in Python with torchvision and torch.optim, and through the shim.

Both get the same weights, batches and learning rates. With exact=true at one
thread everything must be equal bit by bit, also where the shim's state was put
into a new model and trainer in the middle; the default path within 1e-4 of the
largest logit. Exit status 77: torch or torchvision is not here.

    trainparity.py build/tests/parity/shimrun exact --all

goes through every optimizer with every freeze, both networks, and BatchNorm
both ways; with --rows 122:300:4 through every fourth of these from the 123rd on.
"""
import argparse
import itertools
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
            parameters, lr=0, momentum=case.get("momentum", 0.9),
            weight_decay=decay, nesterov=bool(case.get("nesterov", 0)),
            foreach=False, fused=False)
    make = torch.optim.Adam if kind == "adam" else torch.optim.AdamW
    return make(parameters, lr=0, weight_decay=decay,
                betas=(case.get("beta1", 0.9), case.get("beta2", 0.999)),
                eps=case.get("eps", 1e-8), foreach=False, fused=False)


def logits_of(model, x):
    model.eval()
    with torch.no_grad():
        return model(x).numpy()


def get_rates(case, steps):
    """case["lr"] is a number or one number per step."""
    return np.array(np.broadcast_to(case["lr"], steps), np.float64)


def step_python(model, optimizer, case, x, y):
    """One step as a training loop in Python writes it; the loss."""
    loss = F.cross_entropy(model(x), torch.from_numpy(y).long(),
                           label_smoothing=case.get("label-smoothing", 0))
    optimizer.zero_grad()
    loss.backward()
    if clip := case.get("clip-grad-norm"):
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return loss.item()


def run_python(model, case, pixels, labels):
    result = {}
    first = to_input(pixels[0])
    result["logits.before"] = logits_of(model, first)
    optimizer = make_optimizer(model, case)
    losses = []
    for x, y, lr in zip(pixels, labels, get_rates(case, len(pixels))):
        set_mode(model, case["freeze"], bool(case.get("train-bn", 0)))
        optimizer.param_groups[0]["lr"] = lr.item()
        losses.append(step_python(model, optimizer, case, to_input(x), y))
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
    settings = {"exact": 1, "threads": 1, **case, **settings}
    tensors.update(pixels=pixels, labels=labels,
                   lr=get_rates({"lr": settings.pop("lr", 0)}, len(pixels)))
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


OPTIMIZERS = {
    "sgd": {"momentum": 0},
    "sgd decay": {"momentum": 0, "weight-decay": 1e-2},
    "momentum": {"momentum": 0.9},
    "momentum decay": {"momentum": 0.8, "weight-decay": 1e-2},
    "nesterov": {"nesterov": 1},
    "nesterov decay": {"nesterov": 1, "weight-decay": 1e-2},
    "adam": {"optimizer": "adam"},
    "adam decay": {"optimizer": "adam", "weight-decay": 1e-2, "beta1": 0.8,
                   "beta2": 0.95, "eps": 1e-3},
    "adam no betas": {"optimizer": "adam", "beta1": 0.0, "beta2": 0.0},
    "adamw": {"optimizer": "adamw"},
    "adamw decay": {"optimizer": "adamw", "weight-decay": 1e-2, "beta1": 0.95,
                    "beta2": 0.98, "eps": 1e-6},
    "smooth": {"label-smoothing": 0.1},
    "clip": {"clip-grad-norm": 0.5, "weight-decay": 1e-2},
    "clip adamw": {"clip-grad-norm": 1, "optimizer": "adamw",
                   "weight-decay": 1e-2, "label-smoothing": 0.2},
    "clip nothing": {"clip-grad-norm": 1e6},
}

# Every optimizer once, and with it one way through the network: optimizer,
# architecture, last frozen stage, train-bn, steps before a restart.
EXACT = [
    ("sgd", "resnet18", "layer3", 0, 0),
    ("sgd decay", "resnet18", "none", 0, 5),
    ("momentum", "resnet18", "all-but-fc", 1, 5),
    ("momentum decay", "resnet50", "all-but-fc", 1, 5),
    ("nesterov", "resnet18", "layer3", 0, 1),
    ("nesterov decay", "resnet18", "none", 0, 0),
    ("adam", "resnet18", "layer3", 0, 0),
    ("adam decay", "resnet18", "layer3", 1, 5),
    ("adam no betas", "resnet18", "all-but-fc", 0, 5),
    ("adamw", "resnet18", "none", 0, 5),
    ("adamw decay", "resnet50", "layer3", 1, 5),
    ("smooth", "resnet18", "layer3", 0, 0),
    ("clip", "resnet18", "none", 0, 5),
    ("clip adamw", "resnet18", "layer3", 0, 5),
    ("clip nothing", "resnet18", "all-but-fc", 0, 0),
]

# With pretrained weights, which are those of a ResNet-18.
EXACT_REAL = [
    ("nesterov decay", "resnet18", "layer3", 1, 5),
    ("adam decay", "resnet18", "none", 0, 5),
    ("adamw decay", "resnet18", "layer3", 0, 5),
]


def every_exact(archs):
    """All combinations; train-bn changes nothing where nothing is frozen."""
    for optimizer, arch, freeze, train_bn, restart in itertools.product(
            OPTIMIZERS, archs, ("none", "layer3", "all-but-fc"), (0, 1), (0, 5)):
        if not (freeze == "none" and train_bn):
            yield optimizer, arch, freeze, train_bn, restart


def parse_rows(text):
    """The rows of "FIRST:END:STEP", as a slice in Python."""
    return slice(*(int(part) if part else None for part in text.split(":")))


def check_exact(program, weights, rows, side):
    pixels, labels = make_batches(10, 4, side, 3)
    rates = [1e-2 / (1 + 0.3 * step) for step in range(10)]
    failures = n = 0
    done = None
    for n, (optimizer, arch, freeze, train_bn, restart) in enumerate(rows, 1):
        case = dict(OPTIMIZERS[optimizer], arch=arch, freeze=freeze, lr=rates)
        case["train-bn"] = train_bn
        model = make_model(arch, 3, weights)
        actual = run_shim(program, case, model, pixels, labels, restart=restart)
        if case != done:
            expected = run_python(model, case, pixels, labels)
            done = case
        difference = first_difference(expected, actual)
        failures += difference is not None
        print(f"{optimizer}, {arch}, freeze={freeze}, train-bn={train_bn}, "
              f"restart={restart}: {difference or 'equal'}", flush=True)
    print(f"{n - failures} of {n} equal to torch.optim in every bit")
    return failures


def check_logits(program, arch, weights):
    """Unfolded to the bit; folded, fused and channels_last to rounding."""
    pixels, labels = make_batches(1, 3, 224, 10)
    model = make_model(arch, 10, weights)
    expected = logits_of(model, to_input(pixels[0]))
    case = {"arch": arch, "no-steps": 1}
    exact = run_shim(program, case, model, pixels, labels)["logits.before"]
    fast = run_shim(program, case, model, pixels, labels,
                    exact=0)["logits.before"]
    error = np.abs(fast - expected).max() / np.abs(expected).max()
    same = exact.tobytes() == expected.tobytes()
    print(f"logits {arch}: exact {'equal' if same else 'DIFFER'},"
          f" default within {error:.1e} of the largest", flush=True)
    return (not same) + (not error < 1e-4)


def compare_runs(what, first, other):
    """Whether two results of run_shim() differ, but for the time they took."""
    first, other = ({k: v for k, v in result.items() if k != "seconds"}
                    for result in (first, other))
    difference = first_difference(first, other)
    print(f"{what}:", difference or "equal", flush=True)
    return difference is not None


def check_threads(program, weights):
    """Training fc alone gives the same bytes with any number of threads; with
    convolutions a number of threads repeats its own."""
    pixels, labels = make_batches(4, 12, 224, 3)
    model = make_model("resnet18", 3, weights)
    case = dict(arch="resnet18", freeze="all-but-fc", lr=1e-2, exact=0)
    results = [run_shim(program, case, model, pixels, labels, threads=n)
               for n in (1, 2, 3, 4)]
    failures = sum(compare_runs(f"default path, fc, {n} threads against 1",
                                results[0], other)
                   for n, other in zip((2, 3, 4), results[1:]))
    if weights:
        return failures
    pixels, labels = make_batches(4, 4, 64, 3)
    case.update(freeze="layer1", optimizer="adamw")
    for exact, n in ((0, 2), (1, 2), (1, 3)):
        pair = [run_shim(program, case, model, pixels, labels, threads=n,
                         exact=exact, restart=2 * i) for i in range(2)]
        failures += compare_runs(f"exact={exact}, layer2 on, {n} threads "
                                 "against themselves, restarted", *pair)
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("check", choices=["exact", "logits", "threads"])
    parser.add_argument("--real", action="store_true",
                        help="the weights in TLPIPE_MATERIAL")
    parser.add_argument("--all", action="store_true",
                        help="exact: all combinations, which takes a while")
    parser.add_argument("--rows", type=parse_rows, default=slice(None),
                        metavar="FIRST:END:STEP",
                        help="exact: these of the combinations, counted from 0")
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
        rows = EXACT_REAL if weights else EXACT
        if arguments.all:
            rows = every_exact(["resnet18"] if weights else ["resnet18", "resnet50"])
        failures = check_exact(arguments.program, weights,
                               list(rows)[arguments.rows], 48)
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
