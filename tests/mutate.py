#!/usr/bin/env python3
"""Takes away each guard that protects C1 to C6, one at a time, and sees that the simulation notices.

    python3 tests/mutate.py             every guard
    python3 tests/mutate.py 3 14        only those
    python3 tests/mutate.py --check     only whether every guard is still where the table says
    STEPS=2000000 python3 tests/mutate.py   how many steps are taken before a guard counts as not missed

The tree is copied under target/mutants, never touched. All changes are made there at once, each behind a switch that an
environment variable turns on, so that one build serves them all. A simulation that finds nothing when a guard is gone
proves nothing: then this ends with an error.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from guards import DOMAIN, GUARDS

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "mutants" / "tree"
STEPS = int(os.environ.get("STEPS", "20000000"))

SWITCH = '''
/// Which guard is gone.
#[must_use]
pub fn gone(guard: u32) -> bool {
    static GONE: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
    *GONE.get_or_init(|| std::env::var("GUARD").ok()?.parse().ok()) == Some(guard)
}
'''


def changed(text, path, old, new, number):
    if text.count(old) != 1:
        sys.exit(f"guard {number} is in {path} {text.count(old)} times: the table in {__file__} must follow the code")
    crate = "crate" if path.startswith(DOMAIN) else "domain"
    return text.replace(old, new.replace("GONE", f"{crate}::gone({number})"))


def copy():
    """The tree as it is now, with every guard behind its switch."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    kept = set()
    for name in names.stdout.splitlines():
        source, target = ROOT / name, COPY / name
        if not source.is_file():
            continue
        kept.add(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        put(target, source.read_bytes())
    for target in COPY.rglob("*"):
        if target.is_file() and target not in kept:
            target.unlink()
    for path, text in switched(COPY).items():
        put(COPY / path, text.encode())


def switched(root):
    """The files of a tree that have guards, with each of them behind its switch."""
    texts = {}
    for number, (_, path, old, new, _, *more) in enumerate(GUARDS, 1):
        for path, old, new in [(path, old, new), *more]:
            text = texts.get(path) or (root / path).read_text()
            texts[path] = changed(text, path, old, new, number)
    library = DOMAIN + "lib.rs"
    texts[library] = texts.get(library, (root / library).read_text()) + SWITCH
    return texts


def put(target, content):
    """Writes only what differs, so that a second run builds only what changed."""
    if not target.exists() or target.read_bytes() != content:
        target.write_bytes(content)


def flags():
    """As fast as it gets, without what takes longest to build."""
    quick = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"}
    return {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target" / "mutants"), "RUSTFLAGS": "-A warnings", **quick}


def build():
    command = ["cargo", "build", "--quiet", "--locked", "--release", "--package", "tests", "--example", "simulate"]
    if subprocess.run(command, cwd=COPY, env=flags(), check=False).returncode:
        sys.exit("the tree with its switches does not build")
    # Apart, so that no other build replaces it while it runs.
    built = ROOT / "target" / "mutants" / "simulate"
    shutil.copy2(ROOT / "target" / "mutants" / "release" / "examples" / "simulate", built)
    return built


def told(story, guard):
    """Whether a story of the test binary notices that a guard is gone."""
    command = ["cargo", "test", "--quiet", "--locked", "--release", "--package", "tests", "--no-default-features"]
    command += ["--test", "it", "--", "--exact", story]
    names = {} if guard is None else {"GUARD": str(guard)}
    ran = subprocess.run(command, cwd=COPY, env={**flags(), **names}, capture_output=True, text=True, check=False)
    if not re.search(r"\b1 (passed|failed)\b", ran.stdout):
        sys.exit(f"the story {story} cannot be told:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return re.search(r"\b1 failed\b", ran.stdout) is not None


def main():
    if sys.argv[1:] == ["--check"]:
        switched(ROOT)
        print(f"all {len(GUARDS)} guards are where the table says")
        return
    chosen = [int(text) for text in sys.argv[1:]] or range(1, len(GUARDS) + 1)
    shutil.rmtree(COPY / "target", ignore_errors=True)
    COPY.mkdir(parents=True, exist_ok=True)
    copy()
    simulate = build()
    sound = subprocess.run([simulate, "1", "100000"], capture_output=True, text=True, check=False)
    if sound.returncode:
        sys.exit(f"the simulation fails with every guard in place:\n{sound.stdout[:4000]}")
    missed = 0
    print("| # | guard that is gone | what noticed | after steps |")
    print("| --- | --- | --- | --- |")
    for number in chosen:
        guard, *_ = GUARDS[number - 1]
        expected = set(GUARDS[number - 1][4].split())
        if story := next((name for name in expected if "::" in name), None):
            noticed = not told(story, None) and told(story, number)
            missed += not noticed
            print(f"| {number} | {guard} | {'the story' if noticed else 'NOT the story'} | {story} |", flush=True)
            continue
        ran = subprocess.run(
            [simulate, "1", str(STEPS)],
            env={**os.environ, "GUARD": str(number)},
            capture_output=True,
            text=True,
            check=False,
        )
        found = re.search(r"^seed (\d+) failed after step (\d+):\n((?:  \S.*\n)+)", ran.stdout, re.M)
        names = re.findall(r"^  ([A-Z][A-Z0-9]+)\b", found[3], re.M) if found else []
        noticed = sorted(set(names) & expected)
        missed += not noticed
        what = ", ".join(noticed) if noticed else f"NOTHING ({', '.join(sorted(set(names))) or 'no failure'})"
        when = f"seed {found[1]}, step {found[2]}" if found else f"{STEPS} steps"
        print(f"| {number} | {guard} | {what} | {when} |", flush=True)
    if missed:
        sys.exit(f"{missed} guards can be taken away unnoticed")


if __name__ == "__main__":
    main()
