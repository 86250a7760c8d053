//! Stripe's pages: Checkout, for a payment or a card to save, and the bank's page.

use std::time::Duration;

use domain::values::time::Timestamp;
use serde_json::{Value, json};

use super::{ChargeRecord, Intent, Setup, Status, Stripe, fault, fields, next_action, verdict};
use crate::providers::Answer;
use crate::providers::SECRET;

/// An action of a customer on a processor's page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostedAction {
    /// Gives a card, confirms at the bank, or signs in.
    Pays(&'static str),
    /// Refuses.
    #[default]
    Refuses,
}

/// A Checkout Session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    request: String,
    attempt: String,
    price: Option<(u64, String)>,
    closes_at: Timestamp,
    stands: SessionState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SessionState {
    Open,
    Complete { made: String },
    Expired,
}

/// Returns the address of an object's page. Only its customer may know it, since it is enough to pay.
pub(super) fn page(id: &str) -> String {
    format!("https://stripe.test/{SECRET}/{id}")
}

impl Stripe {
    pub(crate) fn create_session(&mut self, body: &[u8]) -> Answer {
        let text = fields(body);
        let seconds: i64 = text("expires_at").parse().unwrap_or_default();
        let price = "line_items[0][price_data]";
        let price = match text("mode").as_str() {
            "setup" => None,
            _ => match text(&format!("{price}[unit_amount]")).parse() {
                Ok(amount) => Some((amount, text(&format!("{price}[currency]")))),
                Err(_) => return fault(400, "invalid_request_error", "parameter_missing"),
            },
        };
        let id = format!("cs_sim{:06}", self.sessions.len());
        let session = Session {
            request: text("metadata[request_id]"),
            attempt: text("metadata[attempt]"),
            price,
            closes_at: Timestamp::from_millis(seconds.saturating_mul(1000)),
            stands: SessionState::Open,
        };
        self.sessions.insert(id.clone(), session);
        self.read_session(&id, Timestamp::from_millis(0))
    }

    pub(crate) fn read_session(&mut self, id: &str, now: Timestamp) -> Answer {
        let Some(session) = self.session(id, now) else {
            return fault(404, "invalid_request_error", "resource_missing");
        };
        let (status, made) = match session.stands {
            SessionState::Open => ("open", Value::Null),
            SessionState::Expired => ("expired", Value::Null),
            SessionState::Complete { made } if session.price.is_some() => {
                ("complete", self.read(&made, now).1)
            }
            SessionState::Complete { made } => ("complete", self.read_setup(&made).1),
        };
        let paid = made.get("status") == Some(&json!("succeeded"));
        let price = session.price.as_ref();
        let answer = json!({
            "id": id,
            "object": "checkout.session",
            "status": status,
            "payment_status": match price {
                Some(_) if paid => "paid",
                Some(_) => "unpaid",
                None => "no_payment_required",
            },
            "url": (status == "open").then(|| page(id)),
            "amount_total": price.map(|(amount, _)| amount),
            "currency": price.map(|(_, currency)| currency),
            "metadata": { "request_id": session.request, "attempt": session.attempt },
            "payment_intent": price.map(|_| &made),
            "setup_intent": if price.is_some() { None } else { Some(&made) },
        });
        (200, answer)
    }

    fn session(&mut self, id: &str, now: Timestamp) -> Option<Session> {
        let session = self.sessions.get_mut(id)?;
        if session.stands == SessionState::Open && session.closes_at <= now {
            session.stands = SessionState::Expired;
        }
        Some(session.clone())
    }

    pub(crate) fn expire(&mut self, id: &str, now: Timestamp) -> Answer {
        match self.session(id, now).map(|session| session.stands) {
            Some(SessionState::Open) => {
                if let Some(session) = self.sessions.get_mut(id) {
                    session.stands = SessionState::Expired;
                }
                self.read_session(id, now)
            }
            Some(SessionState::Complete { .. } | SessionState::Expired) => {
                fault(400, "invalid_request_error", "checkout_session_not_open")
            }
            None => fault(404, "invalid_request_error", "resource_missing"),
        }
    }

    /// The customer acts on an object's page. Returns whether the browser goes back as one who is done.
    pub(crate) fn visited(&mut self, id: &str, action: HostedAction, now: Timestamp) -> bool {
        match id.split('_').next() {
            Some("cs") => self.at_checkout(id, action, now),
            Some("pi") => self.at_bank(id, action, now),
            _ => self.at_bank_for_setup(id, action),
        }
    }

    fn at_checkout(&mut self, id: &str, action: HostedAction, now: Timestamp) -> bool {
        let Some(session) = self.session(id, now) else { return false };
        let HostedAction::Pays(card) = action else { return false };
        match session.stands {
            SessionState::Open => {}
            SessionState::Complete { .. } => return true,
            SessionState::Expired => return false,
        }
        let amount = session.price.as_ref().map_or(0, |(amount, _)| *amount);
        let mut status = verdict(card, amount, now);
        if status.wants_3ds() {
            // A card that wants it has it there and then.
            status = Status::Succeeded;
        }
        if matches!(status, Status::RequiresPaymentMethod { .. }) {
            return false;
        }
        let made = match &session.price {
            Some((amount, currency)) => {
                let made = format!("pi_sim{:06}", self.intents.len());
                let intent = Intent {
                    request: session.request.clone(),
                    attempt: session.attempt.clone(),
                    amount: *amount,
                    currency: currency.clone(),
                    method: format!("pm_{made}"),
                    session: Some(id.to_owned()),
                    status,
                };
                self.charge(&made, &intent);
                self.intents.insert(made.clone(), intent);
                made
            }
            None => {
                let made = format!("seti_sim{:06}", self.setups.len());
                let customer = format!("cus_sim{}", self.setups.len());
                let setup = Setup {
                    request: session.request.clone(),
                    attempt: session.attempt.clone(),
                    customer,
                    card: card.to_owned(),
                    session: Some(id.to_owned()),
                    status: Status::Succeeded,
                };
                self.save_card(&made, &setup);
                self.setups.insert(made.clone(), setup);
                made
            }
        };
        if let Some(session) = self.sessions.get_mut(id) {
            session.stands = SessionState::Complete { made };
        }
        self.queue_event("checkout.session.completed", &session.request);
        true
    }

    /// The PaymentIntents whose customers their banks ask whether it is them.
    pub(crate) fn at_banks(&self) -> Vec<String> {
        let asked = |(id, intent): (&String, &Intent)| {
            (intent.status == Status::RequiresAction).then(|| id.clone())
        };
        self.intents.iter().filter_map(asked).collect()
    }

    fn at_bank(&mut self, id: &str, action: HostedAction, now: Timestamp) -> bool {
        let Some(mut intent) = self.intents.get(id).cloned() else { return false };
        if intent.status != Status::RequiresAction {
            return true;
        }
        intent.status = match action {
            // The bank's word is about who it is; the amount still has its own.
            HostedAction::Pays(_) => verdict("pm_card_visa", intent.amount, now),
            HostedAction::Refuses => Status::RequiresPaymentMethod {
                code: "payment_intent_authentication_failure",
                decline_code: None,
            },
        };
        if matches!(intent.status, Status::Succeeded | Status::Processing { .. }) {
            self.charge(id, &intent);
            self.queue_event("payment_intent.succeeded", &intent.request);
        } else {
            self.queue_event("payment_intent.payment_failed", &intent.request);
        }
        self.intents.insert(id.to_owned(), intent);
        true
    }

    fn at_bank_for_setup(&mut self, id: &str, action: HostedAction) -> bool {
        let Some(mut setup) = self.setups.get(id).cloned() else { return false };
        if setup.status != Status::RequiresAction {
            return true;
        }
        setup.status = match action {
            HostedAction::Pays(_) => Status::Succeeded,
            HostedAction::Refuses => Status::RequiresPaymentMethod {
                code: "setup_intent_authentication_failure",
                decline_code: None,
            },
        };
        if setup.status == Status::Succeeded {
            self.save_card(id, &setup);
        }
        self.queue_event("setup_intent.succeeded", &setup.request);
        self.setups.insert(id.to_owned(), setup);
        true
    }

    pub(crate) fn create_setup(&mut self, body: &[u8]) -> Answer {
        let text = fields(body);
        let id = format!("seti_sim{:06}", self.setups.len());
        let setup = Setup {
            request: text("metadata[request_id]"),
            attempt: text("metadata[attempt]"),
            customer: text("customer"),
            card: text("payment_method"),
            session: None,
            status: Status::RequiresConfirmation,
        };
        self.setups.insert(id.clone(), setup);
        self.read_setup(&id)
    }

    pub(crate) fn read_setup(&self, id: &str) -> Answer {
        match self.setups.get(id) {
            Some(setup) => (200, setup.to_json(id)),
            None => fault(404, "invalid_request_error", "resource_missing"),
        }
    }

    pub(crate) fn confirm_setup(&mut self, id: &str, now: Timestamp) -> Answer {
        let Some(mut setup) = self.setups.get(id).cloned() else {
            return fault(404, "invalid_request_error", "resource_missing");
        };
        if setup.status != Status::RequiresConfirmation {
            return fault(400, "invalid_request_error", "setup_intent_unexpected_state");
        }
        setup.status = verdict(&setup.card, 0, now);
        if setup.status.wants_3ds() {
            setup.status = Status::RequiresAction;
        }
        if setup.status == Status::Succeeded {
            self.save_card(id, &setup);
        }
        let object = setup.to_json(id);
        self.setups.insert(id.to_owned(), setup.clone());
        if let Status::RequiresPaymentMethod { code, decline_code } = setup.status {
            let error = json!({ "type": "card_error", "code": code, "decline_code": decline_code,
                "setup_intent": object });
            return (402, json!({ "error": error }));
        }
        (200, object)
    }

    pub(crate) fn cancel_setup(&mut self, id: &str) -> Answer {
        match self.setups.get_mut(id) {
            None => fault(404, "invalid_request_error", "resource_missing"),
            Some(setup) if matches!(setup.status, Status::Succeeded | Status::Canceled) => {
                fault(400, "invalid_request_error", "setup_intent_unexpected_state")
            }
            Some(setup) => {
                setup.status = Status::Canceled;
                self.read_setup(id)
            }
        }
    }

    /// Money moves.
    pub(crate) fn charge(&mut self, id: &str, intent: &Intent) {
        self.charges.push(ChargeRecord {
            request: intent.request.clone(),
            object: id.to_owned(),
            session: intent.session.clone(),
            method: intent.method.clone(),
            price: Some((intent.amount, intent.currency.to_ascii_uppercase())),
        });
    }

    /// A card is kept.
    fn save_card(&mut self, id: &str, setup: &Setup) {
        self.charges.push(ChargeRecord {
            request: setup.request.clone(),
            object: id.to_owned(),
            session: setup.session.clone(),
            method: setup.method(id),
            price: None,
        });
    }
}

/// The duration of `processing`.
pub(super) const PROCESSING: Duration = Duration::from_secs(3);

impl Setup {
    /// The payment method that a card becomes once it is to be kept.
    fn method(&self, id: &str) -> String {
        format!("pm_kept_{id}")
    }

    fn to_json(&self, id: &str) -> Value {
        let (status, error) = self.status.as_stripe_status();
        json!({
            "id": id,
            "object": "setup_intent",
            "status": status,
            "customer": self.customer,
            "payment_method": {
                "id": self.method(id),
                "object": "payment_method",
                "card": { "brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034 },
            },
            "metadata": { "request_id": self.request, "attempt": self.attempt },
            "last_setup_error": error,
            "next_action": next_action(&self.status, id),
        })
    }
}
