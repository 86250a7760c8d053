"""Pays one request with the generated client, verifies its webhook, and pages through a list."""

import json
import os
import pathlib
import time
import urllib.request

from assent_client import AuthenticatedClient
from assent_client.api.requests import create_request, list_requests, read_request
from assent_client.models import (
    CreateRequest,
    Currency,
    Customer,
    Outcome,
    PaymentAsk,
    PaymentReceipt,
    Problem,
    Request,
    RequestPage,
    Session,
    SessionKind,
    WebhookEvent,
)
from assent_client.types import UNSET, Unset
from standardwebhooks import Webhook, WebhookVerificationError

API, KEY, PHONE = (os.environ[name] for name in ("API", "KEY", "PHONE"))
# Where there is no file of events, no webhook is expected.
SECRET, EVENTS = (os.environ.get(name, "") for name in ("SECRET", "EVENTS"))
# Links begin with the deployment's public address, which a test may reach by another one.
LINKS = os.environ.get("LINKS", API)
client = AuthenticatedClient(base_url=API, token=KEY)


def ask(call: int) -> Request:
    body = CreateRequest(
        customer=Customer(phone=PHONE, name="Ada Byron", language="en-GB"),
        session=Session(kind=SessionKind.VOICE, id="python"),
        ask=PaymentAsk(kind="payment", amount=4250, currency=Currency.EUR, description="Invoice 4711"),
        allow_duplicate=True,
    )
    asked = create_request.sync(client=client, body=body, idempotency_key=f"python-{call}")
    assert isinstance(asked, Request), asked
    return asked


def tap(request: Request) -> None:
    """Taps as the customer. The phone is no part of the API."""
    messages, headers = f"{API}/sandbox/phones/{PHONE}/messages", {"Authorization": f"Bearer {KEY}"}
    for _ in range(600):
        with urllib.request.urlopen(urllib.request.Request(messages, headers=headers)) as answer:
            found = [one for one in json.load(answer)["messages"] if one["request"] == request.id]
        if found:
            assert found[0]["link"].startswith(f"{LINKS}/c/"), found
            body = json.dumps({"action": "approve", "session_code": request.session_code}).encode()
            headers |= {"Content-Type": "application/json"}
            tapped = urllib.request.Request(f"{messages}/{found[0]['id']}/tap", body, headers)
            urllib.request.urlopen(tapped).close()
            return
        time.sleep(0.1)
    raise AssertionError("the prompt did not come")


def end(request_id: str) -> Outcome:
    after = 0
    for _ in range(100):
        request = read_request.sync(request_id, client=client, wait=5, after=after)
        assert isinstance(request, Request), request
        if isinstance(request.outcome, Outcome):
            return request.outcome
        after = request.version
    raise AssertionError("the request did not end")


def verified(request_id: str) -> WebhookEvent:
    """Waits for the event of the payment, and verifies its signature over the raw body."""
    for _ in range(300):
        for line in pathlib.Path(EVENTS).read_text().splitlines():
            told = json.loads(line)
            event = WebhookEvent.from_dict(Webhook(SECRET).verify(told["body"], told["headers"]))
            if event.type_ == "request.fulfilled" and event.data.id == request_id:
                try:
                    Webhook(SECRET).verify(told["body"].replace("4250", "1"), told["headers"])
                except WebhookVerificationError:
                    return event
                raise AssertionError("a changed event was accepted")
        time.sleep(0.1)
    raise AssertionError("the event did not come")


asked = ask(1)
tap(asked)
outcome = end(asked.id)
assert isinstance(outcome.payment, PaymentReceipt), outcome
assert outcome.payment.amount == 4250, outcome
if EVENTS:
    event = verified(asked.id)
    assert isinstance(event.data.outcome, Outcome), event
    assert event.data.outcome.transaction_code == outcome.transaction_code
ask(2)
ask(3)
listed: list[str] = []
cursor: str | Unset = UNSET
while True:
    page = list_requests.sync(client=client, session="python", limit=2, cursor=cursor)
    assert isinstance(page, RequestPage), page
    listed += [request.id for request in page.requests]
    if page.next_cursor is None:
        break
    cursor = page.next_cursor
assert len(listed) == len(set(listed)) == 3, listed
assert listed[-1] == asked.id, listed
missing = read_request.sync("req_01M844DZG03XCBJ52V4K8GHNXC", client=client)
assert isinstance(missing, Problem), missing
assert missing.code == "not-found", missing
print(f"python: paid {outcome.transaction_code}, listed {len(listed)}")
