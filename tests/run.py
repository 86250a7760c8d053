#!/usr/bin/env python3
"""The one test command.

    python3 tests/run.py           all lints and tests, with the stack in an AWS emulator and a real browser
    python3 tests/run.py --release the same with the Lambda binaries as released, which takes five minutes more
    python3 tests/run.py --quick   the tests that need only Rust, for every save
    python3 tests/run.py --stack   deploys the stack and keeps it up until Enter is pressed
    python3 tests/run.py --sizes   measures sizes and start-up times of the Lambda binaries
    python3 tests/run.py --benchmark  the cost of one fulfilled request on one machine, beside node's CIBA server
    python3 tests/run.py --load    measures a request's latency on the deployed stack while its table grows

Needs Rust and Python 3.10. Python packages, pinned in requirements.txt, are installed under target/. Chromium is installed
with apt-get, as root. Everything that it starts listens on 127.0.0.1 and is stopped at the end by process id.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from stand_ins import adyen, emulate, localstripe, node_packages, openid, start
from steps import DEPLOYED, ROOT, TARGET, VENV, WORK, Failed, browser, phase, python_packages, run

# Optimised a little, since seeded tests run for minutes. Every step shares what this profile builds.
PROFILE = "ci"
TESTS = ("--workspace", "--lib", "--tests")
FUNCTIONS = ("intake", "send-prompt", "consent-callback", "fetch-info", "agents")


def lint_when_compiled():
    """Has every later build lint the crates of the workspace while it compiles them.

    `cargo clippy` has a way of its own to compile, so that the tests would compile every dependency a second time.
    """
    # The separator is clippy's own.
    separator = "__CLIPPY_HACKERY__"
    os.environ |= {"RUSTC_WORKSPACE_WRAPPER": "clippy-driver", "CLIPPY_ARGS": f"-D{separator}warnings{separator}"}


def build_all():
    """Builds all that is not built yet: the tests, and the programs of the workspace, which some tests run."""
    run("cargo", "build", "--locked", "--profile", PROFILE, "--workspace", "--all-targets")


def build():
    """Builds and lints all that the workspace has, with warnings denied."""
    run("cargo", "fmt", "--all", "--check")
    lint_when_compiled()
    build_all()


def examples():
    """Builds the documentation with warnings denied, and runs its examples, which nextest does not run."""
    env = os.environ | {"RUSTDOC": str(ROOT / "tests" / "rustdoc.py"), "DOCUMENTATION": str(TARGET / "doc")}
    run("cargo", "test", "--doc", "--locked", "--profile", PROFILE, "--workspace", "--quiet", env=env)


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


def lambda_binaries(profile=DEPLOYED):
    """Builds the binaries once, each into the folder that template.yaml names.

    They are built without the other members, so that they have the features that are deployed. `cargo lambda` neither
    changes the profile nor links with Zig here. The profile `ci` optimises for the seeded tests, which do not run these
    binaries: without it the build takes a third of the time.
    """
    env = os.environ | ({"CARGO_PROFILE_CI_OPT_LEVEL": "0"} if profile == PROFILE else {})
    # Without the lints, the compiler optimises as it does for a release.
    env.pop("RUSTC_WORKSPACE_WRAPPER", None)
    packages = [part for name in FUNCTIONS for part in ("-p", name)]
    options = ("--compiler", "cargo", "--disable-optimizations", "--lambda-dir", TARGET / "lambda")
    run("cargo", "lambda", "build", "--locked", "--profile", profile, "--bins", *options, *packages, env=env)
    if profile == PROFILE:
        # It moved every program of the workspace, also the one of a single machine. Nothing is compiled again here.
        build_all()


def local_program(profile=PROFILE):
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", TARGET)) / os.environ["CARGO_BUILD_TARGET"] / profile / "local"


def description(folder, *parts):
    """Returns the command that checks functions/intake/openapi.json in these parts, against one machine."""
    node, packages = node_packages("openapi")
    paths = ("--local", local_program(), "--node", node, "--packages", packages, "--work", WORK / folder)
    command = (VENV / "bin" / "python", ROOT / "tests" / "openapi" / "check.py", *paths, "--only", *parts)
    return [str(part) for part in command]


def mcp():
    """Has clients of others call the MCP endpoint of one machine, and the protocol's own suite check it."""
    node, packages = node_packages("mcp")
    paths = ("--local", local_program(), "--node", node, "--packages", packages, "--work", packages)
    run(VENV / "bin" / "python", ROOT / "tests" / "mcp" / "check.py", *paths)


def drawn_calls():
    """Has Schemathesis draw calls, and prints what it found. It runs beside the tests, which leave a core idle at times."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(description("calls", "calls"), cwd=ROOT, check=False, **options)
    print(f"==> the API against drawn calls, beside the tests\n{done.stdout}", end="", flush=True)
    if done.returncode != 0:
        raise Failed("Schemathesis found what the description does not say")


def deployed(stack, stripe, *more):
    """Deploys template.yaml into an emulator, with a brand whose processor is at `stripe`."""
    folder = WORK / "stack"
    shutil.rmtree(folder, ignore_errors=True)
    command = (VENV / "bin" / "python", ROOT / "tests" / "deploy" / "stack.py")
    arguments = ("--template", ROOT / "template.yaml", "--work", folder, "--stripe", stripe, *more)
    return start(stack, command + arguments, WORK / "stack.log")


def tests(*arguments):
    """Runs the tests. Their summary is the last thing printed."""
    print("==> tests", flush=True)
    # Two tests mostly wait for the leases of killed workers, and others for their browser.
    threads = str((os.cpu_count() or 2) + 3)
    command = ["cargo", "nextest", "run", "--locked", "--test-threads", threads, *arguments]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode


def use_packages():
    python_packages()
    os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"


def installed():
    """Installs what the later steps need, and returns the paths of the browser."""
    paths = browser()
    use_packages()
    run(sys.executable, ROOT / "tests" / "policies.py", "--install")
    for name in ("axe", "openid", "prism", "openapi", "emulate", "mcp"):
        node_packages(name)
    return paths


def beside_the_build():
    """Installs the rest, and checks what needs no build. It waits for the network while the tests compile."""
    paths = installed()
    with phase("the template"):
        template()
    with phase("licences, bans, sources and advisories of dependencies"):
        dependencies()
    with phase("the bill of materials"):
        sbom()
    return paths


def everything(profile):
    with concurrent.futures.ThreadPoolExecutor() as beside:
        installation = beside.submit(beside_the_build)
        with phase("format, and build of every test with its lints"):
            build()
        with phase("the rest of the installation and its checks, which began beside the build"):
            os.environ |= installation.result()
        documentation = beside.submit(examples)
        with phase("the description of the API and its clients"):
            run(*description("description", "lint", "clients"))
        with phase("the documentation and its examples, which began beside the description"):
            documentation.result()
        with phase(f"the Lambda binaries, profile {profile}"):
            lambda_binaries(profile)
        with contextlib.ExitStack() as stack:
            with phase("localstripe, emulate, an OpenID provider and Adyen's contract"):
                os.environ |= localstripe(stack) | emulate(stack) | openid(stack) | adyen(stack)
            clients = beside.submit(mcp)
            with phase("the deployed stack, and beside it the MCP endpoint and its clients"):
                client = ("--local", local_program(), "--client", WORK / "description" / "python")
                os.environ |= deployed(stack, os.environ["LOCALSTRIPE_URL"], *client)
                clients.result()
            with phase("each function under cargo lambda"):
                run(VENV / "bin" / "python", ROOT / "tests" / "deploy" / "functions.py")
            calls = beside.submit(drawn_calls)
            status = tests("--cargo-profile", PROFILE, *TESTS)
            calls.result()
            return status


def keep_stack():
    with phase("the Lambda binaries, as released"):
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
    with phase("the Lambda binaries, as released"):
        lambda_binaries()
    with contextlib.ExitStack() as stack:
        with phase("the deployed stack"):
            ready = deployed(stack, "http://127.0.0.1:9")
        measure = "import sys, load; load.main([int(size) for size in sys.argv[1:]])"
        env = os.environ | ready | {"PYTHONPATH": str(ROOT / "tests" / "deploy")}
        run(VENV / "bin" / "python", "-c", measure, *sizes, env=env)
    return 0


def benchmark():
    """Measures one fulfilled request on one machine, in turns with a third party's server of the nearest flow."""
    node, folder = node_packages("openid")
    run("cargo", "build", "--locked", "--release", "-p", "local", "-p", "tests", "--bin", "local", "--example", "benchmark")
    built = local_program("release").parent
    run(built / "examples" / "benchmark", "--node", node, "--ciba", folder / "ciba.mjs", "--data", WORK / "benchmark")
    return 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    which = arguments.add_mutually_exclusive_group()
    which.add_argument("--release", action="store_true", help="run everything with the Lambda binaries as released")
    which.add_argument("--quick", action="store_true", help="run only the tests that need only Rust")
    which.add_argument("--stack", action="store_true", help="deploy the stack and keep it up")
    which.add_argument("--sizes", action="store_true", help="measure sizes and start-up times of the Lambda binaries")
    which.add_argument("--benchmark", action="store_true", help="measure a fulfilled request on one machine")
    which.add_argument("--load", type=int, nargs="*", metavar="STORED", help="measure the deployed stack under load")
    arguments = arguments.parse_args()
    if sys.version_info < (3, 10):
        raise Failed("Python 3.10 or newer is needed")
    if not shutil.which("cargo"):
        raise Failed("Rust is needed: cargo not found")
    WORK.mkdir(parents=True, exist_ok=True)
    if arguments.quick:
        use_packages()
        print("left out: AWS adapters, Lambda binaries, the deployed stack, localstripe, emulate, the browser, lints, examples")
        return tests("--profile", "quick", "--no-default-features")
    # `cargo lambda build` names the target, which has build artifacts of its own. So all commands name it, and share them.
    os.environ["CARGO_BUILD_TARGET"] = subprocess.check_output(("rustc", "-vV"), text=True).split("host: ")[1].split()[0]
    if not (arguments.stack or arguments.sizes or arguments.benchmark or arguments.load is not None):
        return everything(DEPLOYED if arguments.release else PROFILE)
    with phase("Python packages"):
        use_packages()
    if arguments.stack:
        return keep_stack()
    if arguments.benchmark:
        return benchmark()
    if arguments.load is not None:
        return load_stack(arguments.load or (1_000, 100_000, 1_000_000))
    with phase("the Lambda binaries, as released"):
        lambda_binaries()
        run("cargo", "build", "--locked", "--profile", DEPLOYED, "-p", "lambda", "--example", "bare")
    run(sys.executable, ROOT / "tests" / "sizes.py", *FUNCTIONS)
    return 0


def with_own_temporary_folder():
    """Runs with a folder for temporary files that is removed at the end, since browsers leave theirs behind."""
    with tempfile.TemporaryDirectory(prefix="assent-", ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = folder
        return main()


if __name__ == "__main__":
    try:
        sys.exit(with_own_temporary_folder())
    except Failed as failed:
        sys.exit(f"tests/run.py: {failed}")
