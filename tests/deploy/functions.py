"""Runs each built function once under `cargo lambda watch`, with an event of events/ by `cargo lambda invoke`.

The functions work on the deployed stack's table, queues and secrets. Its variables are in the environment:

    target/tests/venv/bin/python tests/deploy/functions.py

`cargo lambda watch` serves the runtime's API alone and starts no function, since it would build each once more.
"""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CARGO_LAMBDA = pathlib.Path(sys.executable).with_name("cargo-lambda")
# Each function, its event, and what its answer must have.
CASES = {
    "intake": ("create", {"statusCode": 201}),
    "send-prompt": ("check", {"batchItemFailures": []}),
    "consent-callback": ("phone-messages", {"statusCode": 200}),
    "fetch-info": ("webhook", {"batchItemFailures": []}),
    "agents": ("mcp-key-of-a-server", {"statusCode": 403}),
}
# The id of the request in every event.
REQUEST = "req_01M844DZG03XCBJ52V4K8GHNXC"
# How often a message is delivered again.
REPEATS_MAX = 4
# The settings that are the same on every stack.
SETTINGS = {
    "SECRET_PREFIX": "assent/brand/",
    "CHANNELS_SECRET_PREFIX": "assent/channels/",
    "CLAIMS_SECRET_PREFIX": "assent/claims/",
    "CONSENT_SECRET_PREFIX": "assent/consent/",
    "PROCESSORS_SECRET_PREFIX": "assent/processors/",
    "SANDBOX": "key",
    "DESK": "key",
    "WEBHOOK_REACH": "any",
    "TOPIC_PREFIX": "assent",
    "CALLERS": "off",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment():
    """Returns the settings of the functions, as template.yaml gives them."""
    names = {"TABLE": "ASSENT_TABLE", "PUBLIC_BASE_URL": "ASSENT_API"}
    names |= {f"{queue}_QUEUE_URL": f"ASSENT_{queue}_QUEUE_URL" for queue in ("PROMPTS", "AUTHORIZATIONS", "WEBHOOKS")}
    return os.environ | SETTINGS | {name: os.environ[given] for name, given in names.items()}


@contextlib.contextmanager
def started(command, log, env):
    with log.open("w") as out:
        command = [str(part) for part in command]
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(port):
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit("cargo lambda watch did not start")


def invoke(port, function, data):
    command = [CARGO_LAMBDA, "lambda", "invoke", function, "--data-file", data]
    command += ["--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        sys.exit(f"cargo lambda invoke {function} failed:\n{done.stdout}\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    work, binaries = ROOT / "target" / "tests" / "functions", ROOT / "target" / "lambda"
    work.mkdir(parents=True, exist_ok=True)
    port, env = free_port(), environment()
    watch = (CARGO_LAMBDA, "lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1", "--invoke-port", port)
    with contextlib.ExitStack() as stack:
        stack.enter_context(started(watch, work / "watch.log", env))
        wait_for(port)
        request = REQUEST
        for function, (event, wanted) in CASES.items():
            # All events are about the request that the first one creates, which gets another id here.
            data = work / f"{function}.json"
            data.write_text((ROOT / "events" / function / f"{event}.json").read_text().replace(REQUEST, request))
            runtime = {"AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt/{function}", "AWS_LAMBDA_FUNCTION_NAME": function}
            runtime |= {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_VERSION": "1"}
            runtime |= {"AWS_LAMBDA_LOG_GROUP_NAME": function, "AWS_LAMBDA_LOG_STREAM_NAME": function}
            log = work / f"{function}.log"
            with started([binaries / function / "bootstrap"], log, env | runtime):
                started_at = time.monotonic()
                answer = invoke(port, function, data)
                # The stack handles the same request. Where its function was faster, a queue would deliver the message again.
                for _ in range(REPEATS_MAX):
                    if not answer.get("batchItemFailures"):
                        break
                    time.sleep(1)
                    answer = invoke(port, function, data)
            found = {name: answer.get(name) for name in wanted}
            if found != wanted:
                sys.exit(f"{function} answered {answer} to {event}:\n{log.read_text()[-4000:]}")
            if function == "intake":
                request = json.loads(answer["body"])["id"]
            print(f"    {function} answers {event} after {time.monotonic() - started_at:.1f} s", flush=True)


if __name__ == "__main__":
    main()
