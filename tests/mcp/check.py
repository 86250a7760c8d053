#!/usr/bin/env python3
"""Checks the MCP endpoint with the programs of others, and the flow for Twilio Studio, against one machine.

Three clients pay a request each, one of them in both lifecycles. The protocol's own conformance suite runs the scenarios that
need no fixtures of its own. `tests/run.py` starts this in its Python environment.
"""

import argparse
import contextlib
import http.client
import http.server
import os
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from machine import machine  # noqa: E402 (the folder above is no package)
AGENTS = HERE.parent.parent / "functions" / "agents"
CEILINGS = ("--amount-max", "EUR=50000", "--asks-per-hour", "1000")
MODEL = ("--kind", "ai_agent", "--may", "request,read,capability", *CEILINGS)
IVR = ("--kind", "ivr", "--may", "request,read", "--own-sessions", *CEILINGS)
# The scenarios of each revision that are about the protocol. Others need the tools, prompts and resources of the suite's own
# example server, such as `test_simple_text`. Others again are about sampling, elicitation and sessions, which this server lacks.
SCENARIOS = {
    "2025-06-18": ("server-initialize", "ping", "tools-list"),
    "2025-11-25": ("server-initialize", "ping", "tools-list", "dns-rebinding-protection"),
    "2026-07-28": ("server-stateless", "tools-list", "dns-rebinding-protection", "caching", "http-header-validation"),
}


def new_key(program, data, *options):
    """Makes a key with ceilings, as an operator would."""
    command = (program, "key", "new", "--data", data, *options)
    made = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return next(word for word in made.stdout.replace('"', " ").split() if word.startswith("rk_test_"))


@contextlib.contextmanager
def with_key(api, key):
    """Forwards calls with the key, since the suite sends none."""
    host, port = api.removeprefix("http://").split(":")

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            dropped = ("connection", "content-length", "authorization")
            headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
            # The machine knows its own port, not the proxy's.
            for name in [name for name in headers if name.lower() in ("host", "origin")]:
                headers[name] = headers[name].replace(f":{self.server.server_port}", f":{port}")
            connection = http.client.HTTPConnection(host, int(port), timeout=60)
            connection.request(self.command, self.path, body, headers | {"Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_POST = do_GET = do_DELETE = do_OPTIONS = forward

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/mcp"
    server.shutdown()


def run(*command, cwd, env):
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"failed with {done.returncode}: {' '.join(str(part) for part in command)}")


def conforms(node, packages, url):
    """Runs each scenario. The suite fails a scenario by its exit code."""
    suite = packages / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    failed = []
    for revision, scenarios in SCENARIOS.items():
        for scenario in scenarios:
            command = (node, suite, "server", "--url", url, "--scenario", scenario, "--spec-version", revision)
            command = [str(part) for part in command]
            allowed = HERE / "expected-failures.yml"
            command += ["--expected-failures", str(allowed)]
            done = subprocess.run(command, cwd=packages, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                failed.append(f"{scenario} of {revision}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    if failed:
        sys.exit("\n".join(failed))
    print(f"    {sum(map(len, SCENARIOS.values()))} scenarios of the conformance suite pass", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("local", "node", "packages", "work"):
        arguments.add_argument(f"--{name}", type=pathlib.Path, required=True)
    arguments = arguments.parse_args()
    started_at = time.monotonic()
    data = arguments.work / f"machine-{os.getpid()}"
    with machine(arguments.local, data) as (api, key):
        model, ivr = new_key(arguments.local, data, *MODEL), new_key(arguments.local, data, *IVR)
        env = os.environ | {"API": api, "KEY": model, "PHONE_KEY": key, "IVR_KEY": ivr, "AGENTS": str(AGENTS), "OPENAI_AGENTS_DISABLE_TRACING": "1"}
        run(sys.executable, HERE / "pay.py", cwd=arguments.work, env=env)
        run(arguments.node, "pay.mjs", cwd=arguments.packages, env=env)
        run(arguments.node, HERE.parent / "studio" / "play.mjs", cwd=arguments.packages, env=env)
        with with_key(api, model) as url:
            conforms(arguments.node, arguments.packages, url)
    print(f"    the MCP endpoint with the programs of others: {time.monotonic() - started_at:.0f} s", flush=True)


if __name__ == "__main__":
    main()
