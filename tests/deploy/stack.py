"""Deploys template.yaml into an AWS emulator on this machine, and keeps it up until standard input ends.

Run with the Python of the tests' environment (it needs boto3, sam and ministack):

    stack.py --template template.yaml --work target/stack

Prints one line of JSON when the stack is up. It holds the API's address, the test keys of the brands in brands.json,
the address that shows their webhooks, and the control address for faults (faults.py). The emulator's address, the table
and the queues follow. Everything listens on 127.0.0.1 and is stopped by process id when standard input ends.

Limits of ministack 1.5, found by trying:
- It runs `provided.al2023` binaries as processes of this machine, with a Runtime API each. They get
  AWS_ENDPOINT_URL only when its own environment has it.
- It runs SQS triggers with partial batch failures and maximum concurrency, delays, visibility timeouts and dead letters.
  A failed message comes back after the queue's whole visibility timeout, as at AWS.
- Conditional writes, transactions and indexes work. TTL deletes nothing on time, as at AWS.
- An HTTP API answers to its Host header only, and no name of AWS leads to it. A small proxy here stands in for the name.
- It keeps neither the key of a function's settings nor a reserved concurrency. Other keys are kept.
- Its SNS invokes a function once for an event, even if the run fails. AWS would try twice more.
  An asynchronous invocation gets the retries, seconds apart, and a failure's destination. Permissions are not checked.
- Its CloudWatch Logs keeps the functions' logs. A test searches them for secrets, and functions.log holds them at the end.
- Names of resources are derived from the stack's, so two emulators have the same ones.
"""

import argparse
import http.client
import http.server
import json
import os
import pathlib
import socket
import string
import subprocess
import sys
import threading
import time

import boto3
import documents
import faults
import parameters
from messaging import Messaging

HERE = pathlib.Path(__file__).resolve().parent
# The test key of the brand `demo`.
KEY = "sk_test_demo_0123456789abcdef0123456789abcdef"
REGION = "eu-west-1"
ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}


def free_port():
    """Returns a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def say(text):
    print(text, file=sys.stderr, flush=True)


class Emulator:
    """An empty ministack."""

    def __init__(self, work):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # Only functions call it by this address. Ministack passes its own environment on to them.
        self.faults = faults.Proxy(self.port)
        self.log = work / "ministack.log"
        home = work / "home"
        home.mkdir(parents=True, exist_ok=True)
        env = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        env |= ACCOUNT | {
            "HOME": str(home),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "false",
            "SFTP_ENABLED": "false",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "AWS_ENDPOINT_URL": self.faults.url,
            "S3_DATA_DIR": str(work / "s3"),
            "STATE_DIR": str(work / "state"),
            "PERSIST_STATE": "0",
        }
        program = pathlib.Path(sys.executable).with_name("ministack")
        self.process = subprocess.Popen(
            [program],
            env=env,
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
        )

    def wait(self):
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
                connection.request("GET", "/_ministack/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise SystemExit(f"ministack did not start:\n{self.log.read_text()[-4000:]}")

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCOUNT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ACCOUNT["AWS_SECRET_ACCESS_KEY"],
        )

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def deploy(emulator, template, work, settings):
    """Deploys the template with `sam deploy`, as an operator would."""
    bucket = "assent-deployments"
    emulator.client("s3").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    command = [
        pathlib.Path(sys.executable).with_name("sam"),
        "deploy",
        f"--template-file={template}",
        f"--stack-name={parameters.STACK}",
        f"--s3-bucket={bucket}",
        f"--region={REGION}",
        "--capabilities=CAPABILITY_IAM",
        "--no-confirm-changeset",
        "--no-progressbar",
        "--parameter-overrides",
        *(f"{name}={value}" for name, value in settings.items()),
    ]
    env = dict(os.environ) | ACCOUNT
    env |= {"AWS_ENDPOINT_URL": emulator.url, "SAM_CLI_TELEMETRY": "0", "HOME": str(work / "home")}
    log = work / "deploy.log"
    with log.open("w") as out:
        done = subprocess.run(command, env=env, cwd=work, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
    if done.returncode != 0:
        raise SystemExit(f"sam deploy failed:\n{log.read_text()[-6000:]}")


def command(emulator, program, *words):
    """Runs a command of `local` on the emulator's Secrets Manager, and returns what it prints."""
    environment = os.environ | ACCOUNT | {"AWS_ENDPOINT_URL": emulator.url}
    words = (*words, "--secrets", "aws", "--brand", "first", "--json")
    done = subprocess.run([program, *words], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} failed with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def pay_with_client(emulator, folder, key, api):
    """Pays a first request with the generated Python client, at the API's own address."""
    environment = {"API": api, "LINKS": parameters.outputs(emulator)["ApiAddress"], "KEY": key, "PHONE": "+15557019999"}
    done = subprocess.run([sys.executable, "client.py"], cwd=folder, env=os.environ | environment, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise SystemExit("the generated client did not pay at the API's own address")


class Domain(http.server.ThreadingHTTPServer):
    """Stands in for the deployment's domain and passes every call on to the HTTP API."""

    daemon_threads = True

    def __init__(self, emulator):
        super().__init__(("127.0.0.1", 0), Passing)
        self.emulator, self.host = emulator, None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stands_for(self, api):
        self.host = f"{api}.execute-api.localhost:{self.emulator.port}"


class Passing(http.server.BaseHTTPRequestHandler):
    """Passes one call on."""

    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.emulator.port, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        upstream.putheader("host", self.server.host)
        for name, value in self.headers.items():
            if name.lower() not in ("host", "connection", "content-length"):
                upstream.putheader(name, value)
        upstream.putheader("content-length", str(len(body)))
        upstream.endheaders(body)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        upstream.close()

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_any

    def log_message(self, format, *args):
        """Paths hold link tokens; nothing is logged."""


class Requester(http.server.ThreadingHTTPServer):
    """The brands' own system: accepts webhooks, and shows them in the order they came."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Listening)
        self.webhooks, self.lock = [], threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/webhooks"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Listening(http.server.BaseHTTPRequestHandler):
    """Accepts one webhook, or shows all of them: `[{"headers": {...}, "body": "..."}]`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.webhooks.append({"headers": headers, "body": body})
        self.answer(b"")

    def do_GET(self):
        with self.server.lock:
            self.answer(json.dumps(self.server.webhooks).encode())

    def answer(self, content):
        self.send_response_only(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args):
        """A GET shows the webhooks, so nothing is logged."""


def create_brands(emulator, **addresses):
    """Creates the brands of brands.json: `demo` with sandboxes and cards over AWS, `shop` with Stripe."""
    secrets = emulator.client("secretsmanager")
    text = string.Template((HERE / "brands.json").read_text()).substitute(addresses)
    for brand in json.loads(text):
        for document, content in documents.split(brand).items():
            secrets.create_secret(Name=f"assent/{document}/{brand['name']}", SecretString=json.dumps(content))


def create_topic(emulator, function, channel):
    """Creates the topic of a channel of the demo brand, and subscribes the function."""
    sns = emulator.client("sns")
    topic = sns.create_topic(Name=f"assent_demo_{channel}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    return topic


def read_logs(emulator):
    """Returns the logs of the functions."""
    logs, lines = emulator.client("logs"), []
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
            lines += (f"{name} {event['message'].rstrip()}\n" for event in page["events"])
    return "".join(lines)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--template", type=pathlib.Path, required=True)
    arguments.add_argument("--work", type=pathlib.Path, required=True)
    arguments.add_argument("--stripe", default="http://127.0.0.1:9", help="address of Stripe or a stand-in for it")
    arguments.add_argument("--local", type=pathlib.Path, help="the built program of one machine, for its commands")
    arguments.add_argument("--client", type=pathlib.Path, help="folder of the generated Python client, which pays first")
    arguments = arguments.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)

    emulator = Emulator(work)
    try:
        emulator.wait()
        say(f"ministack answers at {emulator.url}; its log is {emulator.log}")
        domain = Domain(emulator)
        settings = {
            "Architecture": "x86_64",
            "Sandbox": "key",
            "Desk": "key",
            "WebhookReach": "any",
            "EndUserMessaging": "on",
            "Email": "on",
            "Mcp": "on",
            "DeletionProtection": "false",
            "LogLevel": "INFO",
        }
        requester = Requester()
        messaging = Messaging()
        stripe = faults.Keys(arguments.stripe).url
        addresses = {"webhooks": requester.url, "stripe": stripe, "messaging": messaging.url, "public": domain.url}
        create_brands(emulator, **addresses)
        if arguments.client:
            # These are the lines of README.md: a brand, one deployment, the doctor and the first request.
            made = json.loads(command(emulator, arguments.local.resolve(), "brand", "new", "first"))
        deploy(emulator, arguments.template.resolve(), work, settings)
        found = parameters.outputs(emulator)
        domain.stands_for(found["HttpApiId"])
        parameters.expect("the functions' address", parameters.public_addresses(emulator), {found["ApiAddress"]})
        if arguments.client:
            command(emulator, arguments.local.resolve(), "doctor", "--public-url", domain.url)
            pay_with_client(emulator, arguments.client, made["key"], domain.url)
        parameters.check_optional(emulator)
        # No name of AWS leads to the emulator, so browsers and functions can call this address alone.
        parameters.update(emulator, PublicBaseUrl=domain.url)
        emulator.faults.logs = lambda: read_logs(emulator)
        ready = {
            "ASSENT_API": domain.url,
            "ASSENT_KEY": KEY,
            "ASSENT_STRIPE_KEY": "sk_test_shop_0123456789abcdef0123456789abcdef",
            "ASSENT_WEBHOOKS": requester.url,
            "ASSENT_FAULTS": emulator.faults.control,
            "ASSENT_FOOTPRINT": emulator.faults.footprint,
            "AWS_ENDPOINT_URL": emulator.url,
            "ASSENT_MESSAGES": messaging.url,
            "ASSENT_TOPIC": create_topic(emulator, found["ConsentCallbackArn"], "rcs"),
            "ASSENT_CARDS_TOPIC": create_topic(emulator, found["ConsentCallbackArn"], "cards"),
            "ASSENT_CONSENT_CALLBACK": found["ConsentCallbackArn"],
            "ASSENT_TOPICS_DEAD_QUEUE_URL": found["TopicsDeadQueueUrl"],
            "ASSENT_TABLE": found["TableName"],
            "ASSENT_PROMPTS_QUEUE_URL": found["PromptsQueueUrl"],
            "ASSENT_AUTHORIZATIONS_QUEUE_URL": found["AuthorizationsQueueUrl"],
            "ASSENT_WEBHOOKS_QUEUE_URL": found["WebhooksQueueUrl"],
        }
        print(json.dumps(ready | ACCOUNT), flush=True)
        sys.stdin.read()
        # The logs help with a failed test, and would end with the emulator.
        (work / "functions.log").write_text(read_logs(emulator))
    finally:
        emulator.stop()


if __name__ == "__main__":
    main()
