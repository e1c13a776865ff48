# SPDX-License-Identifier: BSD-3-Clause
"""What the scripts of whole programs share: cases, reported as TAP, and looks at
the files that a run leaves."""
import argparse
import hashlib
import json
import struct
import subprocess
import sys


class Failure(Exception):
    """A case does not hold; the text says what."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def metadata(path):
    """The metadata of a safetensors file."""
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        return json.loads(file.read(size))["__metadata__"]


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def run_cases(names, add_options, open_bench):
    """Runs the functions case_NAME among names, a script's globals (), or those that
    the command line lists, and exits. add_options (parser) adds what the command line
    has besides; open_bench (args) is a context that gives each case a bench of its own."""
    cases = {name[5:]: case for name, case in names.items() if name.startswith("case_")}
    parser = argparse.ArgumentParser(description=names["__doc__"].split("\n\n")[0])
    add_options(parser)
    parser.add_argument("case", nargs="*", help="all without: " + ", ".join(cases))
    args = parser.parse_args()
    for name in args.case:
        if name not in cases:
            parser.error(f'there is no case "{name}"')
    chosen = args.case or list(cases)
    failures = 0
    print(f"1..{len(chosen)}")
    for number, name in enumerate(chosen, 1):
        try:
            with open_bench(args) as bench:
                cases[name](bench)
            print(f"ok {number} - {name}", flush=True)
        except (Failure, OSError, subprocess.SubprocessError) as failure:
            failures += 1
            print(f"not ok {number} - {name}")
            print("".join(f"# {line}\n" for line in str(failure).splitlines()), flush=True)
    sys.exit(1 if failures else 0)
