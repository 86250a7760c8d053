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
# The profile of the Lambda binaries that are deployed.
DEPLOYED = "release-lambda"


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
    """Returns the paths of Chromium, of its shell without a window and of its driver, and installs them if it can.

    The shell has the same engine and takes a third less CPU. Chromium takes its place where no package has it.
    """
    names = {"CHROMIUM": ("chromium", "chromium-browser", "google-chrome"), "CHROMEDRIVER": ("chromedriver",)}
    # The program itself, not the script that starts it and stays its parent.
    shells = ("/usr/lib/chromium/chromium-headless-shell", "chrome-headless-shell")

    def first(programs):
        return next(filter(None, map(shutil.which, programs)), None)

    def found():
        return {name: first(programs) for name, programs in names.items()}

    if (None in found().values() or first(shells) is None) and shutil.which("apt-get") and os.geteuid() == 0:
        install = ("apt-get", "install", "-y", "-qq")
        run("apt-get", "update", "-qq")
        run(*install, "chromium", "chromium-driver", stdout=subprocess.DEVNULL)
        subprocess.run((*install, "chromium-headless-shell"), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    missing = [name.lower() for name, path in found().items() if path is None]
    if missing:
        raise Failed(f"the browser tests need {' and '.join(missing)}: as root, apt-get install chromium chromium-driver")
    return found() | {"HEADLESS_SHELL": first(shells) or found()["CHROMIUM"]}
