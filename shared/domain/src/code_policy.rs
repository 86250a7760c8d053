//! A brand's policy of session codes: which asks need one, and whether the customer picks it or types it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ask::Ask;
use crate::guards;
use crate::guards::Guard;
use crate::values::money::Currency;

/// The asks that need a session code, and the way it is given. In a brand's policy, a truth stands for every ask.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "SessionCodeText")]
pub struct SessionCodePolicy {
    /// Whether payments need one.
    pub payment: bool,
    /// Whether saved cards need one.
    pub payment_method: bool,
    /// Whether claims need one.
    pub identity: bool,
    /// The amounts in minor units from which it is typed. No three choices are shown then, so that no guess is likely.
    pub typed_from: BTreeMap<Currency, u64>,
}

/// The way in which the customer gives a session code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeEntry {
    /// The customer picks one of three.
    Picked,
    /// The customer types two digits.
    Typed,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SessionCodeText {
    All(bool),
    Each(EachAsk),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EachAsk {
    #[serde(default = "on")]
    payment: bool,
    #[serde(default = "on")]
    payment_method: bool,
    #[serde(default = "on")]
    identity: bool,
    #[serde(default)]
    typed_from: BTreeMap<Currency, u64>,
}

const fn on() -> bool {
    true
}

impl From<SessionCodeText> for SessionCodePolicy {
    fn from(text: SessionCodeText) -> Self {
        match text {
            SessionCodeText::All(on) => Self::all(on),
            SessionCodeText::Each(each) => {
                let EachAsk { payment, payment_method, identity, typed_from } = each;
                Self { payment, payment_method, identity, typed_from }
            }
        }
    }
}

impl SessionCodePolicy {
    /// Makes the policy that is the same for every ask.
    #[must_use]
    pub const fn all(on: bool) -> Self {
        let typed_from = BTreeMap::new();
        Self { payment: on, payment_method: on, identity: on, typed_from }
    }

    /// Returns how the customer gives the code of this ask; `None` where it needs none.
    #[must_use]
    pub fn entry(&self, ask: &Ask) -> Option<CodeEntry> {
        let needed = match ask {
            Ask::Payment { .. } => self.payment,
            Ask::PaymentMethod { .. } => {
                self.payment_method && !guards::is_disabled(Guard::SessionCodeEveryAsk)
            }
            Ask::Identity { .. } => {
                self.identity && !guards::is_disabled(Guard::SessionCodeEveryAsk)
            }
        };
        let is_high = ask.money().is_some_and(|money| {
            let from = self.typed_from.get(&money.currency());
            from.is_some_and(|from| money.amount() >= *from)
        });
        needed.then_some(if is_high { CodeEntry::Typed } else { CodeEntry::Picked })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::money::Money;
    use crate::values::text::DisplayText;

    fn read(text: &str) -> SessionCodePolicy {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn session_code_policy_is_one_truth_or_one_for_each_ask() {
        assert_eq!(read("true"), SessionCodePolicy::all(true));
        assert_eq!(read("false"), SessionCodePolicy::all(false));
        assert_eq!(read("{}"), SessionCodePolicy::all(true));
        let own = read(r#"{"identity": false}"#);
        assert!(own.payment && own.payment_method && !own.identity);
        for wrong in [r#"{"claims": false}"#, r#"{"typed_from": {"eur": 1}}"#, "\"on\""] {
            assert!(serde_json::from_str::<SessionCodePolicy>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn code_is_typed_from_the_amount_of_the_currency() {
        let policy = read(r#"{"typed_from": {"EUR": 50000}}"#);
        let payment = |amount, currency: &str| Ask::Payment {
            money: Money::new(amount, currency.parse().unwrap()).unwrap(),
            description: DisplayText::new("x").unwrap(),
            card: None,
        };
        assert_eq!(policy.entry(&payment(49_999, "EUR")), Some(CodeEntry::Picked));
        assert_eq!(policy.entry(&payment(50_000, "EUR")), Some(CodeEntry::Typed));
        assert_eq!(policy.entry(&payment(50_000, "USD")), Some(CodeEntry::Picked));
        let off = SessionCodePolicy::all(false);
        assert_eq!(off.entry(&payment(1, "EUR")), None);
    }
}
