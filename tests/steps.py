"""What every step of the test command uses, and what it installs before the first step."""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"
WORK = TARGET / "tests"
VENV = WORK / "venv"
UV = "uv==0.13.9"
# The settings of uv, and pip's for the same.
UV_SETTINGS = {
    "UV_DEFAULT_INDEX": "index-url",
    "UV_INDEX": "extra-index-url",
    "UV_FIND_LINKS": "find-links",
    "SSL_CERT_FILE": "cert",
}
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


def pip_settings():
    """Returns the settings of pip for where packages come from, as uv's: uv reads none of pip's."""
    shown = subprocess.run((sys.executable, "-m", "pip", "config", "list"), capture_output=True, text=True, check=False).stdout
    settings = dict(re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", shown, re.MULTILINE))
    return {name: settings[given] for name, given in UV_SETTINGS.items() if given in settings}


def python_environment(folder, pins, *packages):
    """Creates a Python environment with these packages, and again when their pins change.

    uv installs them in a tenth of pip's time. Where it fails, pip tries.
    """
    digest = hashlib.sha256((pins + UV + sys.version).encode()).hexdigest()
    made = folder / "made-of"
    if made.exists() and made.read_text() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "venv", folder)
    python, quiet = folder / "bin" / "python", ("--quiet", "--disable-pip-version-check")
    run(python, "-m", "pip", "install", *quiet, UV)
    install = (folder / "bin" / "uv", "pip", "install", "--quiet", "--python", python, *packages)
    if subprocess.run(install, cwd=ROOT, env=pip_settings() | os.environ, stdin=subprocess.DEVNULL, check=False).returncode != 0:
        run(python, "-m", "pip", "install", *quiet, *packages)
    made.write_text(digest)


def python_packages():
    """Creates the Python environment with the pinned packages."""
    pins = ROOT / "tests" / "requirements.txt"
    python_environment(VENV, pins.read_text(), "--requirement", pins)


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
