"""Splits a brand's secret into its documents, as functions/brand-secret.md describes them."""

import json

# The keys of each document, and the secret settings that go into it.
KEYS = {
    "channels": ["link_key"],
    "claims": ["claims"],
    "consent": ["consent", "link_key", "sealing_public"],
    "processors": ["sealing"],
}
SETTINGS = {"auth_token": "channels", "client_secret": "processors", "secret_key": "processors", "secrets": "processors"}


def split(brand):
    """Returns the documents of a brand: each function reads only what it needs (functions/brand-secret.md)."""
    head = {"version": brand["version"], "name": brand["name"]}
    documents = {name: head | {key: brand[key] for key in keys} for name, keys in KEYS.items()}
    shared = {key: value for key, value in brand.items() if not any(key in keys for keys in KEYS.values())}
    documents["brand"] = json.loads(json.dumps(shared))
    for mode in ("test", "live"):
        setup = documents["brand"].get(mode, {})
        for section in ("channels", "processors"):
            for entry in setup.get(section, []):
                withhold(documents, [mode, section, entry["name"]], entry.get("settings", {}))
        withhold(documents, [mode, "webhooks"], setup.get("webhooks") or {})
    return documents


def withhold(documents, path, settings):
    """Moves the secret settings into their document, and refers to it."""
    for name, document in SETTINGS.items():
        if name in settings:
            place = documents[document]
            for part in path:
                place = place.setdefault(part, {})
            place[name] = settings[name]
            settings[name] = {"in": document}
