#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The pretrained files that tlpipe knows are torchvision's, with the same facts.

    knownweights.py TLPIPE
"""
import json
import subprocess
import sys

from torchvisionless import import_torchvision

ARCHS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


def theirs(models):
    rows = {}
    for arch in ARCHS:
        weights = models.get_model_weights(arch)
        for entry in weights:
            metrics = entry.meta["_metrics"]["ImageNet-1K"]
            transforms = entry.transforms()
            rows[str(entry)] = {
                "arch": arch,
                "default": entry is weights.DEFAULT,
                "url": entry.url,
                "file": entry.url.rsplit("/", 1)[1],
                "mebibytes": entry.meta["_file_size"],
                "parameters": entry.meta["num_params"],
                "top1": metrics["acc@1"],
                "top5": metrics["acc@5"],
                "resize": transforms.resize_size[0],
                "crop": transforms.crop_size[0],
            }
    return rows


def main():
    out = subprocess.run([sys.argv[1], "weights", "list", "--json"], check=True, text=True,
                         capture_output=True).stdout
    ours = {row["torchvision"]: row for row in map(json.loads, out.splitlines())}
    try:
        known = theirs(import_torchvision().models)
    except ImportError as error:
        print(error)
        return 77
    failures = [f"{name}: only one of the two knows it" for name in ours.keys() ^ known.keys()]
    for name in ours.keys() & known.keys():
        failures += [f"{name}: {key} is {ours[name][key]}, torchvision's is {value}"
                     for key, value in known[name].items() if ours[name][key] != value]
    print("\n".join(failures) or f"{len(known)} files are as torchvision says")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
