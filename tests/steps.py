"""What every step of the test command uses, and what it installs before the first step."""

import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"
WORK = TARGET / "tests"
VENV = WORK / "venv"


class Failed(Exception):
    """A step failed; the message says which."""


@contextlib.contextmanager
def phase(name):
    """Prints the name of a step, and its duration at the end."""
    print(f"==> {name}", flush=True)
    started_at = time.monotonic()
    yield
    print(f"    {name}: {time.monotonic() - started_at:.0f} s", flush=True)


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, check=False, **options)
    if done.returncode != 0:
        raise Failed(f"failed with {done.returncode}: {' '.join(str(part) for part in command)}")


def python_packages():
    """Creates a Python environment with the pinned packages, and again when the pins change."""
    pins = ROOT / "tests" / "requirements.txt"
    digest = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()
    made = VENV / "made-of"
    if made.exists() and made.read_text() == digest:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    run(sys.executable, "-m", "venv", VENV)
    pip = (VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--requirement", pins)
    made.write_text(digest)


def browser():
    """Returns the paths of Chromium and its driver, and installs them if it can."""
    names = {"CHROMIUM": ("chromium", "chromium-browser", "google-chrome"), "CHROMEDRIVER": ("chromedriver",)}

    def found():
        return {name: next(filter(None, map(shutil.which, programs)), None) for name, programs in names.items()}

    if None in found().values() and shutil.which("apt-get") and os.geteuid() == 0:
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-y", "-qq", "chromium", "chromium-driver", stdout=subprocess.DEVNULL)
    missing = [name.lower() for name, path in found().items() if path is None]
    if missing:
        raise Failed(f"the browser tests need {' and '.join(missing)}: as root, apt-get install chromium chromium-driver")
    return found()
