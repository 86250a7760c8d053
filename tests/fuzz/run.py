"""Runs every fuzz target for a share of the time, and prints a table of the results.

    python3 tests/fuzz/run.py --minutes 60
    python3 tests/fuzz/run.py --minutes 5 --only adyen openid

It needs `cargo install --locked cargo-fuzz`. The time is processor time, so that a busy machine takes longer. The corpus
stays under `target/fuzz`, and the next run begins with it. The first input that breaks a property is kept there too.
"""

import argparse
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

FUZZ = pathlib.Path(__file__).resolve().parent
ROOT = FUZZ.parent.parent
BUILD = ROOT / "target" / "fuzz"
# The longest input, and the longest time of one input in seconds.
LENGTH_MAX = 16_384
SLOW = 10
# A run ends after this much time of the clock at the latest, in multiples of its processor time.
PATIENCE = 20


def built() -> pathlib.Path:
    """Builds the fuzz program and the seeds, and returns the program's path."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(BUILD)}
    subprocess.run(["cargo", "fuzz", "build", "--sanitizer", "none", "input"], cwd=FUZZ, env=environment, check=True)
    (program,) = BUILD.glob("*/release/input")
    return program


def seeded() -> list[str]:
    """Writes each target's samples and dictionary, and returns the names of the targets."""
    command = ["cargo", "run", "--quiet", "-p", "tests", "--no-default-features", "--example", "seeds"]
    subprocess.run([*command, "--", str(BUILD / "corpus")], cwd=ROOT, check=True)
    return sorted(path.stem for path in (BUILD / "corpus").glob("*.dict"))


def processor_seconds() -> float:
    """Returns the processor time of the runs so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fuzzed(program: pathlib.Path, target: str, seconds: float) -> dict:
    """Runs one target until it has used its processor time, or an input breaks it."""
    corpus, found = BUILD / "corpus" / target, BUILD / "artifacts" / target
    found.mkdir(parents=True, exist_ok=True)
    log = (BUILD / f"{target}.log").open("w+")
    begun, clock = processor_seconds(), time.monotonic()
    executions, slowest, is_broken = 0, 0, False
    while (left := seconds - (processor_seconds() - begun)) > 1 and not is_broken:
        if time.monotonic() - clock > seconds * PATIENCE:
            break
        log.seek(0)
        log.truncate()
        command = [
            str(program), str(corpus), f"-dict={corpus}.dict", f"-artifact_prefix={found}/",
            f"-max_total_time={max(1, int(left))}", f"-max_len={LENGTH_MAX}", f"-timeout={SLOW}",
            "-rss_limit_mb=4096", "-print_final_stats=1", "-close_fd_mask=1",
        ]
        environment = {**os.environ, "TARGET": target}
        ended = subprocess.run(command, env=environment, stderr=log, preexec_fn=lambda: os.nice(19), check=False)
        log.seek(0)
        text = log.read()
        is_broken = ended.returncode != 0
        executions += int(last(r"stat::number_of_executed_units:\s+(\d+)", text))
        slowest = max(slowest, int(last(r"stat::slowest_unit_time_sec:\s+(\d+)", text)))
    covered = re.findall(r"cov: (\d+) ft: (\d+)", text)
    edges, features = covered[-1] if covered else ("0", "0")
    return {
        "target": target, "executions": executions, "edges": edges, "features": features,
        "corpus": len(list(corpus.iterdir())), "slowest": slowest, "broken": is_broken,
        "seconds": processor_seconds() - begun,
    }


def last(pattern: str, text: str) -> str:
    """Returns the last match in a log, or 0."""
    return (re.findall(pattern, text) or ["0"])[-1]


def main() -> int:
    """Runs the targets, and returns 1 if an input broke one."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=60, help="processor time of all targets")
    arguments.add_argument("--only", nargs="*", default=[], help="names of targets")
    given = arguments.parse_args()
    names = seeded()
    if unknown := set(given.only) - set(names):
        arguments.error(f"no target is named {', '.join(sorted(unknown))}")
    names = given.only or names
    program = built()
    print("| target | executions | edges | features | corpus | slowest, s | processor time, s | broken |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    broken, total = [], 0.0
    for name in names:
        row = fuzzed(program, name, given.minutes * 60 / len(names))
        total += row["seconds"]
        shown = "yes" if row["broken"] else "no"
        print(
            f"| {name} | {row['executions']:,} | {row['edges']} | {row['features']} | {row['corpus']} "
            f"| {row['slowest']} | {row['seconds']:.0f} | {shown} |",
            flush=True,
        )
        broken += [name] * row["broken"]
    print(f"\n{total / 60:.1f} minutes of processor time; broken: {', '.join(broken) or 'none'}")
    for name in broken:
        print(f"{name}: see {BUILD / (name + '.log')} and {BUILD / 'artifacts' / name}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
