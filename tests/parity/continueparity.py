#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A run of tlpipe goes on in PyTorch as docs/checkpoints.md says.

Two lines train on the same pictures, for one step and for two. The first one's
checkpoint is loaded by the Python of the page, for AdamW, and by the same with
SGD and Adam in its place; a step there must give the second one's checkpoint, to the last bit.
Exit status 77: torchvision, Pillow or gst-launch-1.0 is not here.

    continueparity.py SOURCE
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import trainparity as parity

try:
    from PIL import Image
except ImportError as reason:
    print("skipped:", reason)
    sys.exit(77)

np, torch = parity.np, parity.torch
SIDE = 64

# The trainer's properties beside the line's, another optimizer for the page, and
# what step_python() needs.
CASES = {
    "adamw": ("optimizer=adamw beta1=0.8 weight-decay=0.01", None, {}),
    "sgd": ("momentum=0.8 nesterov=true label-smoothing=0.1 clip-grad-norm=1",
            "SGD(%s, lr=0.01, momentum=0.8, nesterov=True, foreach=False)",
            {"label-smoothing": 0.1, "clip-grad-norm": 1}),
    "adam": ("optimizer=adam beta1=0.7 beta2=0.9 eps=1e-3 weight-decay=0.01",
             "Adam(%s, lr=0.01, betas=(0.7, 0.9), eps=1e-3, weight_decay=0.01, foreach=False)", {}),
}


def draw(folder):
    """Four pictures of each of two classes; the batch that they become."""
    pixels = parity.make_batches(1, 8, SIDE, 2)[0][0]
    for i, picture in enumerate(pixels):
        path = os.path.join(folder, "data", "train", "ab"[i // 4], f"{i}.png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(picture).save(path)
    return parity.to_input(pixels), np.repeat(np.arange(2, dtype=np.int32), 4)


def train(folder, run, steps, settings):
    words = (f"datasetsrc location={folder}/data splits=train valid-fraction=0 shuffle=false "
             f"seed=1 epochs={steps} ! imagedecode width={SIDE} height={SIDE} resize={SIDE} "
             "crop=center ! batcher batch-size=8 ! resnetfinetune weights=random arch=resnet18 "
             f"freeze=layer3 lr=0.01 device=cpu n-threads=1 exact=true {settings} ! "
             f"checkpointsink location={folder}/{run}")
    done = subprocess.run(["gst-launch-1.0", *words.split()], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        sys.exit(f"{words}: {done.stdout}{done.stderr}")


def run_page(source, make):
    """Runs the page's code, with the optimizer of @make if that is given; its variables."""
    with open(os.path.join(source, "docs", "checkpoints.md"), encoding="utf-8") as page:
        section = page.read().split("## Going on in PyTorch")[1]
    code = re.search(r"```python\n(.*?)```", section, re.S)[1]
    if make:
        code, n = re.subn(r"AdamW\((.*), lr=.*\)", lambda match: make % match[1], code)
        assert n == 1, code
    variables = {}
    exec(code, variables)
    return variables


def get_state(model, optimizer, names):
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    for name in names:
        for slot, value in optimizer.state[model.get_parameter(name)].items():
            state[f"optimizer.{name}.{slot}"] = value.numpy()
    return state


def check(source, name, x, y):
    settings, make, case = CASES[name]
    train(".", "run", 1, settings)
    train(".", "wanted", 2, settings)
    page = run_page(source, make)
    model, optimizer = page["model"], page["optimizer"]
    for parameter, value in model.named_parameters():
        value.requires_grad_(parameter in page["names"])
    parity.set_mode(model, "layer3", False)
    parity.step_python(model, optimizer, case, x, y)
    wanted = page["read_checkpoint"]("wanted/last.safetensors")[1]
    wanted = {key: value.numpy() for key, value in wanted.items()}
    state = get_state(model, optimizer, page["names"])
    difference = (parity.first_difference(wanted, state)
                  or parity.first_difference(state, wanted))
    print(f"{name}, step 2 in Python: {difference or 'equal'}")
    return difference is not None


def main():
    if not shutil.which("gst-launch-1.0"):
        print("skipped: gst-launch-1.0 is not installed")
        return 77
    torch.set_num_threads(1)
    source = os.path.abspath(sys.argv[1])
    sys.path.append(os.path.join(source, "examples"))
    failures = 0
    for name in CASES:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            failures += check(source, name, *draw("."))
            os.chdir(source)
    return failures != 0


sys.exit(main())
