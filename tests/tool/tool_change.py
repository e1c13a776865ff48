#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What may change on a resume: each row of the table in docs/checkpoints.md, tried."""
import json
import os
import pathlib
import re
import shutil
import struct

from toolbench import main
from tapcases import check, digest

DOCUMENT = pathlib.Path(__file__).parent.parent.parent / "docs/checkpoints.md"
RESULTS = ("last.safetensors", "best.safetensors", "metrics.jsonl")


def pictures(folder, name):
    return sorted(p for p in (pathlib.Path(folder) / name).iterdir())


def add_picture(folder):
    first = pictures(folder, "normal")[0]
    shutil.copy(first, first.with_name("video0_frame77.jpg"))


def remove_picture(folder):
    pictures(folder, "normal")[0].unlink()


def rename_picture(folder):
    first = pictures(folder, "normal")[0]
    first.rename(first.with_name(first.stem + "9.jpg"))


def add_class(folder):
    shutil.copytree(pathlib.Path(folder) / "normal", pathlib.Path(folder) / "wasps")


def rename_class(folder):
    (pathlib.Path(folder) / "normal").rename(pathlib.Path(folder) / "usual")


def replace_picture(folder):
    first, second, *_ = pictures(folder, "normal")
    shutil.copy(first, second)


SAME, OTHER = "the same bytes", "goes on"

# Row of the table: what is changed (a function of the data set's folder, or words for
# --set), and what comes of it: SAME, OTHER, or what the error says.
ROWS = {
    "a picture added": (add_picture, "and has"),
    "a picture removed": (remove_picture, 'of the class "normal" had'),
    "a picture renamed or moved": (rename_picture, "renamed"),
    "a class added": (add_class, 'the class "wasps" is new'),
    "a class renamed": (rename_class,
                        'the class "usual" is new; the class "normal" is gone'),
    "a picture replaced under its name": (replace_picture, OTHER),
    "`splits`": (["datasetsrc.splits=train"], "valid was played and now is not"),
    "`valid-fraction`": (["datasetsrc.valid-fraction=0.5"], "another data set"),
    "`group`": (["datasetsrc.group=none"], "another data set"),
    "`max-samples`": (["datasetsrc.max-samples=20"], "another data set"),
    "`seed`": (["datasetsrc.seed=2"], "seed=2 contradicts the checkpoint"),
    "`shuffle`": (["datasetsrc.shuffle=false"], 'shuffle was "true" and is now "false"'),
    "`batch-size`": (["batcher.batch-size=4"], 'batch-size was "8" and is now "4"'),
    "`drop-last`": (["batcher.drop-last=true"],
                    'was "imagedecode, augment" and is now "imagedecode, augment, batcher"'),
    "`width`, `height`": (["imagedecode.width=40"], 'width was "32" and is now "40"'),
    "`crop`": (["imagedecode.crop=center"], 'crop was "auto" and is now "center"'),
    "`max-pixels`": (["imagedecode.max-pixels=80000"], 'max-pixels was "100000000" and is now "80000"'),
    "`flip`": (["augment.flip=none"], 'flip was "horizontal" and is now "none"'),
    "`mean`, `std`": (["resnetfinetune.mean=0,0,0"], 'mean was "0.485,0.456,0.406" and is now'),
    "`weights`": (["resnetfinetune.weights=other/last.safetensors"],
                  "began with other weights (sha256 random) than weights=other/"),
    "`arch`": (["resnetfinetune.arch=resnet18"], "is a thumbnail, but arch=resnet18"),
    "`freeze`": (["resnetfinetune.freeze=none"],
                 'freeze was "all-but-fc" and is now "none"'),
    "`train-bn`": (["resnetfinetune.train-bn=true"], 'train-bn was "false" and is now "true"'),
    "`exact`": (["resnetfinetune.exact=true"], 'exact was "false" and is now "true"'),
    "`optimizer`": (["resnetfinetune.optimizer=adamw"],
                    'optimizer was "sgd" and is now "adamw"'),
    "`momentum`": (["resnetfinetune.momentum=0.5"], 'momentum was "0.9" and is now "0.5"'),
    "`nesterov`": (["resnetfinetune.nesterov=true"], 'nesterov was "false" and is now "true"'),
    "`weight-decay`": (["resnetfinetune.weight-decay=0.1"],
                       'weight-decay was "0" and is now "0.1"'),
    "`label-smoothing`": (["resnetfinetune.label-smoothing=0.1"],
                          'label-smoothing was not set and is now "0.1"'),
    "`clip-grad-norm`": (["resnetfinetune.clip-grad-norm=5"],
                         'clip-grad-norm was not set and is now "5"'),
    "`lr`": (["resnetfinetune.lr=0.01"], 'lr was "0.001" and is now "0.01"'),
    "`lr-scheduler`": (["resnetfinetune.lr-scheduler=cosine"],
                       'lr-scheduler was "constant" and is now "cosine"'),
    "`warmup-epochs`": (["resnetfinetune.warmup-epochs=1"],
                        'warmup-epochs was "0" and is now "1"'),
    "`epochs`": ([], SAME),
    "`n-threads` of imagedecode and augment": (["imagedecode.n-threads=4", "augment.n-threads=3"],
                                               SAME),
    "`n-threads` of resnetfinetune": (["resnetfinetune.n-threads=2"], OTHER),
    "`device`": (["resnetfinetune.device=auto"], OTHER),
    "`checkpoint-every`, `report-interval`": (["resnetfinetune.checkpoint-every=3",
                                               "resnetfinetune.report-interval=2"], SAME),
    "`on-error`, `max-errors`": (["imagedecode.on-error=fail", "imagedecode.max-errors=9"], SAME),
    "`save-top-k`, `save-last`, `monitor`": (["checkpointsink.save-top-k=3"], SAME),
    "queues": (["queue.max-size-buffers=9"], SAME),
}

# Rows that a case of their own tries.
ELSEWHERE = {"`epochs` with `lr-scheduler=cosine`": "no", "`beta1`, `beta2`, `eps`": "no",
             "`lr-step-size`, `lr-gamma`": "no", "where data set and run folder are": "yes"}


def resume(bench, name, change, status):
    data = bench.frames
    shutil.copytree(bench.path("run"), bench.path(name))
    if callable(change):
        data = bench.path(f"{name}-data")
        shutil.copytree(bench.frames, data)
        change(data)
    sets = change if isinstance(change, list) else []
    words = [word for text in (f"run={name}", f"data={data}", "epochs=3", *sets)
             for word in ("--set", text)]
    return bench.run("run", "finetune.yaml", "--resume", *words, status=status)


def same(bench, name):
    return all(digest(bench.path(f"{name}/{file}")) == digest(bench.path(f"whole/{file}"))
               for file in RESULTS)


def case_every_row_of_the_document_holds(bench):
    bench.train("--set", "run=whole", "--set", "epochs=3")
    bench.train()
    bench.train("--set", "run=other", "--set", "resnetfinetune.weights=run/best.safetensors",
                "--set", "resnetfinetune.arch=auto")
    for number, (row, (change, expected)) in enumerate(ROWS.items()):
        refused = expected not in (SAME, OTHER)
        name = f"row{number}"
        before = digest(bench.path("run/last.safetensors"))
        result = resume(bench, name, change, 1 if refused else 0)
        if refused:
            check(result.err.count("error:") == 1 and expected in result.err, f"{row}: {result}")
            check(digest(bench.path(f"{name}/last.safetensors")) == before,
                  f"{row}: the checkpoint was replaced")
        check(expected != SAME or same(bench, name), f"{row}: other bytes: {result}")


def case_the_document_has_every_row(bench):
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text[text.index("## What may change on a resume"):]
    section = section[:section.index("\n## ")]
    listed = {}
    for row, what in re.findall(r"^\| ([^|]+) \| ([^|]+) \|", section, re.M):
        if row != "what" and not row.startswith("-"):
            listed[row] = what
    answers = {row: {SAME: "yes", OTHER: "not exact"}.get(expected, "no")
               for row, (_, expected) in ROWS.items()} | ELSEWHERE
    check(set(listed) == set(answers), f"{set(listed) ^ set(answers)}")
    for row, word in answers.items():
        check(listed[row].startswith(word), f"{row}: {listed[row]} is not {word}")


def change_metadata(path, **values):
    """Another run's checkpoint: without its checksum, which would be another one."""
    raw = pathlib.Path(path).read_bytes()
    end = 8 + struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:end])
    kept = {key: value for key, value in header["__metadata__"].items() if "checksum" not in key}
    header["__metadata__"] = kept | {f"tlpipe.{key}": value for key, value in values.items()}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + raw[end:])


def case_numbers_of_adam_may_not_change(bench):
    # The reference backend has no Adam; the comparison comes before it is asked.
    bench.train()
    for name in ("last", "best"):
        change_metadata(bench.path(f"run/{name}.safetensors"),
                        optimizer="adam weight-decay=0 beta1=0.9 beta2=0.999 eps=1e-08")
    for name, value, was in (("beta1", "0.8", "0.9"), ("beta2", "0.99", "0.999"),
                             ("eps", "1e-06", "1e-08")):
        result = resume(bench, name, ["resnetfinetune.optimizer=adam",
                                      f"resnetfinetune.{name}={value}"], 1)
        check(result.err.count(" was ") == 1
              and f'{name} was "{was}" and is now "{value}"' in result.err, f"{name}: {result}")


def case_numbers_of_a_schedule_may_not_change(bench):
    step = ["resnetfinetune.lr-scheduler=step"]
    bench.train("--set", *step)
    for name, value, was in (("lr-step-size", "2", "7"), ("lr-gamma", "0.5", "0.1")):
        result = resume(bench, name, [*step, f"resnetfinetune.{name}={value}"], 1)
        check(f'{name.removeprefix("lr-")} was "{was}" and is now "{value}"' in result.err,
              f"{name}: {result}")


def case_cosine_has_its_end_in_the_rates(bench):
    cosine = ("--set", "resnetfinetune.lr-scheduler=cosine")
    bench.train(*cosine)
    result = bench.run("run", "finetune.yaml", "--resume", *cosine, "--set", "epochs=3", status=1)
    check('epochs was "2" and is now "3"' in result.err, str(result))


def case_folders_may_move(bench):
    bench.train("--set", "run=whole", "--set", "epochs=3")
    bench.train()
    os.rename(bench.path("run"), bench.path("elsewhere"))
    os.rename(bench.frames, bench.path("pictures"))
    bench.run("run", "finetune.yaml", "--resume", "--set", "run=elsewhere", "--set", "epochs=3",
              "--set", "data=pictures")
    check(same(bench, "elsewhere"), "other bytes")


def case_all_differences_are_told_at_once(bench):
    bench.train()
    result = resume(bench, "more", ["resnetfinetune.lr=0.5", "resnetfinetune.freeze=none",
                                    "batcher.batch-size=4"], 1)
    for text in ('lr was "0.001" and is now "0.5"', 'freeze was "all-but-fc" and is now "none"',
                 'batch-size was "8" and is now "4"', "Set it back to resume", "weights"):
        check(text in result.err, f"no {text!r}: {result}")


def case_a_test_split_in_the_run_is_not_passed_over(bench):
    root = pathlib.Path(bench.path("splits"))
    for split in ("train", "valid", "test"):
        shutil.copytree(bench.frames, root / split)
    words = ("--set", f"data={root}", "--set", "datasetsrc.splits=train,valid,test",
             "--set", "datasetsrc.max-samples=12", "--set", "datasetsrc.group=none")
    bench.train("--set", "run=whole", *words, "--set", "epochs=3")
    for every in (1, 2):
        shutil.rmtree(bench.path("run"), ignore_errors=True)
        bench.train(*words, "--set", f"resnetfinetune.checkpoint-every={every}")
        bench.run("run", "finetune.yaml", "--resume", *words, "--set", "epochs=3")
        check(same(bench, "run"), f"checkpoint-every={every}: other bytes")


if __name__ == "__main__":
    main(globals())
