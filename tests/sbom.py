#!/usr/bin/env python3
"""Writes a software bill of materials (CycloneDX 1.5) of each Lambda function to target/sbom, and checks that it is whole.

    python3 tests/sbom.py

Needs `cargo install --locked cargo-cyclonedx`. A bill names every crate that a function's binary links on Linux, with its version and
licence. Two runs over one commit write the same bytes, when SOURCE_DATE_EPOCH is set to the commit's time.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTIONS = ("intake", "send-prompt", "consent-callback", "fetch-info", "agents")
DRAFT = "assent-sbom-draft"
# The architecture that template.yaml deploys by default.
TARGET = "aarch64-unknown-linux-gnu"


def output(*command, **options):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, **options).stdout


def drafts():
    return [path for folder in ("functions", "shared", "tests") for path in (ROOT / folder).rglob(f"{DRAFT}.json")]


def linked(name):
    """Returns the crates that a function's binary links, by name and version."""
    tree = output("cargo", "tree", "--locked", "--target", TARGET, "-p", name, "-e", "normal", "--prefix", "none", "--format", "{p}")
    crates = {line.split(" (")[0] for line in tree.splitlines() if line}
    return {tuple(crate.rsplit(" v", 1)) for crate in crates}


def faults(name, bill):
    """Yields what a bill lacks."""
    components = {(part["name"], part["version"]): part for part in bill["components"]}
    own = (bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"])
    for crate in sorted(linked(name) - set(components) - {own}):
        yield f"{name}: {crate} is not in the bill"
    for crate, part in components.items():
        if not part.get("purl") or not part.get("licenses"):
            yield f"{name}: {crate} has no package URL or no licence"


def main():
    if not shutil.which("cargo-cyclonedx"):
        sys.exit("tests/sbom.py: run `cargo install --locked cargo-cyclonedx` first")
    epoch = output("git", "log", "-1", "--format=%ct").strip()
    env = os.environ | {"SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", epoch)}
    command = ("cargo", "cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5")
    found, folder = [], ROOT / "target" / "sbom"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        output(*command, "--target", TARGET, "--override-filename", DRAFT, env=env)
        for name in FUNCTIONS:
            # The folder of the build is no part of what was built.
            text = (ROOT / "functions" / name / f"{DRAFT}.json").read_text().replace(ROOT.as_uri(), "file:///assent")
            bill = json.loads(text)
            found += faults(name, bill)
            (folder / f"{name}.cdx.json").write_text(text)
            print(f"{name}: {len(bill['components'])} components")
    finally:
        for draft in drafts():
            draft.unlink()
    for fault in found:
        print("MISSING:", fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
