//! C1 while an attacker writes the table. No charge and no claims come without the customer's own yes to what was shown.
//!
//! The attacker has the table's write rights and lacks the brand's keys. By design (`.github/SECURITY.md`), such an attacker can
//! end or deny a request, and have a charge refunded. The attacker can also undo a stop, and change a session code. So this
//! file alone judges a run with an attacker. The other rules speak of what only our functions write.

use std::collections::BTreeMap;

use domain::ask::Ask;
use domain::journal::{EntryKind, JournalEntry};
use domain::request::Request;
use domain::values::id::{PromptId, RequestId};

use crate::providers::stripe::{ChargeRecord, Stripe};

/// The word that begins each message of this file.
pub(in crate::sim) const WORD: &str = "C1: own approval: ";

/// An ask, as a prompt showed it to the customer at a number.
#[derive(Clone, Debug)]
struct ShownAsk {
    request: RequestId,
    phone: String,
    ask: Ask,
}

/// The prompts that were sent, and each yes of a customer to one of them.
#[derive(Default)]
pub(in crate::sim) struct CustomerApprovals {
    shown: BTreeMap<PromptId, ShownAsk>,
    given: Vec<ShownAsk>,
    /// How often each request was charged, had a card saved, or had a code exchanged.
    used: BTreeMap<String, usize>,
}

impl CustomerApprovals {
    /// A prompt is about to be sent, with what the request says now.
    pub(super) fn shows(&mut self, request: &Request, events: &[JournalEntry]) {
        for event in events {
            if let EntryKind::Sending { prompt, .. } = event.what {
                let phone = request.customer.phone.as_str().to_owned();
                let shown = ShownAsk { request: request.id, phone, ask: request.ask.clone() };
                self.shown.insert(prompt, shown);
            }
        }
    }

    /// The customer presses yes in a prompt. The code that they give is no part of it, as the attacker can change it.
    pub(in crate::sim) fn presses(&mut self, prompt: PromptId) {
        self.given.extend(self.shown.get(&prompt).cloned());
    }

    /// The customer says yes in words, to each ask of theirs that is no payment.
    pub(in crate::sim) fn says(&mut self, phone: &str) {
        let meant =
            |shown: &&ShownAsk| shown.phone == phone && !matches!(shown.ask, Ask::Payment { .. });
        let meant: Vec<ShownAsk> = self.shown.values().filter(meant).cloned().collect();
        self.given.extend(meant);
    }

    /// Returns the message when no yes of the customer explains a charge or a saved card.
    pub(super) fn explains_charge(
        &mut self,
        charge: &ChargeRecord,
        stripe: &Stripe,
    ) -> Option<String> {
        let is_meant = |shown: &ShownAsk| match &shown.ask {
            Ask::Payment { money, .. } => {
                charge.price == Some((money.amount(), money.currency().code().to_owned()))
            }
            Ask::PaymentMethod { .. } => charge.price.is_none(),
            Ask::Identity { .. } => false,
        };
        let used = self.uses(&charge.request);
        let given = self.given.iter().filter(|shown| shown.request.to_string() == charge.request);
        let meant: Vec<&ShownAsk> = given.filter(|shown| is_meant(shown)).collect();
        if meant.len() < used {
            return Some(format!("{WORD}{} yes, and {used} charges or cards", meant.len()));
        }
        let kept = stripe.charges.iter().find(|known| {
            known.price.is_none() && known.method == charge.method && charge.price.is_some()
        });
        let owner = kept.and_then(|kept| {
            self.shown.values().find(|shown| shown.request.to_string() == kept.request)
        });
        let is_theirs =
            owner.is_none_or(|owner| meant.iter().any(|shown| shown.phone == owner.phone));
        (!is_theirs).then(|| format!("{WORD}another customer's saved card is charged"))
    }

    /// Returns the message when no yes of the customer explains that a code was exchanged for claims.
    pub(in crate::sim) fn explains_claims(&mut self, request: &str) -> Option<String> {
        let used = self.uses(request);
        let given = self.given.iter().filter(|shown| {
            shown.request.to_string() == request && matches!(shown.ask, Ask::Identity { .. })
        });
        let given = given.count();
        (given < used).then(|| format!("{WORD}{given} yes, and {used} codes exchanged"))
    }

    fn uses(&mut self, request: &str) -> usize {
        let used = self.used.entry(request.to_owned()).or_default();
        *used = used.saturating_add(1);
        *used
    }
}

/// Returns the message when a customer who returned brings a second authorization: the first may be in use.
pub(super) fn second_authorization(before: &Request, events: &[JournalEntry]) -> Option<String> {
    let back = before.open_attempt().is_some_and(|attempt| {
        attempt.redirect.as_ref().is_some_and(|redirect| redirect.returned_at().is_some())
    });
    let again = events.iter().any(|event| matches!(event.what, EntryKind::Returned { .. }));
    (back && again).then(|| "ONCE: a customer came back twice".to_owned())
}
