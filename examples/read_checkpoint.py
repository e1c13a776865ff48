#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads a tlpipe checkpoint with torch and Python's own modules alone.

    metadata, tensors = read_checkpoint("run/best.safetensors")
"""
import json
import struct

import torch

DTYPES = {"F32": torch.float32, "I64": torch.int64}


def read_checkpoint(path):
    """The texts of __metadata__, and the tensors by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(data[begin:end], dtype=DTYPES[entry["dtype"]])
        tensors[name] = tensors[name].reshape(entry["shape"])
    return metadata, tensors


def model_state(tensors):
    """What load_state_dict() takes: all but the optimizer's state."""
    return {k: v for k, v in tensors.items() if not k.startswith("optimizer.")}


def optimizer_state(tensors, names, optimizer):
    """What the optimizer's load_state_dict() takes. It was made for the parameters called names,
    in that order."""
    state = {}
    for i, name in enumerate(names):
        prefix = f"optimizer.{name}."
        slots = {k[len(prefix):]: v for k, v in tensors.items() if k.startswith(prefix)}
        if slots:
            state[i] = slots
    return {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}


def normalise(pixels, metadata):
    """n x height x width x 3 bytes, cropped and resized, to the network's input."""
    words = dict(word.split("=", 1) for word in metadata["tlpipe.preprocess"].split(" "))
    mean, std = (torch.tensor([float(v) for v in words[k].split(",")]) for k in ("mean", "std"))
    return ((pixels / 255 - mean) / std).permute(0, 3, 1, 2)
