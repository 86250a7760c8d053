#!/usr/bin/env python3
"""Checks the evidence of a request: the export of `GET /v1/requests/{id}/record`, on standard input.

    curl -s -H "Authorization: Bearer $KEY" $API/v1/requests/$ID/record | python3 tests/verify_record.py

It shares no code with the program, and needs nothing but Python 3.10. It prints one line for each entry of the journal, then
`whole`, or `BROKEN` with the reason and exit code 1.

A hash is SHA-256, in lower-case hexadecimal, over the UTF-8 bytes of `text`. Each entry carries the hash of the entry before it.

A customer may have been erased. An entry with the member `erased` has lost the members that it lists. It says the hash that it had
before, and the next entry still carries that hash. So its place and time are proven, and its content is not. The text of the ask
is then missing, and only its hash is left. The script says what was erased.
"""
import hashlib
import json
import sys


def digest(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def hash_of(event):
    """Returns the hash of an entry: of its text, or the one that it had before it was erased."""
    erased = json.loads(event["text"]).get("erased")
    return erased["hash"] if erased else digest(event["text"])


def faults(export):
    """Yields what is wrong with an export."""
    ask, head = export["ask"], ""
    if "text" in ask and digest(ask["text"]) != ask["hash"]:
        yield "the hash of the ask is not that of its text"
    if "text" not in ask and "erased_at" not in ask:
        yield "the ask has neither a text nor the time of its erasure"
    events = export["events"]
    if not events:
        yield "there is no entry"
    for place, event in enumerate(events, 1):
        entry = json.loads(event["text"])
        if hash_of(event) != event["hash"]:
            yield f"entry {place}: the hash is not that of the text"
        if entry["seq"] != place:
            yield f"entry {place}: it says that it is entry {entry['seq']}"
        if entry["previous"] != head:
            yield f"entry {place}: it does not follow the entry before it"
        consent = entry["what"].get("consent")
        if consent and consent["ask_hash"] != ask["hash"]:
            yield f"entry {place}: the consent is to another ask"
        head = hash_of(event)
    if export["head"] != head:
        yield "the chain ends elsewhere"


def main():
    export = json.load(sys.stdin)
    for event in export["events"]:
        entry = json.loads(event["text"])
        print(entry["seq"], entry["at"], entry["what"]["kind"], event["hash"])
        if "erased" in entry:
            print("  erased, so not proven:", ", ".join(entry["erased"]["members"]))
    if "erased_at" in export["ask"]:
        print("erased: the text of the ask, at", export["ask"]["erased_at"])
    found = list(faults(export))
    for fault in found:
        print("BROKEN:", fault)
    if not found:
        print("whole")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
