#!/usr/bin/env python3
"""Builds a Lambda binary in two folders, for this machine's target, and compares the hashes.

    python3 tests/reproducible.py                    intake, as released: twice a whole build
    python3 tests/reproducible.py send-prompt --dev  another function, without optimisation
    python3 tests/reproducible.py --reuse            the second folder takes over what the first built of other crates

It builds the last commit, under target/reproducible. Prints one hash for each folder, and exits with 1 if they differ.
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from steps import DEPLOYED, ROOT

WORK = ROOT / "target" / "reproducible"


def unpack(folder):
    """Writes the last commit into an empty folder, whose build artifacts stay."""
    for entry in folder.iterdir() if folder.exists() else ():
        if entry.name != "target":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(("git", "archive", "HEAD"), cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(("tar", "x"), cwd=folder, input=archive, check=True)


def environment(folder):
    """Returns the variables of a build in a folder. Cargo names files of the workspace by relative paths, so that only
    the place of its own files is to be mapped."""
    cargo = os.environ.get("CARGO_HOME", str(pathlib.Path.home() / ".cargo"))
    when = subprocess.run(("git", "log", "-1", "--format=%ct"), cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return os.environ | {
        "SOURCE_DATE_EPOCH": when.strip(),
        "CARGO_TARGET_DIR": str(folder / "target"),
        "RUSTFLAGS": f"--remap-path-prefix={cargo}=/cargo",
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("package", nargs="?", default="intake")
    arguments.add_argument("--dev", action="store_true", help="build without optimisation")
    arguments.add_argument("--reuse", action="store_true", help="take over what the first folder built of other crates")
    arguments = arguments.parse_args()
    hashes = []
    for name in ("one", "another-folder"):
        folder = WORK / name
        unpack(folder)
        if arguments.reuse and hashes:
            shutil.rmtree(folder / "target", ignore_errors=True)
            shutil.copytree(WORK / "one" / "target", folder / "target", symlinks=True)
        command = ["cargo", "build", "--locked", "--bins", "-p", arguments.package]
        command += [] if arguments.dev else ["--profile", DEPLOYED]
        subprocess.run(command, cwd=folder, env=environment(folder), check=True)
        binary = folder / "target" / ("debug" if arguments.dev else DEPLOYED) / arguments.package
        if arguments.dev:
            # As the profile of the deployed binaries does it.
            subprocess.run(("strip", str(binary)), check=True)
        hashes.append(hashlib.sha256(binary.read_bytes()).hexdigest())
        print(f"{hashes[-1]}  {binary.relative_to(ROOT)}", flush=True)
    return 0 if len(set(hashes)) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
