//! The books of the fake: payments, links, later effects, and webhooks on their way.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use domain::values::time::Timestamp;
use http::Method;
use serde_json::{Value, json};

use super::{ACCOUNT, AdyenFaults, wire};
use crate::rng::Rng;

/// When what was authorised is captured.
const CAPTURED_AFTER: Duration = Duration::from_secs(3_600);

/// Money that moved, or is about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Adyen's own id.
    pub psp: String,
    /// The amount in minor units.
    pub amount: u64,
}

/// An action of a customer on Adyen's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShopperAction {
    /// Proves who they are, or pays.
    Pays,
    /// Tries a card that is refused.
    Fails,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// The customer is to prove who they are.
    Awaiting,
    /// The acquirer takes its time.
    Pending,
    Authorised {
        at: Timestamp,
    },
    Refused,
    Cancelled,
}

#[derive(Clone, Debug)]
struct Payment {
    reference: String,
    psp: String,
    value: u64,
    currency: String,
    return_url: String,
    status: Status,
}

#[derive(Clone, Debug)]
struct Link {
    body: Value,
    status: &'static str,
    at: Timestamp,
}

/// An effect that comes later.
#[derive(Clone, Debug)]
enum LaterEffect {
    Cancel { reference: String, own: String },
    Reverse { psp: String, own: String },
    Resolve { psp: String, authorised: bool },
    Hook(Value),
}

type Answer = (u16, Value);

/// The payments and refunds that the stand-in has booked.
pub(super) struct Ledger {
    pub(super) rng: Rng,
    pub(super) faults: AdyenFaults,
    pub(super) complaints: Vec<String>,
    pub(super) kept: BTreeMap<String, ((String, Bytes), Answer)>,
    payments: Vec<Payment>,
    links: BTreeMap<String, Link>,
    later: Vec<(Timestamp, LaterEffect)>,
    count: u64,
}

impl Ledger {
    pub(super) const fn new(rng: Rng) -> Self {
        Self {
            rng,
            faults: AdyenFaults { acquirer_silent: 0, late_webhooks: 0, webhooks_twice: 0 },
            complaints: Vec::new(),
            kept: BTreeMap::new(),
            payments: Vec::new(),
            links: BTreeMap::new(),
            later: Vec::new(),
            count: 0,
        }
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.later.iter().map(|(at, _)| *at).min()
    }

    pub(super) fn passes(&mut self, now: Timestamp) -> Vec<Value> {
        let mut hooks = Vec::new();
        loop {
            let due = self.later.iter().position(|(at, _)| *at <= now);
            let Some(place) = due else { return hooks };
            match self.later.remove(place).1 {
                LaterEffect::Hook(body) => hooks.push(body),
                LaterEffect::Cancel { reference, own } => self.cancels(&reference, &own, now),
                LaterEffect::Reverse { psp, own } => self.reverses(&psp, &own, now),
                LaterEffect::Resolve { psp, authorised } => self.resolves(&psp, authorised, now),
            }
        }
    }

    pub(super) fn charges(&self, reference: &str) -> Vec<Charge> {
        let of = self.payments.iter().filter(|payment| payment.reference == reference);
        let charged = of.filter(|payment| matches!(payment.status, Status::Authorised { .. }));
        charged.map(|payment| Charge { psp: payment.psp.clone(), amount: payment.value }).collect()
    }

    fn id(&mut self) -> String {
        self.count += 1;
        format!("PSP{:013}", self.count)
    }

    /// A webhook sets out: soon, mostly.
    fn sends_webhook(
        &mut self,
        event: &str,
        success: bool,
        about: wire::Notification<'_>,
        now: Timestamp,
    ) {
        let body = wire::webhook(event, success, &about);
        let times = if self.rng.happens(self.faults.webhooks_twice) { 2 } else { 1 };
        for _ in 0..times {
            let late = self.rng.happens(self.faults.late_webhooks);
            let seconds = match (late, self.rng.happens(100)) {
                (false, _) => self.rng.between(0, 30),
                (true, false) => self.rng.between(60, 3_600),
                // Few, since an open doubt is checked each ten seconds until then.
                (true, true) => self.rng.between(60, 20_000),
            };
            let at = now.after(Duration::from_secs(seconds));
            self.later.push((at, LaterEffect::Hook(body.clone())));
        }
    }

    fn authorisation(&mut self, place: usize, authorised: bool, now: Timestamp) {
        let payment = &mut self.payments[place];
        payment.status = if authorised { Status::Authorised { at: now } } else { Status::Refused };
        let Payment { reference, psp, value, currency, .. } = payment.clone();
        let about =
            wire::Notification { psp: &psp, reference: &reference, value, currency: &currency };
        self.sends_webhook("AUTHORISATION", authorised, about, now);
    }

    fn resolves(&mut self, psp: &str, authorised: bool, now: Timestamp) {
        let place = self.payments.iter().position(|payment| payment.psp == psp);
        let Some(place) = place else { return };
        if self.payments[place].status == Status::Pending {
            let reference = self.payments[place].reference.clone();
            self.authorisation(place, authorised, now);
            for link in self.links.values_mut().filter(|link| link.body["reference"] == reference) {
                link.status = if authorised { "completed" } else { "active" };
                link.at = now;
            }
        }
    }

    /// Returns whether a payment is gone now.
    fn undoes(&mut self, place: usize, captured_too: bool, now: Timestamp) -> bool {
        let payment = &mut self.payments[place];
        let gone = match payment.status {
            Status::Awaiting | Status::Pending => true,
            Status::Authorised { at } => captured_too || now < at.after(CAPTURED_AFTER),
            Status::Refused | Status::Cancelled => false,
        };
        if gone {
            payment.status = Status::Cancelled;
        }
        gone
    }

    fn cancels(&mut self, reference: &str, own: &str, now: Timestamp) {
        let place = self.payments.iter().position(|payment| payment.reference == reference);
        let gone = place.is_some_and(|place| self.undoes(place, false, now));
        let psp = self.id();
        let about = wire::Notification { psp: &psp, reference: own, value: 0, currency: "EUR" };
        self.sends_webhook("TECHNICAL_CANCEL", gone, about, now);
    }

    fn reverses(&mut self, psp: &str, own: &str, now: Timestamp) {
        let place = self.payments.iter().position(|payment| payment.psp == psp);
        let gone = place.is_some_and(|place| self.undoes(place, true, now));
        let psp = self.id();
        let about = wire::Notification { psp: &psp, reference: own, value: 0, currency: "EUR" };
        self.sends_webhook("CANCEL_OR_REFUND", gone, about, now);
    }

    fn soon(&mut self, now: Timestamp, later: LaterEffect) {
        let at = now.after(Duration::from_secs(self.rng.between(0, 900)));
        self.later.push((at, later));
    }

    pub(super) fn answers(
        &mut self,
        method: &Method,
        path: &str,
        body: &Value,
        now: Timestamp,
    ) -> Answer {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let received = |psp: &str| (201, json!({ "status": "received", "pspReference": psp }));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["paymentLinks"]) => self.makes_link(body, now),
            ("GET", ["paymentLinks", id]) => self.shows(id, 200),
            ("PATCH", ["paymentLinks", id]) => {
                let Some(link) = self.links.get_mut(*id) else { return (404, Value::Null) };
                if !matches!(link.status, "active" | "expired") {
                    return (422, wire::error(422, "29_001", "validation"));
                }
                link.status = "expired";
                self.shows(id, 200)
            }
            ("POST", ["payments"]) => self.pays(body, now),
            ("POST", ["payments", "details"]) => self.finishes(body, now),
            ("POST", ["cancels"]) => {
                let (reference, own) = (text("paymentReference"), text("reference"));
                self.soon(now, LaterEffect::Cancel { reference, own });
                received(&self.id())
            }
            ("POST", ["payments", psp, "reversals"]) => {
                let later = LaterEffect::Reverse { psp: (*psp).to_owned(), own: text("reference") };
                self.soon(now, later);
                received(&self.id())
            }
            _ => (404, Value::Null),
        }
    }

    fn makes_link(&mut self, body: &Value, now: Timestamp) -> Answer {
        let id = format!("PL{}", self.id());
        let mut link = json!({ "id": id, "url": format!("https://test.adyen.link/{id}") });
        for name in ["merchantAccount", "amount", "reference", "expiresAt"] {
            link[name] = body[name].clone();
        }
        self.links.insert(id.clone(), Link { body: link, status: "active", at: now });
        self.shows(&id, 201)
    }

    fn shows(&self, id: &str, status: u16) -> Answer {
        let Some(link) = self.links.get(id) else { return (404, Value::Null) };
        let mut body = link.body.clone();
        body["status"] = json!(link.status);
        body["updatedAt"] = json!(link.at.to_string());
        (status, body)
    }

    fn enters(&mut self, body: &Value, status: Status) -> usize {
        let psp = self.id();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        self.payments.push(Payment {
            reference: text("reference"),
            psp,
            value: body["amount"]["value"].as_u64().unwrap_or_default(),
            currency: body["amount"]["currency"].as_str().unwrap_or_default().to_owned(),
            return_url: text("returnUrl"),
            status,
        });
        self.payments.len() - 1
    }

    fn pays(&mut self, body: &Value, now: Timestamp) -> Answer {
        let fate = self.rng.below(100);
        let place = self.enters(body, Status::Awaiting);
        let psp = self.payments[place].psp.clone();
        let says = |result: &str, more: Value| {
            let mut answer = json!({ "resultCode": result, "pspReference": psp,
                "merchantReference": body["reference"] });
            answer
                .as_object_mut()
                .expect("an object")
                .extend(more.as_object().cloned().unwrap_or_default());
            (200, answer)
        };
        match fate {
            0..40 => {
                self.authorisation(place, true, now);
                says("Authorised", json!({}))
            }
            40..55 => {
                self.authorisation(place, false, now);
                says("Refused", json!({ "refusalReasonCode": "12" }))
            }
            55..60 => {
                self.payments[place].value /= 2;
                self.authorisation(place, true, now);
                says(
                    "PartiallyAuthorised",
                    json!({ "amount": { "value": body["amount"]["value"].as_u64().unwrap_or_default() / 2, "currency": "EUR" } }),
                )
            }
            60..70 => {
                self.payments[place].status = Status::Pending;
                let at = now.after(Duration::from_secs(self.rng.between(1, 7_200)));
                let authorised = self.rng.happens(700);
                self.later.push((at, LaterEffect::Resolve { psp: psp.clone(), authorised }));
                says("Pending", json!({}))
            }
            _ => {
                let url = "https://checkoutshopper-test.adyen.com/threeDS/redirect?d=1";
                says(
                    "RedirectShopper",
                    json!({ "action": { "type": "redirect", "method": "GET", "url": url } }),
                )
            }
        }
    }

    fn finishes(&mut self, body: &Value, now: Timestamp) -> Answer {
        let result = body["details"]["redirectResult"].as_str().unwrap_or_default();
        let (psp, proven) = result.split_once('-').unwrap_or_default();
        let place = self.payments.iter().position(|payment| payment.psp == psp);
        let Some(place) = place else { return (422, wire::error(422, "702", "validation")) };
        if self.payments[place].status == Status::Awaiting {
            self.authorisation(place, proven == "yes", now);
        }
        let result = match self.payments[place].status {
            Status::Authorised { .. } => "Authorised",
            Status::Awaiting | Status::Pending | Status::Refused => "Refused",
            Status::Cancelled => "Cancelled",
        };
        (200, json!({ "resultCode": result, "pspReference": psp }))
    }

    pub(super) fn visited(
        &mut self,
        reference: &str,
        visitor: ShopperAction,
        now: Timestamp,
    ) -> Option<String> {
        let link = self.links.iter().find(|(_, link)| link.body["reference"] == reference);
        if let Some((id, link)) = link.map(|(id, link)| (id.clone(), link.clone())) {
            if link.status == "active" {
                self.pays_link(&id, &link.body, visitor, now);
            }
            return None;
        }
        let awaiting = self
            .payments
            .iter()
            .find(|payment| payment.reference == reference && payment.status == Status::Awaiting)?;
        let proven = if visitor == ShopperAction::Pays { "yes" } else { "no" };
        Some(format!("{}&redirectResult={}-{proven}", awaiting.return_url, awaiting.psp))
    }

    fn pays_link(&mut self, id: &str, body: &Value, visitor: ShopperAction, now: Timestamp) {
        let place = self.enters(body, Status::Pending);
        let slow = self.rng.happens(150);
        let status = match visitor {
            ShopperAction::Fails => {
                self.authorisation(place, false, now);
                "active"
            }
            ShopperAction::Pays if slow => {
                let psp = self.payments[place].psp.clone();
                let at = now.after(Duration::from_secs(self.rng.between(1, 3_600)));
                self.later
                    .push((at, LaterEffect::Resolve { psp, authorised: self.rng.happens(800) }));
                "paymentPending"
            }
            ShopperAction::Pays => {
                self.authorisation(place, true, now);
                "completed"
            }
        };
        if let Some(link) = self.links.get_mut(id) {
            link.status = status;
            link.at = now;
        }
        debug_assert_eq!(body["merchantAccount"], ACCOUNT);
    }
}
