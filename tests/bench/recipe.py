#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The PyTorch transfer-learning recipe, for comparisons with tlpipe.

torchvision's ImageFolder, PIL transforms, a DataLoader, a ResNet with the stages
before --train frozen (their BatchNorm in eval), cross-entropy, SGD with momentum
0.9. Prints one JSON object per epoch: loss and accuracy of both splits, seconds,
images per second.

Needs torch, torchvision, pillow and numpy: examples/setup.sh --tests.
"""
import argparse
import json
import os
import sys
import time

import torch
from torch.nn.functional import cross_entropy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "parity"))
from torchvisionless import import_torchvision  # noqa: E402

torchvision = import_torchvision()

STAGES = ["stem", "layer1", "layer2", "layer3", "layer4", "fc"]


def loader(args, folder, train):
    from torchvision import datasets, transforms
    size = ([transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip()]
            if train else [transforms.Resize(256), transforms.CenterCrop(224)])
    data = datasets.ImageFolder(folder, transforms.Compose(size + [
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]))
    return torch.utils.data.DataLoader(
        data, batch_size=args.batch_size, shuffle=train, num_workers=args.workers,
        generator=torch.Generator().manual_seed(args.seed))


def stage_of(name):
    first = name.split(".")[0]
    return STAGES.index(first if first in STAGES else "stem")


def build(args, n_classes):
    model = getattr(torchvision.models, args.arch)()
    model.load_state_dict(torch.load(args.weights, weights_only=True))
    torch.manual_seed(args.seed)
    model.fc = torch.nn.Linear(model.fc.in_features, n_classes)
    first = 0 if args.train == "all" else STAGES.index(args.train)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = stage_of(name) >= first
    if args.channels_last:
        model.to(memory_format=torch.channels_last)
    return model


def run(model, data, args, optimizer=None):
    model.train(optimizer is not None)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()
    loss_sum = hits = n = 0
    with torch.set_grad_enabled(optimizer is not None):
        for x, y in data:
            if args.channels_last:
                x = x.contiguous(memory_format=torch.channels_last)
            out = model(x)
            loss = cross_entropy(out, y)
            if optimizer:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            loss_sum += loss.item() * len(y)
            hits += (out.argmax(1) == y).sum().item()
            n += len(y)
    return loss_sum / n, hits / n, n


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--data", required=True, help="folder with train/ and val/")
    p.add_argument("--weights", required=True, help="state dict (.pth)")
    p.add_argument("--arch", default="resnet18")
    p.add_argument("--train", default="fc", choices=STAGES[1:] + ["all"])
    p.add_argument("--epochs", type=int, default=5)
    p.add_argument("--batch-size", type=int, default=8)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--channels-last", action="store_true")
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    train = loader(args, os.path.join(args.data, "train"), True)
    valid = loader(args, os.path.join(args.data, "val"), False)
    model = build(args, len(train.dataset.classes))
    optimizer = torch.optim.SGD([q for q in model.parameters() if q.requires_grad],
                                lr=args.lr, momentum=0.9)
    for epoch in range(args.epochs):
        begin = time.perf_counter()
        loss, accuracy, n = run(model, train, args, optimizer)
        valid_loss, valid_accuracy, n_valid = run(model, valid, args)
        seconds = time.perf_counter() - begin
        print(json.dumps({
            "epoch": epoch, "train_loss": loss, "train_accuracy": accuracy,
            "valid_loss": valid_loss, "valid_accuracy": valid_accuracy,
            "seconds": seconds, "images_per_second": (n + n_valid) / seconds}),
            flush=True)


if __name__ == "__main__":
    main()
