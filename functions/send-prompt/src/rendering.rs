//! Renders a prompt, and what its thread owes the customer, as a channel sends them.

use std::time::Duration;

use domain::ask::Ask;
use domain::brand::Brand;
use domain::card_name::CardName;
use domain::contact::Contact;
use domain::outcome::{DenialReason, Details, Outcome};
use domain::postback::{Action, Postback};
use domain::request::{OwedMessage, PromptRecord, Request, State, ThreadFact};
use domain::values::id::PromptId;
use domain::values::prompt_ref::PromptRef;
use domain::values::time::Timestamp;
use ports::{Button, ButtonAction, Prompt, ThreadMessage};
use texts::{ThreadContent, ThreadMessageKind};

/// How long a message is worth its delivery.
const DELIVERS_WITHIN: Duration = Duration::from_secs(86_400);

/// The parts that a prompt and the messages in its thread are rendered from.
#[derive(Clone, Copy)]
pub(crate) struct Rendering<'a> {
    pub(crate) request: &'a Request,
    pub(crate) prompt: &'a PromptRecord,
    pub(crate) brand: &'a Brand,
    pub(crate) public_base: &'a str,
}

impl Rendering<'_> {
    /// Renders the prompt with what its channel knows of the customer.
    pub(crate) fn prompt(self, contact: Contact, now: Timestamp) -> Prompt {
        let Self { request, prompt, brand, public_base } = self;
        Prompt { contact, ..prompts::prompt(request, prompt, brand, public_base, now) }
    }

    /// Renders a message in the prompt's thread from what is stored alone.
    pub(crate) fn message(
        self,
        owed: &OwedMessage,
        id: PromptId,
        contact: Contact,
        now: Timestamp,
    ) -> ThreadMessage {
        let Self { request, prompt, brand, .. } = self;
        let asked = self.prompt(contact, now);
        let kind = kind(request, owed.fact);
        let goes_on =
            matches!(kind, ThreadMessageKind::CardDeclined | ThreadMessageKind::NotConfirmed);
        let asks_not_me = kind == ThreadMessageKind::Denied;
        let is_way_out = kind == ThreadMessageKind::WayOut;
        let money =
            request.ask.money().map(|money| texts::amount(&asked.language, &brand.language, money));
        let success = Success::of(request, kind);
        let time = success.at.zip(brand.time_zone.as_ref()).and_then(|(at, zone)| zone.local(at));
        let time = time.map(|at| texts::date_time(&asked.language, &brand.language, &at));
        let claims: Vec<&str> = success.claims.iter().map(String::as_str).collect();
        let content = ThreadContent {
            kind,
            asked: &asked.title,
            payee: &request.payee,
            money: money.as_deref(),
            card: success.card.as_ref(),
            claims: &claims,
            code: success.code,
            time: time.as_deref(),
            link: goes_on.then_some(asked.link.as_str()),
            asks_not_me,
        };
        let texts = texts::thread(&asked.language, &brand.language, &content);
        let answered = PromptRef { request: request.id, prompt: prompt.id };
        let buttons = match () {
            () if goes_on => asked.buttons.clone(),
            () if is_way_out => denials(&asked),
            () if asks_not_me => {
                let not_me = Postback { reference: answered, action: Action::NotMe };
                let postback = not_me.write(&brand.link_key);
                let action = ButtonAction::Reply { postback };
                vec![Button { label: asked.labels.not_me.clone(), action }]
            }
            () => Vec::new(),
        };
        let message = Prompt {
            reference: PromptRef { request: request.id, prompt: id },
            title: texts.title,
            body: texts.body,
            text: texts.text,
            buttons,
            expires_at: if is_way_out { asked.expires_at } else { now.after(DELIVERS_WITHIN) },
            ..asked
        };
        ThreadMessage { message, answered, answered_id: prompt.provider_id.clone() }
    }
}

/// Returns the prompt's own buttons that deny.
fn denials(asked: &Prompt) -> Vec<Button> {
    let labels = [&asked.labels.deny, &asked.labels.not_me];
    let denies = |button: &&Button| labels.contains(&&button.label);
    asked.buttons.iter().filter(denies).cloned().collect()
}

/// The parts of a receipt about a success; empty for every other message.
#[derive(Default)]
struct Success<'a> {
    card: Option<CardName>,
    claims: &'a [String],
    code: Option<&'a str>,
    at: Option<Timestamp>,
}

impl<'a> Success<'a> {
    fn of(request: &'a Request, kind: ThreadMessageKind) -> Self {
        let is_receipt = matches!(
            kind,
            ThreadMessageKind::Paid | ThreadMessageKind::CardKept | ThreadMessageKind::ClaimsShared
        );
        let State::Closed { outcome: Outcome::Fulfilled { transaction_code, receipt, .. }, at } =
            &request.state
        else {
            return Self::default();
        };
        if !is_receipt {
            return Self::default();
        }
        let (card, claims): (_, &[String]) = match receipt {
            Details::Payment(receipt) => (Some(CardName::from(receipt)), &[]),
            Details::Card { receipt, .. } => (Some(CardName::from(receipt)), &[]),
            Details::Claims(receipt) => (None, &receipt.released),
        };
        Self { card, claims, code: Some(transaction_code), at: Some(*at) }
    }
}

/// Returns the fact as the customer reads it.
fn kind(request: &Request, fact: ThreadFact) -> ThreadMessageKind {
    match (fact, &request.state) {
        (ThreadFact::Reported, _) => ThreadMessageKind::NotMe,
        (ThreadFact::WayOut { .. }, _) => ThreadMessageKind::WayOut,
        (ThreadFact::AttemptFailed { .. }, _) => match request.ask {
            Ask::Payment { .. } | Ask::PaymentMethod { .. } => ThreadMessageKind::CardDeclined,
            Ask::Identity { .. } => ThreadMessageKind::NotConfirmed,
        },
        (ThreadFact::Ended, State::Closed { .. }) if request.asks_not_me() => {
            ThreadMessageKind::Denied
        }
        (ThreadFact::Ended, State::Closed { outcome, .. }) => ended(outcome),
        (ThreadFact::Spent { .. }, State::Closed { outcome: Outcome::Expired, .. }) => {
            ThreadMessageKind::Expired
        }
        (ThreadFact::Spent { .. }, State::Closed { outcome: Outcome::Cancelled, .. }) => {
            ThreadMessageKind::Cancelled
        }
        (
            ThreadFact::Ended | ThreadFact::Spent { .. },
            State::Pending
            | State::Prompted
            | State::Authorized { .. }
            | State::Processing { .. }
            | State::Closed { .. },
        ) => ThreadMessageKind::Spent,
    }
}

const fn ended(outcome: &Outcome) -> ThreadMessageKind {
    match outcome {
        Outcome::Fulfilled { receipt: Details::Payment(_), .. } => ThreadMessageKind::Paid,
        Outcome::Fulfilled { receipt: Details::Card { .. }, .. } => ThreadMessageKind::CardKept,
        Outcome::Fulfilled { receipt: Details::Claims(_), .. } => ThreadMessageKind::ClaimsShared,
        Outcome::Denied { reason: DenialReason::Customer | DenialReason::OptedOut } => {
            ThreadMessageKind::Denied
        }
        Outcome::Denied { reason: DenialReason::NotMe } => ThreadMessageKind::NotMe,
        Outcome::Denied { reason: DenialReason::WrongSessionCode } => ThreadMessageKind::WrongCode,
        Outcome::Expired => ThreadMessageKind::Expired,
        Outcome::Cancelled => ThreadMessageKind::Cancelled,
        Outcome::Undeliverable { .. } | Outcome::Failed { .. } => ThreadMessageKind::Failed,
    }
}
