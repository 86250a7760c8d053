"""Measures a request's latency in the emulator while the table grows.

    python3 tests/run.py --load                     1,000, 100,000 and 1,000,000 stored requests
    python3 tests/run.py --load 1000 100000         only those

The stored requests are copies of a real one with new ids and sessions, and one event each. They are written past the API,
since a million calls would take too long. Then customers ask, find the prompt on the phone, tap, and read the outcome.
Each customer is a thread of this process.

The emulator is one Python program for DynamoDB, SQS and Lambda, and takes by far the larger share of the time.
The figures show whether the cost stays flat, not the cost at AWS.
It uses loopback only, is bounded in count and time, and prints one table.
"""

import concurrent.futures
import json
import os
import pathlib
import statistics
import sys
import threading
import time
import urllib.request
import uuid
import zlib

import boto3
import botocore.config

REQUESTS = 200
AT_ONCE = 8
# DynamoDB takes 25 items at once.
BATCH = 25
PATIENCE = 120
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SHARED = pathlib.Path(__file__).parents[2] / "shared"
DICTIONARY = (SHARED / "dynamodb/src/dictionary-1.txt").read_bytes()


def call(method, path, body=None, key=None):
    """Calls the API and returns its answer as JSON."""
    headers = {"authorization": f"Bearer {os.environ['ASSENT_KEY']}", "content-type": "application/json"}
    if key:
        headers["idempotency-key"] = key
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["ASSENT_API"] + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def payment(phone, session):
    return {
        "customer": {"phone": phone, "name": "Ada", "language": "en-GB"},
        "session": {"kind": "voice", "id": session},
        "ask": {"kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice 4711"},
        "allow_duplicate": True,
    }


def until(found, what):
    """Waits until `found` returns a value, and returns it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (value := found()) is not None:
            return value
        time.sleep(0.02)
    raise SystemExit(f"{what} did not come in {PATIENCE} s")


def serve(number, took):
    """Plays one customer, from the ask to the outcome."""
    phone, session = f"+1777{number:07}", f"L{number // 3}"
    began = time.monotonic()
    asked = call("POST", "/v1/requests", payment(phone, session), key=uuid.uuid4().hex)
    took["POST"].append(time.monotonic() - began)
    messages = f"/sandbox/phones/{phone}/messages"

    def prompt():
        found = [one for one in call("GET", messages)["messages"] if one["request"] == asked["id"]]
        return found[0] if found else None

    message = until(prompt, "the prompt")
    took["prompted"].append(time.monotonic() - began)
    tap = {"action": "approve", "session_code": asked["session_code"]}
    call("POST", f"{messages}/{message['id']}/tap", tap)

    def closed():
        request = call("GET", f"/v1/requests/{asked['id']}?wait=20&after=0")
        return request if request["outcome"] else None

    state = until(closed, "the outcome")["state"]
    if state != "fulfilled":
        raise SystemExit(f"{asked['id']} ended as {state}")
    took["all"].append(time.monotonic() - began)
    began = time.monotonic()
    call("GET", f"/v1/requests?session={session}")
    took["list"].append(time.monotonic() - began)


def crowd(first, count):
    """Plays that many customers, a few at a time. Returns the times of each part, and the whole time."""
    took = {"POST": [], "prompted": [], "all": [], "list": []}
    numbers, lock, failures = iter(range(first, first + count)), threading.Lock(), []

    def work():
        try:
            while not failures:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                serve(number, took)
        except (Exception, SystemExit) as failure:  # noqa: BLE001 - told by the main thread
            failures.append(failure)

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return took, time.monotonic() - began


def ulid(number):
    """Returns an id that no request has, with the time zero."""
    text = ""
    for _ in range(16):
        number, digit = divmod(number, 32)
        text = ALPHABET[digit] + text
    return "0000000000" + text


def body(item):
    """Returns the body of an item, which is compressed where it is long."""
    if "zbody" in item:
        return zlib.decompressobj(zdict=DICTIONARY).decompress(item["zbody"]["B"]).decode()
    return item["body"]["S"]


def fill(table, client, first, last):
    """Copies a closed request, with its journal, under new ids."""
    model = call("POST", "/v1/requests", payment("+17779999999", "model"), key=uuid.uuid4().hex)
    call("POST", f"/v1/requests/{model['id']}/cancel", {})
    items = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"REQ#{model['id']}"}},
    )["Items"]
    request = next(item for item in items if item["sk"]["S"] == "REQ")

    def copied(item, number):
        identity = f"req_{ulid(number)}"
        kept = {name: value for name, value in item.items() if name != "zbody"}
        copy = kept | {
            "pk": {"S": f"REQ#{identity}"},
            "body": {"S": body(item).replace(model["id"], identity)},
        }
        if "ipk" in item:
            copy["ipk"] = {"S": item["ipk"]["S"].replace("model", f"CA{number // 3}")}
            copy["isk"] = {"S": item["isk"]["S"].replace(model["id"], identity)}
        return {"PutRequest": {"Item": copy}}

    def put(numbers):
        left = {table: [copied(request, number) for number in numbers]}
        while left:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]

    batches = (range(number, min(number + BATCH, last)) for number in range(first, last, BATCH))
    # One batch is prepared here while the emulator stores another.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for written in [pool.submit(put, batch) for batch in batches]:
            written.result()


def milliseconds(times):
    ordered = sorted(times)
    slowest = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"{statistics.median(ordered) * 1000:>7.0f} {slowest * 1000:>7.0f}"


def main(sizes):
    quick = botocore.config.Config(parameter_validation=False)
    client = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=quick)
    table, stored, served = os.environ["ASSENT_TABLE"], 0, 0
    print(f"{REQUESTS} requests at each size, {AT_ONCE} at once; milliseconds: p50 p99")
    print("   stored  held/s | POST /v1/requests |  until prompted |  until outcome  |      list")
    for size in sizes:
        began = time.monotonic()
        fill(table, client, stored, size)
        print(f"{size - stored} written in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        stored = size
        crowd(served, REQUESTS // 10)
        took, whole = crowd(served + REQUESTS // 10, REQUESTS)
        served += REQUESTS + REQUESTS // 10
        columns = " | ".join(milliseconds(took[name]) for name in ("POST", "prompted", "all", "list"))
        print(f"{size:>9} {REQUESTS / whole:>7.1f} |   {columns}", flush=True)
