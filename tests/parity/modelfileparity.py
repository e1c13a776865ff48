#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the readers of model files with PyTorch's.

Files are written by torch.save in every way that users have, read and written
again as safetensors in C, and must hold the same bytes. Exit status 77: torch
is not here.
"""
import collections
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError as reason:
    print("skipped:", reason)
    sys.exit(77)

DTYPES = {
    "F32": torch.float32, "F64": torch.float64, "F16": torch.float16,
    "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32,
    "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool,
}
WEIGHTS = "resnet18_imagenet_ktb65.8_bnstats.pth"


def run(*arguments):
    return subprocess.run([RUN, *arguments], capture_output=True, text=True)


def as_bytes(tensor):
    flat = tensor.detach().contiguous().reshape(-1)
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


def check_equal(what, path, expected):
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
    torch.save(module.state_dict(), path, _use_new_zipfile_serialization=False)
    check_refused("legacy container", path, "legacy format")


class Command:
    def __reduce__(self):
        return os.system, ("true",)


def check_hostile(folder):
    path = os.path.join(folder, "hostile.pth")
    torch.save({"w": Command()}, path)
    check_refused("a command", path, "posix.system")
    torch.save({"w": torch.zeros(2, dtype=torch.complex64)}, path)
    check_refused("complex numbers", path, "ComplexFloatStorage")
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
        check_hostile(scratch)
        check_real(scratch)
    try:
        check_archs()
    except ImportError as reason:
        print("without torchvision:", reason)
