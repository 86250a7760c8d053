//! The tools as a client lists them: flat schemas, without a choice of shapes.

use domain::api_key::{KeySettings, Right};
use domain::ask::{AskKind, CLAIMS};
use serde_json::{Map, Value, json};

/// The tools in the order of the list, each with its right and the kind of its ask.
const TOOLS: [(&str, Right, Option<AskKind>); 8] = [
    ("check_reach", Right::Capability, None),
    ("request_payment", Right::Request, Some(AskKind::Payment)),
    ("request_card", Right::Request, Some(AskKind::PaymentMethod)),
    ("request_claims", Right::Request, Some(AskKind::Identity)),
    ("wait_for_outcome", Right::Read, None),
    ("read_request", Right::Read, None),
    ("cancel_request", Right::Request, None),
    ("resend_request", Right::Request, None),
];

/// Returns the tools that a key may use.
pub(super) fn tools(key: &KeySettings) -> Vec<Value> {
    let may = |right: Right, kind: Option<AskKind>| {
        let asks = |kind| key.asks.as_ref().is_none_or(|asks| asks.contains(&kind));
        // What asks also reads the request, so that its id is never lost.
        let reads = kind.is_none() || key.has(Right::Read);
        key.has(right) && reads && kind.is_none_or(asks)
    };
    let tools = TOOLS.into_iter().filter(|(_, right, kind)| may(*right, *kind));
    tools.map(|(name, ..)| tool(name)).collect()
}

fn tool(name: &str) -> Value {
    let (title, description) = texts(name);
    let is_read = matches!(name, "check_reach" | "wait_for_outcome" | "read_request");
    let output = if name == "check_reach" { reach_output() } else { request_output() };
    json!({
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": input(name),
        "outputSchema": output,
        "annotations": {
            "title": title,
            "readOnlyHint": is_read,
            "destructiveHint": name == "cancel_request",
            "idempotentHint": name != "resend_request",
            "openWorldHint": !is_read,
        },
    })
}

const fn texts(name: &str) -> (&'static str, &'static str) {
    match name.as_bytes() {
        b"check_reach" => (
            "Check reach",
            "Says whether a customer can be reached on the phone now. It sends nothing.",
        ),
        b"request_payment" => (
            "Request a payment",
            "Asks the customer on their phone to pay. The customer sees the payee, the amount and your description, and \
            approves or denies. It answers at once with a request_id, which counts until the request is deleted, and with \
            the session_code to read out. A repeat with the same call_id asks nothing again.",
        ),
        b"request_card" => (
            "Request a saved card",
            "Asks the customer on their phone to save a card for later payments. It charges nothing. It answers at once \
            with a request_id. A repeat with the same call_id asks nothing again.",
        ),
        b"request_claims" => (
            "Request identity claims",
            "Asks the customer on their phone to confirm claims about themself at their identity provider. The business \
            gets the claims; you learn only whether the customer shared them. A repeat with the same call_id asks nothing \
            again.",
        ),
        b"wait_for_outcome" => (
            "Wait for the outcome",
            "Waits some seconds until the request changes, and answers with its state. Call it again until over is true.",
        ),
        b"read_request" => {
            ("Read a request", "Answers with the state of a request, without a wait.")
        }
        b"cancel_request" => (
            "Cancel a request",
            "Takes a request back. A request that the customer approved already goes on.",
        ),
        _ => (
            "Send a request again",
            "Sends the message to the customer's phone again, for a customer who did not get it.",
        ),
    }
}

fn input(name: &str) -> Value {
    let id = ("request_id", text("The request_id of an earlier answer."));
    match name {
        "check_reach" => {
            let fields = [phone(), email(), amount(), currency()];
            schema(fields.into(), &["phone"])
        }
        "request_payment" => asks(vec![amount(), currency()], &["amount", "currency"]),
        "request_card" => asks(Vec::new(), &[]),
        "request_claims" => asks(vec![claims()], &["claims"]),
        "wait_for_outcome" => {
            let seconds = json!({ "type": "integer", "minimum": 1, "maximum": 20,
                "description": "The most seconds to wait; 4 without it." });
            let after = text("The version of the last answer, so that no change is missed.");
            let fields = vec![id, ("max_seconds", seconds), ("after_version", after)];
            schema(fields, &["request_id"])
        }
        "resend_request" => {
            let channel = text("The channel to use; the next one without it.");
            schema(vec![id, ("channel", channel)], &["request_id"])
        }
        _ => schema(vec![id], &["request_id"]),
    }
}

type Field = (&'static str, Value);

/// The schema of a tool that asks.
fn asks(own: Vec<Field>, required: &[&str]) -> Value {
    let kinds = json!({ "type": "string", "enum": ["voice", "ivr", "chat", "in_person"],
        "description": "The kind of conversation; voice without it." });
    let expires = json!({ "type": "integer", "minimum": 60, "maximum": 86_400,
        "description": "The seconds until the request expires; the business's default without it." });
    let mut fields = vec![phone(), email()];
    fields.extend(own);
    fields.extend([
        ("description", text("What it is for, in a few words. The customer reads it as your words, in quotation marks.")),
        ("session_id", text("The id of this conversation, the same for all its asks. Printable ASCII without spaces.")),
        ("call_id", text("An id of your own for this ask. The same id asks once within a day.")),
        ("session_kind", kinds),
        ("retry_of", text("After a denial only, when the customer asks for it themself: the request_id that was denied.")),
        ("language", text("The customer's language, such as en-GB.")),
        ("expires_in", expires),
        ("channel", text("The channel to use; the best one without it.")),
    ]);
    let common = ["phone", "description", "session_id"];
    schema(fields, &[&common, required].concat())
}

fn phone() -> Field {
    ("phone", text("The customer's mobile number with its country code, such as +447700900123."))
}

fn email() -> Field {
    (
        "email",
        text("The customer's e-mail address, where they gave it. Mail is a last route to them."),
    )
}

fn amount() -> Field {
    let amount = json!({ "type": "integer", "minimum": 1,
        "description": "The amount in the currency's minor unit, such as 4250 for 42.50 EUR." });
    ("amount", amount)
}

fn currency() -> Field {
    ("currency", text("The currency, such as EUR (ISO 4217)."))
}

fn claims() -> Field {
    let claims = json!({ "type": "array", "minItems": 1, "uniqueItems": true,
        "items": { "type": "string", "enum": CLAIMS }, "description": "The claims to ask for." });
    ("claims", claims)
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": description })
}

fn schema(fields: Vec<Field>, required: &[&str]) -> Value {
    let fields = fields.into_iter().map(|(name, schema)| (name.to_owned(), schema));
    json!({
        "type": "object",
        "properties": fields.collect::<Map<String, Value>>(),
        "required": required,
        "additionalProperties": false,
    })
}

fn request_output() -> Value {
    let said = |description: &str| json!({ "type": "string", "description": description });
    let over = json!({ "type": "boolean", "description": "Whether the state is final." });
    output(&[
        ("request_id", said("The id for later calls.")),
        (
            "state",
            said(
                "pending, prompted, authorized, processing, fulfilled, denied, expired, cancelled, undeliverable or failed.",
            ),
        ),
        ("over", over),
        ("version", said("The version of the request.")),
        ("say", said("One sentence to speak to the customer.")),
        ("say_language", said("The language of that sentence.")),
        ("session_code", said("The digits to read out; empty where none are wanted.")),
        ("reason", said("The code of the reason; empty without one.")),
        ("transaction_code", said("The code of a fulfilled request.")),
        ("last4", said("The last four digits of the card.")),
        ("advice", said("What to do next.")),
    ])
}

fn reach_output() -> Value {
    let flag = |description: &str| json!({ "type": "boolean", "description": description });
    let channels = json!({ "type": "array", "items": { "type": "string" },
        "description": "The channels that reach the customer, best first." });
    output(&[
        ("reachable", flag("Whether a message can reach the customer.")),
        ("rich", flag("Whether the message has buttons.")),
        ("opted_out", flag("Whether the customer wants no messages of this business.")),
        ("channels", channels),
    ])
}

/// An output of which every field is always there. Clients must take more, so that it stays open.
fn output(fields: &[Field]) -> Value {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let fields = fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone()));
    json!({ "type": "object", "properties": fields.collect::<Map<_, _>>(), "required": names })
}
