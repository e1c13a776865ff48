#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Learning rates of whole runs, from tlschedule and from torch.

Random settings, among them runs of one epoch, warm-ups of one epoch and of all
but one. torch counts as its documentation shows: a scheduler's step() at the
end of every epoch; in every other run its state is put into a new scheduler in
the middle. Rates may differ by 1e-12 of the base rate. Exit status 77: torch is
not here.

    scheduleparity.py build/tests/parity/schedulerates [RUNS]
"""
import random
import subprocess
import sys
import warnings

try:
    import torch
    from torch.optim import lr_scheduler
except ImportError as reason:
    print("skipped:", reason)
    sys.exit(77)

KINDS = ["constant", "step", "cosine"]
TOLERANCE = 1e-12


def draw(rng):
    """kind, lr, step size, gamma, warm-up epochs, epochs"""
    epochs = rng.choice([1, 2, 3, rng.randint(1, 30), rng.randint(30, 300)])
    warmup = rng.choice([0, 0, 1, epochs - 1, epochs, epochs + 3, rng.randint(0, epochs)])
    gamma = rng.choice([1.0, 0.1, 0.5, 1e-6, rng.uniform(0.01, 1)])
    return (rng.randrange(3), 10 ** rng.uniform(-6, 1), rng.choice([1, 7, rng.randint(1, epochs + 2)]),
            gamma, warmup, epochs)


def make_scheduler(optimizer, kind, step_size, gamma, warmup, epochs):
    make = {
        "constant": lambda: lr_scheduler.ConstantLR(optimizer, factor=1),
        "step": lambda: lr_scheduler.StepLR(optimizer, step_size, gamma),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs - warmup),
    }[KINDS[kind]]
    if warmup == 0:
        return make()
    rise = lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=warmup)
    return lr_scheduler.SequentialLR(optimizer, [rise, make()], milestones=[warmup])


def torch_rates(lr, settings, epochs, restart):
    def start():
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
        return optimizer, make_scheduler(optimizer, *settings, epochs)

    optimizer, scheduler = start()
    rates = []
    for epoch in range(epochs):
        if restart and epoch == epochs // 2:
            saved = optimizer.state_dict(), scheduler.state_dict()
            optimizer, scheduler = start()
            scheduler.load_state_dict(saved[1])
            optimizer.load_state_dict(saved[0])
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def check(run, line):
    """The largest difference over the base rate; None: refused, as it must be."""
    kind, lr, step_size, gamma, warmup, epochs = run
    if line.startswith("refused"):
        if warmup < epochs or f"warmup-epochs={warmup} leaves nothing" not in line:
            sys.exit(f"{run}: {line}")
        return None
    ours = [float(word) for word in line.split()]
    theirs = torch_rates(lr, (kind, step_size, gamma, warmup), epochs, epochs % 2)
    worst = max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / lr
    if worst > TOLERANCE:
        sys.exit(f"{KINDS[kind]} {run[1:]}: rates differ by {worst:.3g} of lr")
    return worst


def main():
    warnings.simplefilter("ignore")  # torch's, of its own epoch argument
    rng = random.Random(5)
    runs = [draw(rng) for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 300)]
    text = "".join(" ".join(map(repr, run)) + "\n" for run in runs)
    output = subprocess.run([sys.argv[1]], input=text, text=True, check=True,
                            capture_output=True).stdout
    results = [check(run, line) for run, line in zip(runs, output.splitlines(), strict=True)]
    rates = [result for result in results if result is not None]
    print(f"{len(rates)} runs equal torch's rates within {max(rates):.2g} of lr, "
          f"{len(results) - len(rates)} refused")


main()
