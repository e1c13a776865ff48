#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The words of tlpipe's command line: verbs, options, help, completion."""
import pathlib
import re
import subprocess

from toolbench import FINETUNE, VERBS, main
from tapcases import check


def case_every_verb_has_help(bench):
    usage = bench.run("--help").out
    for verb in VERBS:
        check(f"\n  {verb} " in usage, f"{verb} is not listed:\n{usage}")
        text = bench.run(verb, "--help").out
        for word in (f"usage: tlpipe {verb}", "Options:", "--help", "Examples:", "Exit status:"):
            check(word in text, f"{verb} --help lacks {word!r}:\n{text}")
        wide = [line for line in text.splitlines() if len(line) > 100]
        check(not wide, f"{verb} --help has wide lines: {wide}")
    check(re.findall(r"^  (\w+)", usage, re.M) == list(VERBS), f"other verbs:\n{usage}")


def case_the_documents_name_what_there_is(bench):
    root = pathlib.Path(__file__).parent.parent.parent
    known = {verb: set(re.findall(r"(?<![\w-])--?[\w-]+", bench.run(verb, "--help").out))
             for verb in VERBS}
    n = 0
    for path in [root / "README.md", *(root / "docs").rglob("*.md")]:
        for line in re.findall(r"^    tlpipe (.*)$", path.read_text(encoding="utf-8"), re.M):
            verb, *words = line.replace("[", " ").replace("]", " ").replace("|", " ").split()
            check(verb in VERBS or verb in ("VERB", "error:"), f"{path}: tlpipe {line}")
            for word in words if verb in VERBS else []:
                check(not word.startswith("-") or word in known[verb], f"{path}: {word} of {line}")
            n += 1
    check(n > 10, f"only {n} lines")


def case_version_is_that_of_the_project(bench):
    check(re.fullmatch(r"tlpipe \d+\.\d+\.\d+\n", bench.run("--version").out), "version")


# Name, words, what stderr must say.
USAGE_ERRORS = (
    ("no verb", [], "usage: tlpipe VERB"),
    ("an unknown verb", ["rnu"], 'there is no verb "rnu" - did you mean "run"?'),
    ("an unknown verb like none", ["frobnicate"], 'there is no verb "frobnicate"'),
    ("an unknown option", ["run", "f.yaml", "--sett", "a=b"],
     'run has no option "sett" - did you mean "set"?'),
    ("an unknown option with a value", ["run", "--stal-timeout=3", "f.yaml"],
     'run has no option "stal-timeout" - did you mean "stall-timeout"?'),
    ("an unknown short option", ["run", "-x", "f.yaml"], "-x"),
    ("an option without its value", ["run", "f.yaml", "--set"], "--set"),
    ("no file", ["run"], "run needs FILE"),
    ("no checkpoint", ["predict"], "predict needs CHECKPOINT PATH..."),
    ("no picture", ["parity", "c.safetensors"], "parity needs CHECKPOINT PATH..."),
    ("no path", ["predict", "c.safetensors"], "predict needs CHECKPOINT PATH..."),
    ("one argument too many", ["run", "a.yaml", "b.yaml"], '"b.yaml" too'),
    ("an argument where none is taken", ["doctor", "me"], 'takes no arguments, but there is "me"'),
    ("two elements", ["inspect", "batcher", "augment"], '"augment" too'),
    ("neither launch nor dot", ["show", "f.yaml"], "show needs --launch or --dot"),
    ("both launch and dot", ["show", "f.yaml", "--launch", "--dot"], "show needs --launch or --dot"),
    ("top-k of nothing", ["predict", "c", "p", "--top-k", "0"], "--top-k=0: expected a number from 1"),
    ("top-k of too much", ["predict", "c", "p", "--top-k", "17"], "from 1 to 16"),
    ("top-k that is no number", ["predict", "c", "p", "--top-k", "3x"], "--top-k=3x"),
    ("top-k with a sign", ["predict", "c", "p", "--top-k", "+3"], "--top-k=+3"),
    ("a negative timeout", ["run", "f", "--stall-timeout=-1"], "--stall-timeout=-1: expected"),
    ("an unknown split", ["evaluate", "c", "d", "--split", "train"], "expected valid or test"),
)


def case_wrong_command_lines_are_explained(bench):
    for name, words, expected in USAGE_ERRORS:
        result = bench.run(*words, status=2)
        check(expected in result.err, f"{name}: no {expected!r}: {result}")
        check(result.out == "", f"{name}: something on stdout: {result}")
        check("--help" in result.err, f"{name}: where is help? {result}")


def case_double_dash_ends_the_options(bench):
    bench.write("--odd.yaml", FINETUNE)
    bench.run("check", "--", "--odd.yaml")


def case_completion_knows_every_verb_and_option(bench):
    def complete(*words):
        script = (f'source "{bench.completion}"; COMP_WORDS=({" ".join(words)}); '
                  f'COMP_CWORD={len(words) - 1}; _tlpipe; printf "%s\\n" "${{COMPREPLY[@]}}"')
        result = subprocess.run(["bash", "-c", script], cwd=bench.folder, text=True, check=True,
                                capture_output=True)
        check(result.stderr == "", result.stderr)
        return set(result.stdout.split())

    bench.finetune()
    check(complete("tlpipe", "''") == set(VERBS) | {"--help", "--version"},
          str(complete("tlpipe", "''")))
    check(complete("tlpipe", "ev") == {"evaluate"}, "ev")
    for verb in VERBS:
        options = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", bench.run(verb, "--help").out, re.M))
        check(complete("tlpipe", verb, "--") == options,
              f"{verb}: {complete('tlpipe', verb, '--')} instead of {options}")
    check("finetune.yaml" in complete("tlpipe", "run", "fine"), "files")
    check(complete("tlpipe", "weights", "''") == {"list", "verify", "fetch"}, "weights")
    check("finetune.yaml" in complete("tlpipe", "weights", "verify", "fine"), "files to verify")
    check(complete("tlpipe", "evaluate", "c", "d", "--split", "''") == {"valid", "test"}, "split")


if __name__ == "__main__":
    main(globals())
