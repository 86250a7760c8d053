//! The kinds of text there are, and which of them an item or a message is. A new one does not compile until it is here.

use domain::event::{Became, Event, What};
use domain::message::{Message, Step};
use domain::notice::Notice;
use domain::outcome::Outcome;
use domain::ports::Item;
use domain::request::{NoticeKind, Request, State};
use domain::storage::unbody;

/// A list of words and the function that picks one of them.
macro_rules! words {
    ($name:ident $list:ident of $type:ty { $($pattern:pat => $word:literal,)* }) => {
        const $list: &[&str] = &[$($word),*];

        fn $name(of: &$type) -> &'static str {
            match of {
                $($pattern => $word,)*
            }
        }
    };
}

words!(state STATES of State {
    State::Pending => "pending",
    State::Prompted => "prompted",
    State::Authorized { .. } => "authorized",
    State::Processing { .. } => "processing",
    State::Closed { outcome: Outcome::Fulfilled { .. }, .. } => "fulfilled",
    State::Closed { outcome: Outcome::Declined { .. }, .. } => "declined",
    State::Closed { outcome: Outcome::Expired, .. } => "expired",
    State::Closed { outcome: Outcome::Cancelled, .. } => "cancelled",
    State::Closed { outcome: Outcome::Undeliverable { .. }, .. } => "undeliverable",
    State::Closed { outcome: Outcome::Failed { .. }, .. } => "failed",
});

words!(what WHATS of What {
    What::Accepted => "accepted",
    What::Sending { .. } => "sending",
    What::Prompt { became: Became::Accepted, .. } => "prompt-accepted",
    What::Prompt { became: Became::Unknown, .. } => "prompt-unknown",
    What::Prompt { became: Became::Delivered, .. } => "prompt-delivered",
    What::Prompt { became: Became::Read, .. } => "prompt-read",
    What::Prompt { became: Became::Opened, .. } => "prompt-opened",
    What::Prompt { became: Became::Failed { .. }, .. } => "prompt-failed",
    What::Prompt { became: Became::Superseded { .. }, .. } => "prompt-superseded",
    What::Granted { .. } => "granted",
    What::Declined { .. } => "declined",
    What::Leased { .. } => "leased",
    What::Prepared { .. } => "prepared",
    What::Started { .. } => "started",
    What::InDoubt { .. } => "in-doubt",
    What::Released { .. } => "released",
    What::Refused { .. } => "refused",
    What::Fulfilled { .. } => "fulfilled",
    What::Failed { .. } => "failed",
    What::Expired => "expired",
    What::Cancelled => "cancelled",
    What::Undeliverable { .. } => "undeliverable",
    What::Extended { .. } => "extended",
    What::Requeued { .. } => "requeued",
    What::Resent { .. } => "resent",
    What::SentOn { .. } => "sent-on",
    What::Returned { .. } => "returned",
    What::Exchanged { .. } => "exchanged",
    What::Recalled { .. } => "recalled",
    What::Told { .. } => "told",
    What::RefundAsked { .. } => "refund-asked",
    What::RefundStarted { .. } => "refund-started",
    What::RefundReleased { .. } => "refund-released",
    What::RefundTold { .. } => "refund-told",
    What::Refunded { .. } => "refunded",
    What::RefundFailed { .. } => "refund-failed",
});

words!(notice NOTICES of NoticeKind {
    NoticeKind::Prompted => "prompted",
    NoticeKind::Delivered => "delivered",
    NoticeKind::Read => "read",
    NoticeKind::Opened => "opened",
    NoticeKind::Authorized => "authorized",
    NoticeKind::Fulfilled => "fulfilled",
    NoticeKind::Declined => "declined",
    NoticeKind::Expired => "expired",
    NoticeKind::Cancelled => "cancelled",
    NoticeKind::Undeliverable => "undeliverable",
    NoticeKind::Failed => "failed",
    NoticeKind::Refunded => "refunded",
    NoticeKind::RefundFailed => "refund-failed",
});

words!(step STEPS of Step {
    Step::Deliver => "deliver",
    Step::Check => "check",
    Step::Fetch => "fetch",
    Step::Refund { .. } => "refund",
    Step::Notice { .. } => "notice",
});

/// Items of which there is one kind each, by the first part of their key.
const OTHERS: &[&str] = &[
    "addr", "breaker", "cap", "card", "contact", "device", "endpoint", "facts", "handle", "idem",
    "limit", "link", "phone", "sandbox", "stop",
];

/// Requests that have more about them than others in their state.
const FULLER: &[&str] = &["req-refunded", "req-refunding", "req-returned", "req-sent-on"];

/// The names of all golden files there must be.
pub(super) fn all() -> Vec<String> {
    let named = |prefix: &str, words: &[&str]| -> Vec<String> {
        words.iter().map(|word| format!("{prefix}-{word}")).collect()
    };
    let mut all = named("req", STATES);
    all.extend(named("evt", WHATS));
    all.extend(named("ntc", NOTICES));
    all.extend(named("message", STEPS));
    all.extend(FULLER.iter().map(|fuller| (*fuller).to_owned()));
    all.extend(OTHERS.iter().map(|other| (*other).to_owned()));
    all
}

/// The name of the golden file for such an item.
pub(super) fn of_item(item: &Item) -> String {
    let prefix = item.key.pk.split('#').next().unwrap_or_default().to_lowercase();
    match item.key.sk.split('#').next().unwrap_or_default() {
        "REQ" if prefix == "req" => {
            let request: Request = unbody(&item.body).unwrap();
            let away = request.open_attempt().and_then(|attempt| attempt.onward.as_ref());
            match away {
                _ if request.open_refunds().count() > 0 => "req-refunding".to_owned(),
                _ if !request.refunds.is_empty() => "req-refunded".to_owned(),
                Some(away) if away.returned_at.is_some() => "req-returned".to_owned(),
                Some(_) => "req-sent-on".to_owned(),
                None => format!("req-{}", state(&request.state)),
            }
        }
        "FACTS" => "facts".to_owned(),
        "EVT" => format!("evt-{}", what(&unbody::<Event>(&item.body).unwrap().what)),
        "NTC" => format!("ntc-{}", notice(&unbody::<Notice>(&item.body).unwrap().kind)),
        _ => prefix,
    }
}

/// The name of the golden file for such a message.
pub(super) fn of_message(message: &Message) -> String {
    format!("message-{}", step(&message.parts().0))
}
