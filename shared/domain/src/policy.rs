//! A brand's policy: what its requesters may do, and how customers are treated.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::code_policy::SessionCodePolicy;

/// A brand's policy. Every field has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own, by its name in the brand's secret"
)]
pub struct Policy {
    /// Which asks require a session code, and how it is given.
    pub session_code: SessionCodePolicy,
    /// Whether a free-text yes or no is an answer, for asks that are no payments.
    pub text_replies: bool,
    /// The wait for a delivery receipt before the next route, in seconds; at least 5.
    pub fallback_seconds: u32,
    /// The default deadline of a request, in seconds.
    pub expires_in_seconds: u32,
    /// The most open requests of one address.
    pub open_max: u32,
    /// The most prompts to one address in ten minutes.
    pub prompts_per_ten_minutes: u32,
    /// The most prompts to one address in 24 hours.
    pub prompts_per_day: u32,
    /// The most prompts of the brand in a clock hour, in each mode; 0 for no limit.
    pub prompts_per_hour: u32,
    /// The denials within ten minutes that start a cooldown.
    pub denials_per_ten_minutes: u32,
    /// The cooldown after those denials, in seconds.
    pub cooldown_seconds: u32,
    /// The cooldown after "this is not me", in seconds.
    pub report_cooldown_seconds: u32,
    /// The most attempts of one request.
    pub attempts_max: u32,
    /// How long a closed request is kept, in days.
    pub retention_days: u32,
    /// After how many days without an answer of its customer a saved card ends; 0 for never.
    pub card_silence_days: u32,
    /// How long released claims can be read, in seconds.
    pub claims_retention_seconds: u32,
    /// The countries whose numbers may be asked.
    pub countries: Countries,
    /// Whether numbers of services and satellites may be asked, such as premium-rate numbers.
    pub service_numbers: bool,
    /// Whether descriptions and names may read as a link, an e-mail address or a phone number.
    pub description_links: bool,
    /// Whether a text message quotes the description. Without it, only the page shows the description.
    pub description_in_texts: bool,
    /// Whether a message tells the end also to customers who answered on the page or by a text.
    pub receipts: bool,
}

/// The countries whose numbers a brand may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Countries {
    /// The countries of the brand's own numbers; every country where its channels have none.
    Own,
    /// Every country.
    All,
    /// These countries: ISO 3166-1 alpha-2.
    Listed(BTreeSet<String>),
}

impl<'de> Deserialize<'de> for Countries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Text {
            Word(String),
            List(BTreeSet<String>),
        }
        let is_code =
            |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        match Text::deserialize(deserializer)? {
            Text::Word(word) if word == "own" => Ok(Self::Own),
            Text::Word(word) if word == "all" => Ok(Self::All),
            Text::List(codes) if !codes.is_empty() && codes.iter().all(is_code) => {
                Ok(Self::Listed(codes))
            }
            Text::Word(_) | Text::List(_) => Err(serde::de::Error::custom(
                "countries are `own`, `all` or a list such as [\"US\"]",
            )),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            session_code: SessionCodePolicy::all(true),
            text_replies: false,
            fallback_seconds: 12,
            expires_in_seconds: 300,
            open_max: 3,
            prompts_per_ten_minutes: 5,
            prompts_per_day: 20,
            prompts_per_hour: 0,
            denials_per_ten_minutes: 2,
            cooldown_seconds: 1_800,
            report_cooldown_seconds: 86_400,
            attempts_max: 5,
            retention_days: 90,
            card_silence_days: 365,
            claims_retention_seconds: 3_600,
            countries: Countries::Own,
            service_numbers: false,
            description_links: false,
            description_in_texts: false,
            receipts: false,
        }
    }
}

impl Policy {
    /// Returns the wait for a delivery receipt before the next route.
    #[must_use]
    pub fn fallback(&self) -> Duration {
        Duration::from_secs(u64::from(self.fallback_seconds.max(5)))
    }

    /// Returns how long released claims can be read.
    #[must_use]
    pub fn claims_retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.claims_retention_seconds))
    }

    /// Returns the silence after which a saved card ends; `None` where cards do not end.
    #[must_use]
    pub fn card_silence(&self) -> Option<Duration> {
        let days = u64::from(self.card_silence_days);
        (days > 0).then(|| Duration::from_secs(days.saturating_mul(86_400)))
    }

    /// Returns how long a closed request is kept.
    #[must_use]
    pub fn retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.retention_days) * 86_400)
    }
}
