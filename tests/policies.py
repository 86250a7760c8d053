#!/usr/bin/env python3
"""Checks template.yaml against the policies of checkov. Each accepted finding is explained beside its resource.

    python3 tests/policies.py

Checkov brings a hundred packages, some in other versions than the tests' own. It is installed into an environment of its own under
target/, which takes a few seconds.
"""

import argparse
import sys

from steps import ROOT, WORK, Failed, python_environment, run

VENV = WORK / "policies"
CHECKOV = "checkov==3.3.30"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--install", action="store_true", help="only install checkov")
    is_installation = arguments.parse_args().install
    python_environment(VENV, CHECKOV, CHECKOV)
    if is_installation:
        return
    # Without the download it calls no server for descriptions of its policies.
    options = ("--framework", "cloudformation", "--compact", "--quiet", "--skip-download")
    run(VENV / "bin" / "checkov", "--file", ROOT / "template.yaml", *options)


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"tests/policies.py: {failed}")
