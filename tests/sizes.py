"""Prints sizes and start-up times of the Lambda binaries, beside a minimal Rust function.

Start-up is the time from exec to the first poll of the Runtime API. Lambda calls it Init, and adds its own share.
The binaries are started in turn, twenty times each, so that a busy moment affects all of them.
"""

import http.server
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

from deploy.functions import SETTINGS
from steps import DEPLOYED, TARGET

BUILT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", TARGET)) / os.environ.get("CARGO_BUILD_TARGET", "") / DEPLOYED
STARTS = 20


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Records the time of the first poll, and leaves the poll unanswered."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Poll)
        self.polled, self.at = threading.Event(), 0.0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Poll(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/2018-06-01/runtime/invocation/next":
            self.server.at = time.perf_counter()
            self.server.polled.set()
            self.rfile.read(1)

    def do_POST(self):
        """An initialisation error shows in the end of the process."""

    def log_message(self, format, *args):
        """Only the poll matters, so nothing is logged."""


def environment(port):
    return SETTINGS | {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": "sizes",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "TABLE": "assent",
        "PROMPTS_QUEUE_URL": "http://127.0.0.1:1/prompts",
        "AUTHORIZATIONS_QUEUE_URL": "http://127.0.0.1:1/authorizations",
        "WEBHOOKS_QUEUE_URL": "http://127.0.0.1:1/webhooks",
        "PUBLIC_BASE_URL": "https://pay.example.com",
        "SANDBOX": "off",
        "DESK": "off",
        "WEBHOOK_REACH": "public",
    }


def start(binary):
    """Returns the milliseconds from exec to the first poll."""
    api = RuntimeApi()
    begun = time.perf_counter()
    process = subprocess.Popen([binary], env=environment(api.server_address[1]), stdin=subprocess.DEVNULL)
    try:
        if not api.polled.wait(10):
            sys.exit(f"{binary} did not poll the Runtime API")
    finally:
        process.kill()
        process.wait()
        api.shutdown()
        api.server_close()
    return (api.at - begun) * 1000


def main():
    binaries = {"bare lambda_runtime": BUILT / "examples" / "bare"} | {name: BUILT / name for name in sys.argv[1:]}
    times = {name: [] for name in binaries}
    for _ in range(STARTS):
        for name, binary in binaries.items():
            times[name].append(start(binary))
    print(f"{'binary':22} {'size':>9} {'start-up, median':>17} {'slowest':>9}")
    for name, binary in binaries.items():
        size = binary.stat().st_size / 1e6
        print(f"{name:22} {size:6.2f} MB {statistics.median(times[name]):14.1f} ms {max(times[name]):6.1f} ms")


if __name__ == "__main__":
    main()
