"""Two faulty proxies: one between the functions and the AWS emulator, one before Stripe's stand-in.

The functions call AWS through `Proxy`, which passes calls on unchanged until its control address orders faults:

    POST /faults {"seed": 7, "seconds": 25, "lost": 0.05, "unsent": 0.05, "throttled": 0.05, "stale": 0.1, "twice": 0.1}
    GET  /faults

Both answer with the seconds left, the number of faults of each kind, and the number of calls of each operation.
Faults end by themselves, so that a crashed test leaves nothing behind. The seed decides the fault of each call:

- lost: the call is made, and the connection breaks before its answer.
- unsent: the connection breaks before the call is made.
- throttled: the call is rejected with the error that the service documents for it.
- stale: a query of an index gets an earlier answer. Other reads ask for consistency and are never stale.
- twice: a message is put into its queue twice.

Stripe's stand-in ignores idempotency keys, which make it safe to repeat a call whose answer was lost.
`Keys` adds them as Stripe documents.
"""

import collections
import http.client
import http.server
import json
import random
import socket
import threading
import time
import urllib.parse

HOP = ("connection", "content-length", "transfer-encoding", "keep-alive")
ANSWERS_KEPT = 8
KINDS = ("lost", "unsent", "throttled", "stale", "twice")
THROTTLED = {
    "DynamoDB_20120810": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "AmazonSQS": "com.amazonaws.sqs#RequestThrottled",
    "secretsmanager": "ThrottlingException",
}


class Server(http.server.ThreadingHTTPServer):
    """A server on the loopback address, which accepts calls as soon as it is made."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A caller that hangs up is no error."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def forward(self, upstream, body):
        """Returns the upstream's answer: status, headers, content."""
        connection = http.client.HTTPConnection(upstream, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                connection.putheader(name, value)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP]
        content = answer.read()
        connection.close()
        return answer.status, headers, content

    def answer(self, status, headers, content):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def say(self, status, value, kind="application/json"):
        self.answer(status, [("content-type", kind)], json.dumps(value).encode())

    def hang_up(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format, *args):
        """Requests hold secrets, so nothing is logged."""


class Faults:
    """The ordered faults and the counts so far."""

    def __init__(self):
        self.lock = threading.Lock()
        self.until, self.rates, self.random = 0.0, {}, random.Random(0)
        self.counts, self.calls = collections.Counter(), collections.Counter()
        self.answers = {}

    def begin(self, told):
        with self.lock:
            self.rates = {kind: float(told.get(kind, 0)) for kind in KINDS}
            self.random = random.Random(told["seed"])
            self.until = time.monotonic() + float(told["seconds"])
            self.counts, self.answers = collections.Counter(), {}

    def shown(self):
        with self.lock:
            left = max(0.0, self.until - time.monotonic())
            return {"seconds": left} | {kind: self.counts[kind] for kind in KINDS} | {"calls": dict(self.calls)}

    def drawn(self, operation, is_index, body):
        """Returns the fault of this call, or None.

        The first query of an index with an earlier answer is stale, since a slow machine makes few of them.
        """
        possible = ["lost", "unsent", "throttled"]
        possible += ["stale"] if is_index else []
        possible += ["twice"] if operation == "AmazonSQS.SendMessage" else []
        with self.lock:
            self.calls[operation] += 1
            if time.monotonic() >= self.until:
                return None
            if is_index and self.answers.get(body) and self.rates["stale"] > 0 and self.counts["stale"] == 0:
                return "stale"
            drawn = self.random.random()
            for kind in possible:
                drawn -= self.rates[kind]
                if drawn < 0:
                    if kind != "stale":
                        self.counts[kind] += 1
                    return kind
        return None

    def keep(self, body, answer):
        """Keeps the answer of an index for a later stale read."""
        with self.lock:
            if time.monotonic() < self.until:
                self.answers.setdefault(body, collections.deque(maxlen=ANSWERS_KEPT)).append(answer)

    def older(self, body):
        with self.lock:
            kept = self.answers.get(body)
            if not kept:
                return None
            self.counts["stale"] += 1
            return self.random.choice(list(kept))


class Proxy(Server):
    """The proxy between the functions and the emulator."""

    def __init__(self, port):
        self.upstream, self.faults = f"127.0.0.1:{port}", Faults()
        super().__init__(Between)
        # Every body that the functions sent to AWS, such as rows and messages.
        self.seen, self.logs = [], lambda: ""
        control = Server(Control)
        control.faults, control.between = self.faults, self
        self.control = f"{control.url}/faults"
        self.footprint = f"{control.url}/footprint"


class Control(Handler):
    """The control address: orders faults and reports on them."""

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/footprint":
            text = urllib.parse.parse_qs(query)["text"][0]
            calls = [body for body in list(self.server.between.seen) if text.encode() in body]
            logs = self.server.between.logs()
            self.say(200, {"calls": len(calls), "logs": logs.count(text), "read": len(logs)})
            return
        self.say(200, self.server.faults.shown())

    def do_POST(self):
        try:
            self.server.faults.begin(json.loads(self.body()))
        except (KeyError, TypeError, ValueError) as error:
            self.say(400, {"error": repr(error)})
            return
        self.say(200, self.server.faults.shown())


class Between(Handler):
    """One call of a function, with its fault."""

    def handle_any(self):
        body, faults = self.body(), self.server.faults
        self.server.seen.append(body)
        operation = self.headers.get("x-amz-target") or ""
        service = operation.partition(".")[0]
        if service not in THROTTLED:
            self.answer(*self.forward(self.server.upstream, body))
            return
        is_index = operation.endswith(".Query") and "IndexName" in json.loads(body)
        kind = faults.drawn(operation, is_index, body)
        if kind == "throttled":
            error = {"__type": THROTTLED[service], "message": "Rate exceeded"}
            self.say(400, error, self.headers.get("content-type"))
            return
        if kind == "unsent":
            self.hang_up()
            return
        older = faults.older(body) if kind == "stale" else None
        answer = older or self.forward(self.server.upstream, body)
        if kind == "twice":
            self.forward(self.server.upstream, body)
        if is_index and older is None and answer[0] == 200:
            faults.keep(body, answer)
        if kind == "lost":
            self.hang_up()
            return
        self.answer(*answer)

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = handle_any


class Keys(Server):
    """The proxy before Stripe's stand-in, which makes each call with an idempotency key once."""

    def __init__(self, url):
        self.upstream = urllib.parse.urlsplit(url).netloc
        self.answers, self.lock = {}, threading.Lock()
        super().__init__(Keyed)


class Keyed(Handler):
    """One call of Stripe's API."""

    def handle_any(self):
        body, key = self.body(), self.headers.get("idempotency-key")
        if self.command != "POST" or key is None:
            self.answer(*self.forward(self.server.upstream, body))
            return
        call, answers = (self.path, body), self.server.answers
        with self.server.lock:
            is_new = key not in answers
            first, known = answers.setdefault(key, (call, None))
        if first != call:
            self.refuse(400, "idempotency_error", None)
        elif known:
            status, headers, content = known
            self.answer(status, [*headers, ("idempotent-replayed", "true")], content)
        elif not is_new:
            self.refuse(409, "invalid_request_error", "idempotency_key_in_use")
        else:
            self.carry_out(key, call, body)

    def carry_out(self, key, call, body):
        answer = None
        try:
            answer = self.forward(self.server.upstream, body)
        finally:
            with self.server.lock:
                # Stripe keeps no answer where nothing began, or the call itself was wrong.
                if answer and (answer[0] < 300 or answer[0] == 402 or answer[0] >= 500):
                    self.server.answers[key] = (call, answer)
                else:
                    del self.server.answers[key]
        self.answer(*answer)

    def refuse(self, status, kind, code):
        self.say(status, {"error": {"type": kind, "code": code}})

    do_GET = do_POST = do_DELETE = handle_any
