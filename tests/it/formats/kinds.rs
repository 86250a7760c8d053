//! The kinds of stored and queued text. A new kind does not compile until it is listed here.

use domain::journal::{DeliveryStatus, EntryKind, JournalEntry};
use domain::message::{Message, Step, Task};
use domain::outcome::Outcome;
use domain::request::{Request, State, WebhookEventType};
use domain::webhook::WebhookEvent;
use ports::Item;
use records::handles::StoredHandle;
use records::opt_outs::OptOut;
use records::request_lists::ListedFacts;
use records::storage::decode;

/// A list of kinds and the function that picks one of them.
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
    State::Closed { outcome: Outcome::Denied { .. }, .. } => "denied",
    State::Closed { outcome: Outcome::Expired, .. } => "expired",
    State::Closed { outcome: Outcome::Cancelled, .. } => "cancelled",
    State::Closed { outcome: Outcome::Undeliverable { .. }, .. } => "undeliverable",
    State::Closed { outcome: Outcome::Failed { .. }, .. } => "failed",
});

words!(what WHATS of EntryKind {
    EntryKind::Accepted => "accepted",
    EntryKind::Sending { .. } => "sending",
    EntryKind::Prompt { delivery_status: DeliveryStatus::Accepted, .. } => "prompt-accepted",
    EntryKind::Prompt { delivery_status: DeliveryStatus::Unknown, .. } => "prompt-unknown",
    EntryKind::Prompt { delivery_status: DeliveryStatus::Delivered, .. } => "prompt-delivered",
    EntryKind::Prompt { delivery_status: DeliveryStatus::Read, .. } => "prompt-read",
    EntryKind::Prompt { delivery_status: DeliveryStatus::Opened, .. } => "prompt-opened",
    EntryKind::Prompt { delivery_status: DeliveryStatus::Failed { .. }, .. } => "prompt-failed",
    EntryKind::Prompt { delivery_status: DeliveryStatus::Superseded { .. }, .. } => "prompt-superseded",
    EntryKind::Approved { .. } => "approved",
    EntryKind::Denied { .. } => "denied",
    EntryKind::Leased { .. } => "leased",
    EntryKind::Created { .. } => "created",
    EntryKind::Started { .. } => "started",
    EntryKind::InDoubt { .. } => "in-doubt",
    EntryKind::Released { .. } => "released",
    EntryKind::AttemptFailed { .. } => "attempt-failed",
    EntryKind::Fulfilled { .. } => "fulfilled",
    EntryKind::Failed { .. } => "failed",
    EntryKind::Expired => "expired",
    EntryKind::Cancelled => "cancelled",
    EntryKind::Undeliverable { .. } => "undeliverable",
    EntryKind::Extended { .. } => "extended",
    EntryKind::Requeued { .. } => "requeued",
    EntryKind::Resent { .. } => "resent",
    EntryKind::Erased => "erased",
    EntryKind::SpentTap { .. } => "spent-tap",
    EntryKind::NotMeReported { .. } => "not-me-reported",
    EntryKind::Message { .. } => "message",
    EntryKind::Redirected { .. } => "redirected",
    EntryKind::Returned { .. } => "returned",
    EntryKind::Exchanged { .. } => "exchanged",
    EntryKind::RedirectCancelled { .. } => "redirect-cancelled",
    EntryKind::AttemptReported { .. } => "attempt-reported",
    EntryKind::RefundAsked { .. } => "refund-asked",
    EntryKind::RefundStarted { .. } => "refund-started",
    EntryKind::RefundReleased { .. } => "refund-released",
    EntryKind::RefundReported { .. } => "refund-reported",
    EntryKind::Refunded { .. } => "refunded",
    EntryKind::RefundFailed { .. } => "refund-failed",
    EntryKind::DisputeReported { .. } => "dispute-reported",
    EntryKind::CaptureFailed => "capture-failed",
    EntryKind::RefundedOutside { .. } => "refunded-outside",
    EntryKind::LatePayment { .. } => "late-payment",
    EntryKind::ReversalReported { .. } => "reversal-reported",
});

words!(webhook WEBHOOKS of WebhookEventType {
    WebhookEventType::Prompted => "prompted",
    WebhookEventType::Delivered => "delivered",
    WebhookEventType::Read => "read",
    WebhookEventType::Opened => "opened",
    WebhookEventType::Authorized => "authorized",
    WebhookEventType::Fulfilled => "fulfilled",
    WebhookEventType::Denied => "denied",
    WebhookEventType::Expired => "expired",
    WebhookEventType::Cancelled => "cancelled",
    WebhookEventType::Undeliverable => "undeliverable",
    WebhookEventType::Failed => "failed",
    WebhookEventType::Refunded => "refunded",
    WebhookEventType::RefundFailed => "refund-failed",
    WebhookEventType::Disputed => "disputed",
    WebhookEventType::DisputeClosed => "dispute-closed",
    WebhookEventType::CaptureFailed => "capture-failed",
    WebhookEventType::RefundedOutside => "refunded-outside",
    WebhookEventType::LatePayment => "late-payment",
    WebhookEventType::LatePaymentReversed => "late-payment-reversed",
    WebhookEventType::LatePaymentKept => "late-payment-kept",
    WebhookEventType::EndpointTest => "test",
});

words!(step STEPS of Step {
    Step::Deliver => "deliver",
    Step::Check => "check",
    Step::Fetch => "fetch",
    Step::Refund { .. } => "refund",
    Step::Reverse { .. } => "reverse",
    Step::Webhook { .. } => "webhook",
});

words!(task TASKS of Task {
    Task::EraseCustomer { .. } => "erase-customer",
    Task::DetachCard { .. } => "detach-card",
    Task::CheckCards => "check-cards",
});

/// The kinds of item that are named by the first part of their key.
const OTHERS: &[&str] = &[
    "addr",
    "breaker",
    "cap",
    "card",
    "charge",
    "check",
    "contact",
    "cust",
    "device",
    "endpoint",
    "erase",
    "claims",
    "handle",
    "handle-signed",
    "idem",
    "limit",
    "link",
    "list",
    "list-ended",
    "phone",
    "prompts",
    "sandbox",
    "seen",
    "stats",
    "stats-day",
    "stop",
    "stop-repeated",
    "stop-started",
    "stop-withdrawn",
];

/// The kinds of request that hold more than others in the same state.
const FULLER: &[&str] =
    &["req-aftermath", "req-refunded", "req-refunding", "req-returned", "req-redirected"];

/// Returns the names of all golden files that must exist.
pub(super) fn all() -> Vec<String> {
    let named = |prefix: &str, words: &[&str]| -> Vec<String> {
        words.iter().map(|word| format!("{prefix}-{word}")).collect()
    };
    let mut all = named("req", STATES);
    all.extend(named("journal", WHATS));
    all.extend(named("webhook", WEBHOOKS));
    all.extend(named("message", STEPS));
    all.extend(named("message", TASKS));
    all.extend(FULLER.iter().map(|fuller| (*fuller).to_owned()));
    all.extend(OTHERS.iter().map(|other| (*other).to_owned()));
    all
}

/// Returns the golden file's name for an item.
pub(super) fn of_item(item: &Item) -> String {
    let prefix = item.key.pk.split('#').next().unwrap_or_default().to_lowercase();
    match item.key.sk.split('#').next().unwrap_or_default() {
        "REQ" if prefix == "req" => {
            let request: Request = decode(&item.body).unwrap();
            let away = request.open_attempt().and_then(|attempt| attempt.redirect.as_ref());
            match away {
                _ if !request.aftermath.is_empty() => "req-aftermath".to_owned(),
                _ if request.open_refunds().count() > 0 => "req-refunding".to_owned(),
                _ if !request.refunds.is_empty() => "req-refunded".to_owned(),
                Some(away) if away.returned_at().is_some() => "req-returned".to_owned(),
                Some(_) => "req-redirected".to_owned(),
                None => format!("req-{}", state(&request.state)),
            }
        }
        _ if prefix == "list" => {
            let facts: ListedFacts = decode(&item.body).unwrap();
            if facts.end.is_some() { "list-ended".to_owned() } else { prefix }
        }
        _ if prefix == "stats" && !item.key.sk.contains('#') => "stats-day".to_owned(),
        "CLAIMS" => "claims".to_owned(),
        "EVT" => format!("journal-{}", what(&decode::<JournalEntry>(&item.body).unwrap().what)),
        "WEBHOOK" => {
            format!("webhook-{}", webhook(&decode::<WebhookEvent>(&item.body).unwrap().kind))
        }
        _ if prefix == "stop" => {
            let OptOut { stopped_at, started_at } = decode(&item.body).unwrap();
            match (stopped_at, started_at) {
                (_, None) => prefix,
                (None, Some(_)) => "stop-started".to_owned(),
                (Some(stopped), Some(started)) if stopped > started => "stop-repeated".to_owned(),
                (Some(_), Some(_)) => "stop-withdrawn".to_owned(),
            }
        }
        _ if prefix == "handle" => match decode(&item.body).unwrap() {
            StoredHandle::Unsigned(_) => prefix,
            StoredHandle::Signed { .. } => "handle-signed".to_owned(),
        },
        _ => prefix,
    }
}

/// Returns the golden file's name for a message.
pub(super) fn of_message(message: &Message) -> String {
    match message {
        Message::V1 { step, .. } => format!("message-{}", self::step(step)),
        Message::V2 { task } => format!("message-{}", self::task(task)),
    }
}
