//! What AWS End User Messaging tells over SNS: how a message fares, what a customer taps, and what they write back.
//!
//! Nothing here is signed. The topic is this channel's own and only the service may publish to it, which the deployment's
//! own rules see to. Events come more than once, late and in any order.

use std::collections::BTreeMap;

use domain::ports::{
    Callback, CallbackError, CallbackReply, PromptRef, Proof, Received, Sender, UnverifiedCallback,
};
use domain::values::phone::Phone;
use serde::Deserialize;
use serde_json::Value;

use crate::opt_out::{self, Wish};

/// Who tries another way when RCS does not reach a customer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// We do, over the request's next route.
    Ours,
    /// The service does, by a text that it sends for us.
    Theirs,
}

/// How a message fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is on its way, or nobody knows.
    Underway,
    /// It reached the phone.
    Delivered,
    /// It was read.
    Read,
    /// It will not arrive, for a reason of our words.
    Failed(&'static str),
}

/// Every word the service documents for how a message fares, in the types and statuses of events. `TEXT_` and `RCS_`
/// before a type are left out. The guide and the list of types have different words for a life that ended, and both are
/// known here, as nobody says which of them is sent [O, in conflict].
pub(crate) const FATES: &[(&str, Fate)] = &[
    ("BLOCKED", Fate::Failed("blocked")),
    ("CARRIER_BLOCKED", Fate::Failed("filtered")),
    ("CARRIER_UNREACHABLE", Fate::Failed("unreachable")),
    ("DELIVERED", Fate::Delivered),
    ("FAILED", Fate::Failed("undelivered")),
    ("FALLEN_BACK_TO_SMS", Fate::Failed("not_on_channel")),
    ("INVALID", Fate::Failed("not_a_mobile")),
    ("INVALID_MESSAGE", Fate::Failed("rejected")),
    ("PENDING", Fate::Underway),
    ("PROTECT_BLOCKED", Fate::Failed("blocked")),
    ("QUEUED", Fate::Underway),
    ("READ", Fate::Read),
    ("REJECTED", Fate::Failed("rejected")),
    ("SENT", Fate::Underway),
    ("SPAM", Fate::Failed("filtered")),
    // The carrier took it. In some countries that is all one ever hears, and there it may stand for "delivered" too;
    // whoever counts on it would take a phone that is off for one that has the text.
    ("SUCCESSFUL", Fate::Underway),
    ("TTL_EXPIRATION_REVOKED", Fate::Failed("expired")),
    // It could not be taken back, and may arrive yet.
    ("TTL_EXPIRATION_REVOKE_FAILED", Fate::Underway),
    ("TTL_EXPIRED", Fate::Failed("expired")),
    ("UNDELIVERABLE", Fate::Failed("not_on_channel")),
    // "Cannot be delivered for another reason", or no word of a carrier for 72 hours, when nobody waits any more.
    ("UNKNOWN", Fate::Failed("undelivered")),
    ("UNREACHABLE", Fate::Failed("unreachable")),
];

/// What may be published to the topic.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Status(Status),
    Inbound(Inbound),
}

/// An event of a configuration set.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    event_type: String,
    #[serde(default)]
    message_status: Option<String>,
    // The guide shows it for texts; that RCS brings it back too follows from the API alone [O].
    #[serde(default)]
    context: Option<BTreeMap<String, Value>>,
}

/// Something a customer did.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inbound {
    origination_number: String,
    message_body: String,
    #[serde(default)]
    message_keyword: Option<String>,
}

/// What RCS puts into a message's body in place of a text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Act {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    postback_data: Option<String>,
}

/// Reads what a topic told. What did not come over a topic is not believed.
pub(crate) fn receive(
    callback: &UnverifiedCallback,
    fallback: Fallback,
) -> Result<Received, CallbackError> {
    match callback.proof {
        Proof::None => return Err(CallbackError::Forged),
        Proof::Topic => {}
    }
    let told = serde_json::from_slice(&callback.body).or(Err(CallbackError::Malformed))?;
    let callback = match told {
        Told::Status(status) => progress(&status, fallback),
        Told::Inbound(inbound) => inbound.read(),
    };
    let reply = CallbackReply { status: 200, content_type: "text/plain", body: String::new() };
    Ok(Received { callbacks: callback.into_iter().collect(), reply, refusal: None })
}

/// How a message fares, where it is one of ours and there is something to say.
fn progress(status: &Status, fallback: Fallback) -> Option<Callback> {
    let reference = status.context.as_ref()?.get("ref").and_then(Value::as_str);
    // Others may send with the same configuration set, and mean something else by `ref`.
    let about = reference?.parse::<PromptRef>().ok()?.into();
    match fate(status) {
        Fate::Underway => None,
        Fate::Delivered => Some(Callback::Delivered(about)),
        Fate::Read => Some(Callback::Read(about)),
        // The service's own text is on its way, and has events of its own.
        Fate::Failed(_) if fallback == Fallback::Theirs && !status.of_a_text() => None,
        Fate::Failed(reason) => Some(Callback::Failed(about, reason)),
    }
}

impl Status {
    fn of_a_text(&self) -> bool {
        self.event_type.starts_with("TEXT_")
    }

    /// The type without what it is about.
    fn word(&self) -> &str {
        let known = ["RCS_", "TEXT_"].iter().find_map(|about| self.event_type.strip_prefix(about));
        known.unwrap_or(&self.event_type)
    }
}

/// The type says it, but for `RCS_DELIVERED`, which the guide also shows for what is pending or cannot be delivered:
/// there the status does.
fn fate(status: &Status) -> Fate {
    let by_type = known(status.word());
    let by_status = || status.message_status.as_deref().and_then(known);
    let fate = match by_type {
        Some(Fate::Delivered) => by_status().or(by_type),
        Some(Fate::Underway | Fate::Read | Fate::Failed(_)) => by_type,
        None => by_status(),
    };
    fate.unwrap_or(Fate::Underway)
}

fn known(word: &str) -> Option<Fate> {
    FATES.iter().find(|(known, _)| *known == word).map(|(_, fate)| *fate)
}

impl Inbound {
    /// What the customer did, where it came from a phone and not from a short code or a name.
    fn read(self) -> Option<Callback> {
        let from = sender(&self.origination_number)?;
        // A customer can type such a text too. What it carries is only believed with our own proof in it.
        let act = serde_json::from_str::<Act>(&self.message_body).ok();
        match act.map(|act| (act.kind, act.postback_data)) {
            Some((kind, Some(postback))) if kind == "SUGGESTION" => {
                Some(Callback::Tapped { postback, from })
            }
            Some((kind, _)) if matches!(kind.as_str(), "RCS_TYPING" | "CONVERSATION_STARTED") => {
                None
            }
            // The guide names these two and does not show them [O, in part].
            Some((kind, _)) if kind == "UNSUBSCRIBE" => Some(Callback::Stop(from)),
            Some((kind, _)) if kind == "SUBSCRIBE" => Some(Callback::Start(from)),
            Some(_) | None => Some(self.wrote(from)),
        }
    }

    fn wrote(self, from: Sender) -> Callback {
        let by_keyword = || self.message_keyword.as_deref().and_then(opt_out::wish);
        match opt_out::wish(&self.message_body).or_else(by_keyword) {
            Some(Wish::Stop) => Callback::Stop(from),
            Some(Wish::Start) => Callback::Start(from),
            None => Callback::Wrote { from, text: self.message_body, intent: None, at: None },
        }
    }
}

/// RCS leaves out the `+` of a number.
fn sender(number: &str) -> Option<Sender> {
    let phone = number.parse::<Phone>().or_else(|_| format!("+{number}").parse());
    phone.ok().map(Sender::from)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bytes::Bytes;
    use domain::postback::Action;
    use http::{HeaderMap, Method};
    use serde_json::json;

    use super::*;
    use crate::doubles::{NOW, PHONE, fixtures, postback, reference};

    fn told(body: impl Into<Bytes>, fallback: Fallback) -> Result<Vec<Callback>, CallbackError> {
        let callback = UnverifiedCallback {
            method: Method::POST,
            url: String::new(),
            headers: HeaderMap::new(),
            body: body.into(),
            now: NOW,
            proof: Proof::Topic,
        };
        receive(&callback, fallback).map(|received| {
            assert_eq!((received.reply.status, received.refusal), (200, None));
            received.callbacks
        })
    }

    /// What was told, in the words of the fixtures.
    fn words(callbacks: &[Callback]) -> String {
        let from = |sender: &Sender| {
            assert_eq!(sender.phone.as_ref().map(Phone::as_str), Some(PHONE));
            assert_eq!((sender.handle.as_ref(), sender.features.len()), (None, 0));
        };
        let about = |about| assert_eq!(about, reference().into());
        let word = |callback: &Callback| match callback.clone() {
            Callback::Delivered(whom) => {
                about(whom);
                "delivered".to_owned()
            }
            Callback::Read(whom) => {
                about(whom);
                "read".to_owned()
            }
            Callback::Failed(whom, reason) => {
                about(whom);
                format!("failed {reason}")
            }
            Callback::Tapped { postback, from: whom } => {
                from(&whom);
                format!("tapped {postback}")
            }
            Callback::Paid { .. } => "paid".to_owned(),
            Callback::Stop(whom) => {
                from(&whom);
                "stop".to_owned()
            }
            Callback::Start(whom) => {
                from(&whom);
                "start".to_owned()
            }
            Callback::Wrote { from: whom, text, intent, at } => {
                from(&whom);
                assert_eq!((intent, at), (None, None));
                format!("wrote {text}")
            }
        };
        callbacks.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn each_recorded_event_means_what_its_fixture_says() {
        for folder in ["rcs/fixtures/aws-events", "sms/fixtures/aws-events"] {
            for (name, fixture) in fixtures(folder) {
                let text = fixture["message"].to_string();
                let means = &fixture["means"];
                let text = text.replace("{ref}", &reference().to_string());
                let text = text.replace("{approve}", &postback(Action::Approve));
                let means =
                    means.as_str().unwrap().replace("{approve}", &postback(Action::Approve));
                assert_eq!(words(&told(text, Fallback::Ours).unwrap()), means, "{folder} {name}");
            }
        }
    }

    fn event(kind: &str, status: Option<&str>) -> String {
        let context = json!({ "ref": reference().to_string() });
        json!({ "eventType": kind, "messageStatus": status, "context": context }).to_string()
    }

    #[test]
    fn every_word_is_read_as_a_type_and_as_a_status() {
        let words: BTreeSet<&str> = FATES.iter().map(|(word, _)| *word).collect();
        assert_eq!(words.len(), FATES.len());
        for (word, fate) in FATES {
            let expected = match fate {
                Fate::Underway => vec![],
                Fate::Delivered => vec![Callback::Delivered(reference().into())],
                Fate::Read => vec![Callback::Read(reference().into())],
                Fate::Failed(reason) => vec![Callback::Failed(reference().into(), reason)],
            };
            for about in ["", "RCS_", "TEXT_"] {
                let by_type = event(&format!("{about}{word}"), None);
                assert_eq!(told(by_type, Fallback::Ours).unwrap(), expected, "{about}{word}");
            }
            let by_status = event("RCS_DELIVERED", Some(word));
            assert_eq!(told(by_status, Fallback::Ours).unwrap(), expected, "{word}");
            let by_status = event("RCS_SOMETHING_NEW", Some(word));
            assert_eq!(told(by_status, Fallback::Ours).unwrap(), expected, "{word}");
        }
        assert_eq!(told(event("RCS_SOMETHING_NEW", None), Fallback::Ours), Ok(vec![]));
        let delivered = vec![Callback::Delivered(reference().into())];
        assert_eq!(told(event("RCS_DELIVERED", Some("NEW")), Fallback::Ours), Ok(delivered));
    }

    #[test]
    fn what_the_service_sends_as_a_text_has_not_failed_until_the_text_has() {
        for word in ["RCS_FAILED", "RCS_TTL_EXPIRED", "RCS_FALLEN_BACK_TO_SMS"] {
            assert_eq!(told(event(word, None), Fallback::Theirs), Ok(vec![]), "{word}");
        }
        let failed = vec![Callback::Failed(reference().into(), "unreachable")];
        assert_eq!(told(event("TEXT_UNREACHABLE", None), Fallback::Theirs), Ok(failed));
        let read = vec![Callback::Read(reference().into())];
        assert_eq!(told(event("RCS_READ", None), Fallback::Theirs), Ok(read));
    }

    #[test]
    fn an_event_about_somebody_elses_message_says_nothing() {
        for context in [json!(null), json!({}), json!({ "ref": "theirs" }), json!({ "ref": 7 })] {
            let text = json!({ "eventType": "TEXT_DELIVERED", "context": context }).to_string();
            assert_eq!(told(text, Fallback::Ours), Ok(vec![]));
        }
    }

    #[test]
    fn what_came_over_no_topic_is_forged_and_what_is_no_event_is_malformed() {
        let forged = UnverifiedCallback {
            method: Method::POST,
            url: String::new(),
            headers: HeaderMap::new(),
            body: event("RCS_READ", None).into(),
            now: NOW,
            proof: Proof::None,
        };
        assert_eq!(receive(&forged, Fallback::Ours), Err(CallbackError::Forged));
        let deep = "[".repeat(100_000);
        for bad in ["", "yes", "null", "[]", "{}", "{\"messageBody\":\"STOP\"}", &deep] {
            let error = told(bad.to_owned(), Fallback::Ours);
            assert_eq!(error, Err(CallbackError::Malformed), "{bad:.40}");
        }
    }

    #[test]
    fn a_short_code_and_a_name_are_nobody() {
        for number in ["12345", "ACME", "", "+0123456789", "++15551230001"] {
            let text = json!({ "originationNumber": number, "messageBody": "STOP" }).to_string();
            assert_eq!(told(text, Fallback::Ours), Ok(vec![]), "{number}");
        }
    }
}
