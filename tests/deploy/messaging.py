"""A stand-in for AWS End User Messaging, which the emulator has not."""

import http.server
import json
import threading


class Messaging(http.server.ThreadingHTTPServer):
    """AWS End User Messaging, which the emulator has not: accepts messages, and shows them in the order they came."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Sending)
        self.messages, self.lock = [], threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Sending(http.server.BaseHTTPRequestHandler):
    """Accepts one signed message, or shows all of them: `[{"target": "...", "message": {...}}]`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
        if not self.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            return self.answer(400, {"__type": "MissingAuthenticationTokenException"})
        with self.server.lock:
            self.server.messages.append({"target": self.headers.get("x-amz-target"), "message": body})
            number = len(self.server.messages)
        self.answer(200, {"MessageId": f"0a1b2c3d-4e5f-6071-8293-{number:012x}"})

    def do_GET(self):
        with self.server.lock:
            self.answer(200, self.server.messages)

    def answer(self, status, content):
        content = json.dumps(content).encode()
        self.send_response_only(status)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args):
        """A GET shows the messages, so nothing is logged."""
