"""What Schemathesis must know beyond the description: values of our own formats, and a fresh idempotency key for each call."""

import datetime
import itertools
import uuid

import schemathesis
from hypothesis import strategies as st

# Numbers of the sandbox's country, of which each is a customer of its own.
PHONES = st.integers(min_value=2000000, max_value=9999999).map(lambda number: f"+1555{number}")
LETTERS = st.characters(codec="utf-8", categories=("Lu", "Ll", "Nd"))
WORDS = st.text(alphabet=LETTERS, min_size=1, max_size=12).filter(lambda word: word.isalnum())

schemathesis.openapi.format("e164", PHONES)
schemathesis.openapi.format("email-address", st.integers(0, 999999).map(lambda number: f"reader.{number}@example.com"))
schemathesis.openapi.format("display-text", WORDS.map(lambda word: f"Invoice {word}"))
schemathesis.openapi.format("cursor", st.just(""))
schemathesis.openapi.format("idempotency-key", st.uuids().map(str))


def days_ago(least, most):
    """Draws a day in UTC, so many days ago."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return st.integers(least, most).map(lambda days: (today - datetime.timedelta(days=days)).isoformat())


# Of the days for which statistics are kept, and no more than one call reads.
schemathesis.openapi.format("first-day", days_ago(31, 60))
schemathesis.openapi.format("last-day", days_ago(0, 30))

RUN, COUNT = uuid.uuid4().hex, itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives each call that has a valid key a fresh one. Keys that are drawn repeat, and would replay other calls."""
    key = (case.headers or {}).get("Idempotency-Key")
    if key and 1 <= len(key) <= 255 and key.isascii() and key.isprintable() and key == key.strip():
        case.headers["Idempotency-Key"] = f"{RUN}-{next(COUNT)}"
