//! The rights and ceilings of restricted keys.

use serde::{Deserialize, Serialize};

use super::KeySettings;
use crate::ask::{Ask, AskKind};
use crate::guards;
use crate::guards::Guard;
use crate::values::name::ChannelName;

/// A right that a restricted key has or lacks. A key without `may` has them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Creates requests, and cancels, extends and resends them.
    Request,
    /// Reads requests and their records.
    Read,
    /// Refunds.
    Refund,
    /// Asks whether a customer can be reached.
    Capability,
    /// Reads statistics.
    Statistics,
    /// Erases what is kept of a customer.
    Erase,
}

impl Right {
    /// Every right.
    pub const ALL: &[Self] =
        &[Self::Request, Self::Read, Self::Refund, Self::Capability, Self::Statistics, Self::Erase];

    /// Returns the right as a key's settings name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Read => "read",
            Self::Refund => "refund",
            Self::Capability => "capability",
            Self::Statistics => "statistics",
            Self::Erase => "erase",
        }
    }
}

/// The requests that a key sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// All requests of the brand, in the key's mode.
    #[default]
    All,
    /// The requests that the key asked itself.
    Own,
}

/// The limit of a key that an ask exceeds, as its settings name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLimit {
    /// The kind of ask.
    Asks,
    /// The amount of one payment.
    AmountMax,
    /// The amounts of 24 hours.
    AmountPerDay,
    /// The asks of an hour.
    AsksPerHour,
    /// The channels that the key may use.
    Channels,
}

impl KeyLimit {
    /// Returns the limit as a key's settings name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asks => "asks",
            Self::AmountMax => "amount_max",
            Self::AmountPerDay => "amount_per_day",
            Self::AsksPerHour => "asks_per_hour",
            Self::Channels => "channels",
        }
    }
}

impl KeySettings {
    /// Returns whether the key has a right.
    #[must_use]
    pub fn has(&self, right: Right) -> bool {
        self.may.as_ref().is_none_or(|may| may.contains(&right))
            || guards::is_disabled(Guard::KeyRights)
    }

    /// Returns whether any limit needs a count of what the key asked before.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        self.asks_per_hour.is_some() || self.amount_per_day.is_some()
    }

    /// Returns whether the key may use a channel.
    #[must_use]
    pub fn may_use(&self, channel: &ChannelName) -> bool {
        self.channels.as_ref().is_none_or(|channels| channels.contains(channel))
    }

    /// Checks an ask against the limits that need no count.
    ///
    /// Where a key has amounts, a currency without one is refused.
    ///
    /// # Errors
    /// The [`KeyLimit`] that the ask exceeds.
    pub fn check(&self, ask: &Ask) -> Result<(), KeyLimit> {
        if guards::is_disabled(Guard::KeyCeilings) {
            return Ok(());
        }
        if self.asks.as_ref().is_some_and(|asks| !asks.contains(&AskKind::of(ask))) {
            return Err(KeyLimit::Asks);
        }
        let (Some(most), Some(money)) = (&self.amount_max, ask.money()) else { return Ok(()) };
        match most.get(&money.currency()) {
            Some(most) if money.amount() <= *most => Ok(()),
            Some(_) | None => Err(KeyLimit::AmountMax),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn key(settings: &Value) -> KeySettings {
        let mut key = json!({ "mode": "test", "sha256": "00" });
        for (name, value) in settings.as_object().unwrap() {
            key[name] = value.clone();
        }
        serde_json::from_value(key).unwrap()
    }

    fn payment(amount: u64, currency: &str) -> Ask {
        let text = json!({ "kind": "payment", "amount": amount, "currency": currency,
            "description": "Invoice" });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn key_without_rights_listed_has_them_all() {
        for right in Right::ALL {
            assert!(key(&json!({})).has(*right), "{right:?}");
            let one = key(&json!({ "may": [right.as_str()] }));
            let others = Right::ALL.iter().filter(|other| one.has(**other));
            assert_eq!(others.collect::<Vec<_>>(), [right]);
        }
    }

    #[test]
    fn key_refuses_amounts_above_its_ceiling_and_other_currencies() {
        let key = key(&json!({ "may": ["request"], "amount_max": { "EUR": 500 } }));
        assert_eq!(key.check(&payment(500, "EUR")), Ok(()));
        assert_eq!(key.check(&payment(501, "EUR")), Err(KeyLimit::AmountMax));
        assert_eq!(key.check(&payment(1, "USD")), Err(KeyLimit::AmountMax));
        let card = json!({ "kind": "payment_method", "description": "Card" });
        assert_eq!(key.check(&serde_json::from_value(card).unwrap()), Ok(()));
    }

    #[test]
    fn key_refuses_kinds_of_ask_that_it_does_not_list() {
        let key = key(&json!({ "may": ["request"], "asks": ["payment_method", "identity"] }));
        assert_eq!(key.check(&payment(1, "EUR")), Err(KeyLimit::Asks));
        let card = json!({ "kind": "payment_method", "description": "Card" });
        assert_eq!(key.check(&serde_json::from_value(card).unwrap()), Ok(()));
    }
}
