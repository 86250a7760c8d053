#!/usr/bin/env python3
"""Stands in for rustdoc under `cargo test --doc`: builds a crate's documentation with warnings denied, then runs its examples.

`cargo doc` would check every dependency once more, which takes minutes. Here the crates that the tests built serve both.
"""

import os
import pathlib
import subprocess
import sys

DOCUMENTATION = pathlib.Path(os.environ["DOCUMENTATION"])


def documented(arguments):
    """Returns the arguments without those of the run of the examples."""
    kept = []
    arguments = iter(arguments)
    for argument in arguments:
        if argument in ("--test-run-directory", "--test-args", "--test-runtool", "--test-runtool-arg"):
            next(arguments)
        elif argument != "--test":
            kept.append(argument)
    return kept


def main():
    arguments = sys.argv[1:]
    if "--test" in arguments:
        command = ("rustdoc", *documented(arguments), "-D", "warnings", "--out-dir", DOCUMENTATION)
        done = subprocess.run(command, check=False)
        if done.returncode != 0:
            return done.returncode
    return subprocess.run(("rustdoc", *arguments), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
