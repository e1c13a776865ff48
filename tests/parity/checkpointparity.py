#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A checkpoint of a real line, read in Python, says what tlpipe says.

Trains with gst-launch-1.0 on pictures of the network's own size (so that no
resize takes part), reads the checkpoint with examples/read_checkpoint.py and
runs torchvision's ResNet-18 on the validation pictures. The log-probabilities
must be resnetinfer's within 1e-4, the loss and the accuracy those that
resnetfinetune wrote into the file. Then runs the Python of docs/checkpoints.md.

    checkpointparity.py SOURCE [--real]

--real: hymenoptera and pretrained weights from TLPIPE_MATERIAL. Exit status
77: it, torchvision, Pillow or gst-launch-1.0 is not here.
"""
import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

try:
    import numpy as np
    import torch
    from PIL import Image

    from torchvisionless import import_torchvision

    torchvision = import_torchvision()
except ImportError as reason:
    print("skipped:", reason)
    sys.exit(77)

TOLERANCE = 1e-4
WEIGHTS = "resnet18_imagenet_ktb65.8_bnstats.pth"


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def import_example(source):
    path = os.path.join(source, "examples", "read_checkpoint.py")
    spec = importlib.util.spec_from_file_location("read_checkpoint", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- Pictures of the network's own size ----------------------------------------


def save(folder, split, name, i, picture):
    path = os.path.join(folder, split, name, f"{i:03}.png")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    picture.save(path)


def draw(folder, side):
    """Noise, brighter on the left or on the right."""
    random = np.random.default_rng(3)
    for label, name in enumerate(("left, lit", "right")):
        for i in range(12):
            pixels = random.integers(0, 160, (side, side, 3), np.uint8)
            pixels[:, label * side // 2:(label + 1) * side // 2] += 90
            save(folder, "train" if i < 8 else "val", name, i, Image.fromarray(pixels))


def shrink(archive, folder, side):
    """Some of hymenoptera's photos, cropped and resized by Pillow."""
    counts = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            split, name, file = ([""] * 3 + member.name.split("/"))[-3:]
            n = counts.get((split, name), 0)
            if not file.endswith(".jpg") or n >= {"train": 24, "val": 12}.get(split, 0):
                continue
            counts[split, name] = n + 1
            photo = Image.open(tar.extractfile(member)).convert("RGB")
            edge = min(photo.size)
            x, y = ((size - edge) // 2 for size in photo.size)
            save(folder, split, name, n, photo.resize(
                (side, side), Image.Resampling.BILINEAR, (x, y, x + edge, y + edge)))


# ---- tlpipe ----------------------------------------------------------------------


def launch(words, *options):
    done = subprocess.run(["gst-launch-1.0", *options, *words.split()], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        sys.exit(f"{words}: {done.stdout}{done.stderr}")
    return done.stdout


def train(folder, side, weights):
    launch(f"datasetsrc location={folder}/data seed=1 epochs=2 group=none ! imagedecode "
           f"width={side} height={side} resize={side} ! augment ! batcher batch-size=8 ! "
           f"resnetfinetune device=cpu n-threads=1 lr=0.01 {weights} ! "
           f"checkpointsink location={folder}/run")


def infer(folder):
    """Probabilities by path, in the order of the classes of each message."""
    output = launch(f"datasetsrc location={folder}/data splits=valid group=none ! imagedecode ! "
                    f"resnetinfer device=cpu n-threads=1 top-k=16 "
                    f"checkpoint={folder}/run/last.safetensors ! fakesink", "-m")
    results = {}
    for line in output.splitlines():
        if " tl-result," not in line:
            continue
        line = re.sub(r"\\(.)", r"\1", line)
        path = re.search(r"path=\(string\)(\"[^\"]*\"|[^,]*),", line)[1].strip('"')
        classes = re.search(r"classes=\(string\)< (.*?) >,", line)[1]
        values = re.search(r"probabilities=\(double\)< (.*?) >", line)[1]
        names = [a or b for a, b in re.findall(r'"([^"]*)"|([^, ][^,]*)', classes)]
        results[path] = dict(zip(names, map(float, values.split(", ")), strict=True))
    return results


# ---- Python ----------------------------------------------------------------------


def load_model(example, tensors, n_classes):
    model = torchvision.models.resnet18(num_classes=n_classes)
    model.load_state_dict(example.model_state(tensors), strict=True)
    return model.eval()


def compare_results(example, model, metadata, results):
    """Largest difference of a log-probability; sum of losses; right answers."""
    classes = re.findall(r'"([^"]*)"', metadata["tlpipe.classes"])
    worst, loss, n_correct = 0, 0, 0
    for path, theirs in results.items():
        label = classes.index(path.split("/")[-2])
        pixels = torch.from_numpy(np.array(Image.open(path)))[None]
        with torch.no_grad():
            ours = model(example.normalise(pixels, metadata)).log_softmax(1)[0]
        tlpipe = torch.tensor([theirs[name] for name in classes]).log()
        worst = max(worst, (ours - tlpipe).abs().max().item())
        loss -= ours[label].item()
        n_correct += ours.argmax().item() == label
    return worst, loss, n_correct


def run_documented_snippet(source, folder):
    with open(os.path.join(source, "docs", "checkpoints.md"), encoding="utf-8") as page:
        code = re.search(r"```python\n(.*?)```", page.read(), re.S)[1]
    shutil.copy(os.path.join(source, "examples", "read_checkpoint.py"),
                os.path.join(folder, "read_checkpoint.py"))
    os.chdir(folder)
    sys.path.insert(0, folder)
    exec(compile(code, "docs/checkpoints.md", "exec"), {})


def prepare(folder, real):
    """Draws the pictures; their side and the trainer's properties."""
    if not real:
        draw(folder + "/data", 64)
        return 64, "weights=random arch=resnet18 freeze=none"
    material = os.environ.get("TLPIPE_MATERIAL")
    if not material:
        skip("TLPIPE_MATERIAL is not set")
    shrink(os.path.join(material, "hymenoptera_data.tar"), folder + "/data", 224)
    return 224, f"weights={os.path.join(material, WEIGHTS)}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("--real", action="store_true")
    args = parser.parse_args()
    if not shutil.which("gst-launch-1.0"):
        skip("gst-launch-1.0 is not installed")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        side, weights = prepare(folder, args.real)
        train(folder, side, weights)
        results = infer(folder)
        example = import_example(args.source)
        metadata, tensors = example.read_checkpoint(folder + "/run/last.safetensors")
        model = load_model(example, tensors, 2)
        worst, loss, n_correct = compare_results(example, model, metadata, results)
        said = dict(w.split("=") for w in metadata["tlpipe.metrics.valid"].split())
        n = int(said["n"])
        print(f"{n} pictures: log-probabilities differ by {worst:.2g} at most, loss "
              f"{loss / n:.6f} ({said['loss']}), accuracy {n_correct / n:.4f} "
              f"({said['accuracy']})")
        if (len(results) != n or worst > TOLERANCE
                or abs(loss / n - float(said["loss"])) > TOLERANCE
                or n_correct != round(n * float(said["accuracy"]))):
            sys.exit("Python and tlpipe disagree")
        run_documented_snippet(args.source, folder)


main()
