#!/usr/bin/env python3
"""Checks a lock file against a checkout of RustSec's advisory database, without the network.

    git clone https://github.com/rustsec/advisory-db
    python3 tests/advisories.py Cargo.lock advisory-db

Needs Python 3.11. Prints each advisory that applies, and exits with 1 if there is any.
"""

import pathlib
import re
import sys


def release(text):
    """Returns a version that compares: its three numbers, and whether it is a release."""
    core, _, before = text.split("+")[0].partition("-")
    numbers = [int(part) for part in core.split(".")]
    return tuple(numbers + [0] * (3 - len(numbers))), before == "", before


def upper(given, operator):
    """Returns the first version beyond `^given` or `~given`."""
    numbers = [int(part) for part in given]
    place = 0
    if operator == "~":
        place = min(1, len(numbers) - 1)
    else:
        # The first number that is not zero may not change.
        while place < len(numbers) - 1 and numbers[place] == 0:
            place += 1
    beyond = numbers[:place] + [numbers[place] + 1]
    return tuple(beyond + [0] * (3 - len(beyond))), False, ""


def meets(version, requirement):
    """Returns whether a version meets a requirement of Cargo, such as `>= 1.2, < 2` or `^1.2`."""
    for part in requirement.split(","):
        match = re.fullmatch(r"\s*(>=|<=|>|<|=|\^|~)?\s*(\d[\w.+-]*)\s*", part)
        if not match:
            if part.strip() == "*":
                continue
            raise ValueError(f"requirement {requirement!r}")
        operator, text = match.group(1) or "^", match.group(2)
        other, given = release(text), text.split("+")[0].split("-")[0].split(".")
        holds = {
            ">=": version >= other,
            "<=": version <= other,
            ">": version > other,
            "<": version < other,
            "=": version[0][: len(given)] == other[0][: len(given)],
            "^": other <= version < upper(given, "^"),
            "~": other <= version < upper(given, "~"),
        }
        if not holds[operator]:
            return False
    return True


def applies(front, version):
    """Returns whether an advisory applies to a version."""
    if front["advisory"].get("withdrawn"):
        return False
    versions = front.get("versions", {})
    safe = versions.get("patched", []) + versions.get("unaffected", [])
    return not any(meets(release(version), requirement) for requirement in safe)


def check():
    """Checks the comparison itself, since a wrong one would find nothing."""
    for version, requirement, expected in [
        ("1.2.3", ">= 1.2.3", True), ("1.2.2", ">= 1.2.3", False), ("1.9.0", "^1.2", True), ("2.0.0", "^1.2", False),
        ("0.2.9", "^0.2.3", True), ("0.3.0", "^0.2.3", False), ("0.0.4", "^0.0.3", False), ("1.2.9", "~1.2.3", True),
        ("1.3.0", "~1.2.3", False), ("1.2.0", ">= 1.0, < 1.2", False), ("1.1.9", ">= 1.0, < 1.2", True),
        ("1.0.0-rc.1", ">= 1.0.0", False), ("1.5.0", "=1.5", True),
    ]:
        assert meets(release(version), requirement) is expected, (version, requirement)
    front = {"advisory": {}, "versions": {"patched": [">= 1.0.1"], "unaffected": ["< 0.5"]}}
    assert [applies(front, version) for version in ("1.0.0", "1.0.1", "0.4.0")] == [True, False, False]


def main():
    import tomllib  # Python 3.11

    check()
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    lock, database = tomllib.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
    if not (database / "crates").is_dir():
        sys.exit(f"tests/advisories.py: {database} is no checkout of the database")
    crates = [crate for crate in lock["package"] if crate.get("source")]
    read, found = 0, 0
    for crate in crates:
        for file in sorted((database / "crates" / crate["name"]).glob("RUSTSEC-*.md")):
            text = file.read_text()
            front = tomllib.loads(text.split("```toml", 1)[1].split("```", 1)[0])
            read += 1
            if applies(front, crate["version"]):
                title = next((line[2:] for line in text.splitlines() if line.startswith("# ")), "")
                print(f"{front['advisory']['id']}: {crate['name']} {crate['version']}: {title}")
                found += 1
    print(f"{len(crates)} crates, {read} advisories about them, {found} apply")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
