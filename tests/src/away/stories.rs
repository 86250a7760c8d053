//! The stories' asks, and the customer's approvals.

use serde_json::{Value, json};

/// The customer's payment data along with an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// The rest, on the processor's own page.
    Hosted,
    /// A test card.
    Card(&'static str),
    /// A card that was put on file before.
    Kept,
    /// What Google Pay gave.
    GooglePay,
}

/// One story.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// The story's name.
    pub name: &'static str,
    /// The amount that is asked; `None` where a card is to be saved.
    pub amount: Option<u64>,
    /// What the customer gives at first.
    pub gives: Gives,
}

/// The card that wants the customer to go to their bank.
pub(super) const AT_THE_BANK: &str = "pm_card_authenticationRequired";

const fn paying(name: &'static str, amount: u64, gives: Gives) -> Story {
    Story { name, amount: Some(amount), gives }
}

const fn keeping(name: &'static str, gives: Gives) -> Story {
    Story { name, amount: None, gives }
}

/// The stories there are.
pub const STORIES: &[Story] = &[
    paying("pays on the page", 4250, Gives::Hosted),
    paying("is refused once on the page", 4202, Gives::Hosted),
    paying("is refused on the page for good", 4203, Gives::Hosted),
    paying("pays on the page, which takes a while", 4204, Gives::Hosted),
    keeping("leaves a card on the page", Gives::Hosted),
    paying("pays with a card that asks the bank", 4250, Gives::Card(AT_THE_BANK)),
    paying("pays at the bank, which takes a while", 4204, Gives::Card(AT_THE_BANK)),
    keeping("leaves a card that asks the bank", Gives::Card(AT_THE_BANK)),
    keeping("leaves a card", Gives::Card("pm_card_visa")),
    paying("pays with a card on file", 4250, Gives::Kept),
    paying("pays with a card on file, and no answer comes", 4205, Gives::Kept),
    paying("pays by wallet", 4250, Gives::GooglePay),
];

impl Story {
    /// The body of `POST /v1/requests`; `card` is the one on file.
    pub(super) fn body(&self, card: Option<&str>) -> Value {
        let mut ask = match self.amount {
            Some(amount) => json!({ "kind": "payment", "amount": amount, "currency": "EUR" }),
            None => json!({ "kind": "payment_method" }),
        };
        if let Some(ask) = ask.as_object_mut() {
            ask.insert("description".to_owned(), json!("Invoice 4711"));
            if let Some(card) = card {
                ask.insert("payment_method".to_owned(), json!(card));
            }
        }
        json!({
            "customer": { "phone": "+15551230001" },
            "session": { "kind": "voice", "id": "call-1" },
            "ask": ask,
            "channels": ["rcs"],
            "expires_in": 120,
        })
    }
}
