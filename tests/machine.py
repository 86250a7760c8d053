"""Starts one machine, for the checks that programs of others run against it."""

import contextlib
import json
import subprocess


@contextlib.contextmanager
def machine(program, data, webhooks=()):
    """Starts one machine with an empty database, and returns its address and its test key."""
    arguments = ("--port", "0", "--data", data, "--format", "json", *webhooks)
    command = [str(part) for part in (program, *arguments)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(process.stdout.readline())
        yield ready["api"], ready["key"]
    finally:
        process.terminate()
        process.wait(60)
