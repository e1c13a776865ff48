#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the readers of model files with PyTorch's.

Files are written by torch.save in every way that users have, read and written
again as safetensors in C, and must hold the same bytes. So are hundreds of
state dicts drawn at random (TL_PARITY_CASES: how many), in every container,
protocol, dtype and shape of view, beside all that people keep in a checkpoint;
torch.load is what they are compared with. Exit status 77: torch is not here.
"""
import argparse
import collections
import datetime
import hashlib
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch

    import tarcontainer
except ImportError as reason:
    print("skipped:", reason)
    sys.exit(77)

DTYPES = {
    "F32": torch.float32, "F64": torch.float64, "F16": torch.float16,
    "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32,
    "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool, "U16": torch.uint16, "U32": torch.uint32,
    "U64": torch.uint64, "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2, "F8_E8M0": torch.float8_e8m0fnu,
    "C64": torch.complex64,
}
# Only the zip container holds these, as bytes without a type.
UNTYPED = ("U16", "U32", "U64", "F8_E4M3", "F8_E5M2", "F8_E8M0")
CASES = int(os.environ.get("TL_PARITY_CASES", "360"))
WEIGHTS = "resnet18_imagenet_ktb65.8_bnstats.pth"


def run(*arguments):
    return subprocess.run([RUN, *arguments], capture_output=True, text=True)


def as_bytes(tensor):
    # contiguous() leaves the odd strides of sides of 1.
    flat = tensor.detach().clone(memory_format=torch.contiguous_format).reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def read_safetensors(path):
    """Header as the format's own page describes it; order is kept."""
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])
    assert n % 8 == 0 and data[8:9] == b"{"
    header.pop("__metadata__", None)
    return {name: (DTYPES[t["dtype"]], t["shape"],
                   data[8 + n + t["data_offsets"][0]:8 + n + t["data_offsets"][1]])
            for name, t in header.items()}


def check_equal(what, path, expected, show=True):
    copy = path + ".safetensors"
    result = run("copy", path, copy)
    assert result.returncode == 0, (what, result.stderr)
    read = read_safetensors(copy)
    assert list(read) == list(expected), (what, list(read))
    for name, tensor in expected.items():
        dtype, shape, data = read[name]
        assert dtype == tensor.dtype, (what, name, dtype)
        assert shape == list(tensor.shape), (what, name, shape)
        assert data == as_bytes(tensor), (what, name)
    if show:
        print("equal:", what)


def check_refused(what, path, sentence):
    result = run("open", path)
    assert result.returncode == 0, (what, result)
    assert result.stdout.startswith("refused") and sentence in result.stdout, (
        what, result.stdout)
    print("refused:", what)


def make_state_dict():
    torch.manual_seed(0)
    base = torch.randn(6, 8)
    tensors = collections.OrderedDict()
    for name, dtype in DTYPES.items():
        tensors["dtype." + name] = (torch.randn(3, 5) * 50).to(dtype)
    tensors["scalar"] = torch.tensor(7)
    tensors["empty"] = torch.zeros(0, 4)
    tensors["transposed"] = base.t()
    tensors["slice"] = base[1:5, 2:7:2]
    tensors["expanded"] = torch.randn(3, 1).expand(3, 4)
    tensors["shared"] = base
    tensors["parameter"] = torch.nn.Parameter(torch.randn(4))
    tensors["channels_last"] = torch.randn(2, 3, 4, 5).to(
        memory_format=torch.channels_last)
    tensors["name with \u00e9 and \"quotes\""] = torch.ones(1)
    return tensors


def check_containers(folder):
    tensors = make_state_dict()
    path = os.path.join(folder, "a.pth")
    for protocol in (2, 3, 4, 5):
        torch.save(tensors, path, pickle_protocol=protocol)
        check_equal("protocol %d" % protocol, path, tensors)
    torch.save(dict(tensors), path)
    check_equal("plain dict", path, tensors)
    for key in ("state_dict", "model", "model_state_dict"):
        torch.save({"epoch": 3, "lr": 0.1, "done": False, key: tensors,
                    "history": [(1, 2.5), None], "large": 1 << 40}, path)
        check_equal("under " + key, path, tensors)
    for prefix in ("module.", "_orig_mod.", "module.model."):
        torch.save({prefix + k: v for k, v in tensors.items()}, path)
        check_equal("prefix " + prefix, path, tensors)


def check_modules(folder):
    path = os.path.join(folder, "module.pth")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    torch.save(module.state_dict(), path)
    check_equal("state_dict() of a module", path, module.state_dict())
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.randn(1, 3, 8, 8)).sum().backward()
    optimizer.step()
    torch.save({"model": module.state_dict(),
                "optimizer": optimizer.state_dict()}, path)
    check_equal("beside an optimizer", path, module.state_dict())
    torch.save(module, path)
    check_refused("a whole module", path, "torch.nn.modules.container.Sequential")
    torch.jit.save(torch.jit.script(module), path)
    check_refused("TorchScript", path, "TorchScript archive")
    for save in (save_legacy, tarcontainer.save):
        save(module.state_dict(), path)
        check_equal("state_dict() as " + save.__name__, path, module.state_dict())
    save_legacy(module, path)
    check_refused("a whole module, legacy", path,
                  "torch.nn.modules.container.Sequential")
    names = ("conv1.weight", "layer1.0.conv1.weight", "fc.bias")
    for prefix in ("backbone.", "module.encoder.", "0."):
        torch.save({prefix + name: torch.ones(2) for name in names}, path)
        check_equal("prefix " + prefix, path, {name: torch.ones(2) for name in names})
    averaged = torch.optim.swa_utils.AveragedModel(module)
    torch.save({"epoch": 1, "model": {}, "model_ema": averaged.state_dict()}, path)
    check_equal("an averaged model", path, module.state_dict())


def save_legacy(obj, path, protocol=2):
    torch.save(obj, path, pickle_protocol=protocol,
               _use_new_zipfile_serialization=False)


def draw_tensor(rng, names, made):
    """A tensor of any dtype: whole, a view, or another view of an earlier one."""
    dtype = DTYPES[rng.choice(names)]
    earlier = [t for t in made if t.dim() and t.numel()]
    if earlier and rng.random() < 0.2:
        base = rng.choice(earlier).detach()
    else:
        shape = [rng.randint(0 if rng.random() < 0.1 else 1, 5)
                 for _ in range(rng.randint(0, 5))]
        base = torch.randint(0, 256, shape + [torch.empty((), dtype=dtype).element_size()],
                             dtype=torch.uint8)
        if dtype == torch.bool:
            base %= 2
        base = base.view(dtype).squeeze(-1)
    for _ in range(rng.randint(0, 2)):
        if not base.dim():
            break
        dim = rng.randrange(base.dim())
        what = rng.randrange(4)
        if what == 0:
            base = base.transpose(dim, rng.randrange(base.dim()))
        elif what == 1:
            start = rng.randint(0, base.shape[dim])
            index = [slice(None)] * base.dim()
            index[dim] = slice(start, None, rng.randint(1, 3))
            base = base[tuple(index)]
        elif what == 2 and base.shape[dim] > 0:
            base = base.select(dim, rng.randrange(base.shape[dim]))
        else:
            base = base.unsqueeze(dim).expand(
                *base.shape[:dim], rng.randint(1, 3), *base.shape[dim:])
    if base.dtype.is_floating_point and base.dtype.itemsize > 1 and rng.random() < 0.3:
        base = torch.nn.Parameter(base, requires_grad=rng.random() < 0.5)
    return base


def draw_state_dict(rng, names, prefix):
    tensors = collections.OrderedDict()
    for i in range(rng.randint(1, 8)):
        name = rng.choice(("conv%d.weight", "layer1.%d.bn1.bias", "fc.%d", "\u00e9%d"))
        tensors[prefix + name % i] = draw_tensor(rng, names, list(tensors.values()))
    return tensors


# What is kept beside a state dict, and no reason to refuse it.
BESIDE = {
    "epoch": lambda: 3, "lr": lambda: 0.1, "none": lambda: None,
    "big": lambda: 1 << 200, "seed": lambda: (1 << 64) - 1, "negative": lambda: -(1 << 40),
    "args": lambda: argparse.Namespace(lr=0.1, sizes=[1, 2], name="r18"),
    "date": lambda: datetime.datetime(2024, 1, 31, 14, 30),
    "path": lambda: pathlib.PurePosixPath("/data/x"),
    "scalar": lambda: numpy.float32(0.5), "array": lambda: numpy.arange(20.0),
    "state": lambda: numpy.random.RandomState(1).get_state(),
    "generator": lambda: numpy.random.default_rng(1),
    "rng": lambda: torch.get_rng_state(), "device": lambda: torch.device("cpu"),
    "dtype": lambda: torch.float16, "size": lambda: torch.Size([3, 4]),
    "set": lambda: {1, 2}, "frozen": lambda: frozenset("ab"),
    "bytes": lambda: b"\x00\xff" * 200, "bytearray": lambda: bytearray(b"abc"),
    "complex": lambda: 1 + 2j, "text": lambda: "x" * 70000,
    "counter": lambda: collections.Counter("abca"),
    "default": lambda: collections.defaultdict(list, a=[1]),
    "deque": lambda: collections.deque([1, 2], 3),
    "class": lambda: torch.nn.Linear, "module": lambda: torch.nn.Linear(2, 3),
    "storage": lambda: torch.arange(4).untyped_storage(),
    "history": lambda: [{"loss": float(i), "best": i == 3} for i in range(9)],
    "optimizer": lambda: torch.optim.AdamW([torch.nn.Parameter(torch.ones(2))]).state_dict(),
    "sparse": lambda: torch.eye(3).to_sparse(),
    "double": lambda: torch.zeros(2, dtype=torch.complex128),
    "quantized": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint32),
    "conjugated": lambda: torch.ones(2, dtype=torch.complex64).conj(),
    "score": lambda: torch.tensor(0.5),
    "ellipsis": lambda: ...,
    "version": lambda: torch.__version__,
}
NOT_LEGACY = ("storage",)  # torch.load itself fails
NOT_TAR = NOT_LEGACY + ("double", "quantized", "conjugated", "score", "module",
           "sparse", "optimizer", "rng")
WRAPPERS = ("state_dict_ema", "model_ema", "params_ema", "ema", "state_dict",
            "model_state_dict", "model", "params")


def draw_case(rng, container, path):
    names = [n for n in DTYPES if container == "zip" or n not in UNTYPED]
    if container == "tar":
        names.remove("C64")
    prefix = rng.choice(("", "", "", "module.", "model.", "_orig_mod.",
                         "module.model.", "_orig_mod.module."))
    tensors = draw_state_dict(rng, names, prefix)
    expected = collections.OrderedDict((k[len(prefix):], v) for k, v in tensors.items())
    obj = tensors if rng.random() < 0.7 else dict(tensors)
    not_here = {"legacy": NOT_LEGACY, "tar": NOT_TAR}.get(container, ())
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        wrapper = rng.choice(WRAPPERS)
        obj = {wrapper: obj}
        for key in rng.sample(sorted(BESIDE), rng.randint(0, 4)):
            if key not in not_here:
                obj[key] = BESIDE[key]()
        # One that comes later in the order does not win.
        for other in WRAPPERS[WRAPPERS.index(wrapper) + 1:]:
            if container != "tar" and rng.random() < 0.2:
                obj[other] = {"w": torch.ones(1)}
    protocol = rng.randint(2, 5)
    if container == "zip":
        torch.save(obj, path, pickle_protocol=protocol)
    elif container == "legacy":
        save_legacy(obj, path, protocol)
    else:
        tarcontainer.save(obj, path)
    return expected


def check_random(folder):
    """Every case in one call of the program, as starting it costs most."""
    cases = []
    for i in range(CASES):
        rng = random.Random(i)
        container = ("zip", "legacy", "tar", "zip", "legacy")[i % 5]
        path = os.path.join(folder, "%03d.pth" % i)
        try:
            expected = draw_case(rng, container, path)
        except RuntimeError as reason:
            # torch.save's own limit of the legacy container.
            assert container == "legacy" and "different types" in str(reason)
            continue
        cases.append((i, container, path, expected))
        loaded = torch.load(path, weights_only=False)
        while not any(isinstance(v, torch.Tensor) and k not in BESIDE
                      for k, v in loaded.items()):
            loaded = next(loaded[w] for w in WRAPPERS if w in loaded)
        for (name, tensor), other in zip(loaded.items(), expected.values()):
            assert as_bytes(tensor) == as_bytes(other), (i, name)
    for i, container, path, expected in cases:
        check_equal("case %d, %s" % (i, container), path, expected, show=False)
    counts = collections.Counter(case[1] for case in cases)
    print("equal: %d random state dicts:" % len(cases), dict(counts))
    assert len(cases) > 0.8 * CASES


class Command:
    def __reduce__(self):
        return os.system, ("true",)


def check_hostile(folder):
    path = os.path.join(folder, "hostile.pth")
    torch.save({"w": Command()}, path)
    check_refused("a command", path, "posix.system")
    torch.save({"state_dict": {"w": torch.zeros(2)}, "x": Command()}, path)
    check_refused("a command beside a state dict", path, "posix.system")
    save_legacy({"w": Command()}, path)
    check_refused("a command, legacy", path, "posix.system")
    tarcontainer.save({"w": Command()}, path)
    check_refused("a command, tar", path, "posix.system")
    torch.save({"w": torch.zeros(2, dtype=torch.complex128)}, path)
    check_refused("complex numbers of 16 bytes", path, "ComplexDoubleStorage")
    torch.save({"w": torch.zeros(2, dtype=torch.float8_e4m3fnuz)}, path)
    check_refused("a rare dtype", path, "torch.float8_e4m3fnuz")
    torch.save({"w": torch.ones(2, dtype=torch.complex64).conj()}, path)
    check_refused("a conjugated tensor", path, "resolve_conj")
    torch.save({"w": torch.eye(3).to_sparse()}, path)
    check_refused("a sparse tensor", path, "tensor w is of a kind that is not read")
    torch.save({"model": torch.nn.Linear(2, 3), "epoch": 1}, path)
    check_refused("a module in an item", path, "its item model is a Python object")
    torch.save({"teacher": {"w": torch.ones(1)}, "student": {"w": torch.ones(1)}}, path)
    check_refused("two state dicts", path, "such as teacher and student")
    torch.save([torch.zeros(2)], path)
    check_refused("a list of tensors", path, "no state dict")


def check_real(folder):
    path = os.path.join(os.environ.get("TLPIPE_MATERIAL", ""), WEIGHTS)
    if not os.path.exists(path):
        print("without the real weights: TLPIPE_MATERIAL has no", WEIGHTS)
        return
    link = os.path.join(folder, WEIGHTS)
    os.symlink(os.path.abspath(path), link)
    check_equal("real weights", link, torch.load(link, weights_only=True))
    digest = hashlib.sha256(open(link, "rb").read()).hexdigest()
    assert run("sha256", link).stdout.strip() == digest


def check_archs():
    from torchvisionless import import_torchvision

    torchvision = import_torchvision()
    for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"):
        with torch.device("meta"):
            model = getattr(torchvision.models, name)(num_classes=7)
        expected = [[key] + [str(n) for n in tensor.shape]
                    for key, tensor in model.state_dict().items()]
        lines = run("list", name, "7").stdout.splitlines()
        got = [[line.split()[0]] + line.split()[3:] for line in lines]
        assert got == expected, name
        print("equal:", name)


if __name__ == "__main__":
    RUN = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        check_containers(scratch)
        check_modules(scratch)
        check_random(scratch)
        check_hostile(scratch)
        check_real(scratch)
    try:
        check_archs()
    except ImportError as reason:
        print("without torchvision:", reason)
