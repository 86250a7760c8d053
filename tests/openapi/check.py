#!/usr/bin/env python3
"""Checks the description of the API with the programs of others, against one machine.

A validator and a linter read it. Clients in TypeScript and Python are generated from it, compiled, and pay a request each.
Schemathesis draws calls from it. Nothing that is generated is kept. `tests/run.py` starts this in its Python environment.
"""

import argparse
import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from machine import machine  # noqa: E402 (the folder above is no package)
DESCRIPTION = HERE.parent.parent / "functions" / "intake" / "openapi.json"
SCRIPTS = pathlib.Path(sys.executable).parent
# The fewest cases that the description must be worth.
CASES_MIN = 5_000
SEEDS = (4711, 4712)
PARTS = ("lint", "clients", "calls")


def run(*command, cwd, env=None):
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"failed with {done.returncode}: {' '.join(str(part) for part in command)}")


@contextlib.contextmanager
def timed(name):
    started_at = time.monotonic()
    yield
    print(f"    {name}: {time.monotonic() - started_at:.0f} s", flush=True)


@contextlib.contextmanager
def endpoint(events):
    """Takes webhooks as a requester's system would, and writes each to a file as a line."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock, events.open("a") as file:
                file.write(json.dumps({"headers": headers, "body": body}) + "\n")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    lock = threading.Lock()
    events.write_text("")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def lint(work, node, packages):
    run(SCRIPTS / "openapi-spec-validator", DESCRIPTION, cwd=work)
    redocly = packages / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"
    env = os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    run(node, redocly, "lint", "--config", HERE / "redocly.yaml", DESCRIPTION, cwd=work, env=env)


def python_client(work, env):
    folder = work / "python"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    generate = ("generate", "--path", DESCRIPTION, "--meta", "none", "--output-path", folder / "assent_client")
    run(SCRIPTS / "openapi-python-client", *generate, cwd=folder, env=env)
    shutil.copy2(HERE / "client.py", folder)
    run(SCRIPTS / "mypy", "--strict", "--follow-imports", "silent", "--no-error-summary", "client.py", cwd=folder, env=env)
    run(sys.executable, "client.py", cwd=folder, env=env | {"PHONE": "+15551230002"})


def typescript_client(node, packages, env):
    modules = packages / "node_modules"
    run(node, modules / "openapi-typescript" / "bin" / "cli.js", DESCRIPTION, "-o", "assent.ts", cwd=packages)
    options = ("--strict", "--target", "es2022", "--module", "nodenext", "--allowImportingTsExtensions")
    options += ("--rewriteRelativeImportExtensions", "--skipLibCheck", "--outDir", "compiled")
    run(node, modules / "typescript" / "bin" / "tsc", *options, "client.ts", cwd=packages)
    run(node, packages / "compiled" / "client.js", cwd=packages, env=env | {"PHONE": "+15551230003"})


def draw_calls(work, api, key, examples):
    """Runs Schemathesis with two seeds at once, and returns the number of cases that it sent.

    Threads of one run would share the interpreter, and Python 3.11 fails when two of them compile at once.
    """
    env = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "ASSENT_KEY": key}
    options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    runs = []
    for seed in SEEDS:
        command = ("--config-file", HERE / "schemathesis.toml", "run", DESCRIPTION, "--url", api)
        command += ("--seed", seed, "--max-examples", examples)
        command = [str(part) for part in (SCRIPTS / "schemathesis", *command)]
        log = work / f"schemathesis-{seed}.log"
        with log.open("w") as file:
            runs.append((log, subprocess.Popen(command, cwd=work, env=env, stdout=file, **options)))
    count, failed = 0, []
    for log, process in runs:
        process.wait()
        text = log.read_text()
        cases = re.search(r"([\d,]+) generated", text)
        count += int(cases[1].replace(",", "")) if cases else 0
        if process.returncode != 0:
            failed.append(f"{text[-12000:]}\nSchemathesis failed; all of it is in {log}")
    if failed:
        sys.exit("\n".join(failed))
    return count


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--local", type=pathlib.Path, required=True, help="the built program of one machine")
    arguments.add_argument("--node", type=pathlib.Path, required=True)
    arguments.add_argument("--packages", type=pathlib.Path, required=True, help="a copy of this folder with node_modules")
    arguments.add_argument("--work", type=pathlib.Path, required=True, help="a folder for what is generated")
    arguments.add_argument("--examples", type=int, default=45, help="the most drawn cases of an operation")
    arguments.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    arguments = arguments.parse_args()
    work = arguments.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    wanted = arguments.only
    node, packages = arguments.node.resolve(), arguments.packages.resolve()
    if "lint" in wanted:
        with timed("the validator and the linter"):
            lint(work, node, packages)
    events = work / "events"
    if "clients" in wanted:
        with endpoint(events) as url, machine(arguments.local.resolve(), work / "clients", ("--webhooks", url)) as (api, key):
            secret = json.loads((work / "clients" / "brand.json").read_text())["test"]["webhooks"]["secrets"][0]
            env = os.environ | {"API": api, "KEY": key, "SECRET": secret, "EVENTS": str(events)}
            env["PATH"] = f"{SCRIPTS}{os.pathsep}{env['PATH']}"
            with timed("the TypeScript client"):
                typescript_client(node, packages, env)
            with timed("the Python client"):
                python_client(work, env)
    if "calls" in wanted:
        with timed("Schemathesis"), machine(arguments.local.resolve(), work / "calls", ()) as (api, key):
            cases = draw_calls(work, api, key, arguments.examples)
            print(f"    Schemathesis: {cases} cases, no failure")
            if cases < CASES_MIN:
                sys.exit(f"{cases} cases are fewer than {CASES_MIN}")


if __name__ == "__main__":
    main()
