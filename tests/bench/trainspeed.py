#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Training steps per second of the shim and of PyTorch eager, side by side.

    TLPIPE_SHIM=build/shim/torch/libtlshim-torch.so \\
        tests/bench/trainspeed.py build/tests/parity/shimrun

Both train a random network on the same batches in memory, in turns, so that
both meet the same machine. PyTorch runs channels_last with frozen BatchNorm in
eval and gets normalised tensors; the shim also normalises the bytes. Prints
images/s of the fastest and the median step, and the ratio of the fastest.
"""
import argparse
import pathlib
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

sys.path.append(str(pathlib.Path(__file__).parent.parent / "parity"))
import trainparity as parity


def time_python(case, pixels, labels):
    model = parity.make_model(case["arch"], 2)
    model = model.to(memory_format=torch.channels_last)
    optimizer = parity.make_optimizer(model, case)
    inputs = [parity.to_input(batch).contiguous(
        memory_format=torch.channels_last) for batch in pixels]
    parity.set_mode(model, case["freeze"], False)
    seconds = []
    for x, y in zip(inputs, labels):
        start = time.perf_counter()
        loss = F.cross_entropy(model(x), torch.from_numpy(y).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
        seconds.append(time.perf_counter() - start)
    return seconds


def time_shim(program, case, pixels, labels, threads):
    model = parity.make_model(case["arch"], 2)
    result = parity.run_shim(program, case, model, pixels, labels, exact=0,
                             threads=threads)
    return result["seconds"][0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="build/tests/parity/shimrun")
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--freeze", default="all-but-fc",
                        choices=parity.FREEZES)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    case = dict(arch=arguments.arch, freeze=arguments.freeze, lr=1e-3)
    n = arguments.batch_size
    pixels, labels = parity.make_batches(arguments.steps, n, 224, 2)
    for _ in range(arguments.rounds):
        python = time_python(case, pixels, labels)
        shim = time_shim(arguments.program, case, pixels, labels,
                         arguments.threads)
        print(f"{arguments.freeze} B={n} threads={arguments.threads}:"
              f" PyTorch {n / min(python):.1f} ({n / np.median(python):.1f}),"
              f" shim {n / min(shim):.1f} ({n / np.median(shim):.1f}) img/s,"
              f" ratio {min(python) / min(shim):.2f}", flush=True)


if __name__ == "__main__":
    main()
