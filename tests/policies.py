#!/usr/bin/env python3
"""Checks template.yaml against the policies of checkov. Each accepted finding is explained beside its resource.

    python3 tests/policies.py

Checkov brings a hundred packages, some in other versions than the tests' own. It is installed into an environment of its own under
target/, which takes half a minute.
"""

import argparse
import hashlib
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / "target" / "tests" / "policies"
CHECKOV = "checkov==3.3.30"


def run(*command):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"failed with {done.returncode}: {' '.join(str(part) for part in command)}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--install", action="store_true", help="only install checkov")
    is_installation = arguments.parse_args().install
    digest = hashlib.sha256((CHECKOV + sys.version).encode()).hexdigest()
    made = VENV / "made-of"
    if not made.exists() or made.read_text() != digest:
        shutil.rmtree(VENV, ignore_errors=True)
        run(sys.executable, "-m", "venv", VENV)
        run(VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", CHECKOV)
        made.write_text(digest)
    if is_installation:
        return
    # Without the download it calls no server for descriptions of its policies.
    options = ("--framework", "cloudformation", "--compact", "--quiet", "--skip-download")
    run(VENV / "bin" / "checkov", "--file", "template.yaml", *options)


if __name__ == "__main__":
    main()
