//! The destinations of a brand's webhook events: a URL, an EventBridge bus, or both.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::brand::Mode;
use crate::settings;
use crate::values::address;
use crate::webhook;

/// The destinations that webhook events are delivered to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpoint {
    /// The URL, `https` and public except on a local machine; `None` where only the bus gets events.
    #[serde(default)]
    pub url: Option<String>,
    /// The signing secrets, `whsec_` and base64. Each of them signs, so that a rotation has no gap. The bus needs none.
    #[serde(default, deserialize_with = "settings::secrets")]
    pub secrets: Vec<SecretString>,
    /// The ARN of an EventBridge bus; `None` where no bus gets events.
    #[serde(default)]
    pub eventbridge: Option<String>,
    /// The address of a stand-in for EventBridge; `None` for the region's own.
    #[serde(default)]
    pub eventbridge_base_url: Option<String>,
}

/// A destination of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// The brand's URL.
    #[default]
    Url,
    /// The EventBridge bus.
    Eventbridge,
}

impl Destination {
    /// Returns whether it is the URL.
    #[must_use]
    pub fn is_url(&self) -> bool {
        *self == Self::Url
    }
}

/// An EventBridge bus, by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventBus {
    /// The whole ARN.
    pub arn: String,
    /// The region of the bus.
    pub region: String,
    /// The address of the region's service, or of a stand-in, without a slash at its end.
    pub base: String,
}

impl EventBus {
    /// Reads the ARN of a bus; `None` for another text.
    ///
    /// Source: the API model and the endpoint rules of `events` in botocore 1.43.106, read 2026-11-26.
    ///
    /// ```
    /// use domain::brand::EventBus;
    ///
    /// let bus = EventBus::read("arn:aws:events:eu-west-1:123456789012:event-bus/orders").unwrap();
    /// assert_eq!(bus.base, "https://events.eu-west-1.amazonaws.com");
    /// assert!(EventBus::read("orders").is_none());
    /// ```
    #[must_use]
    pub fn read(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [start, partition, service, region, account, bus] = parts.as_slice() else {
            return None;
        };
        let suffix = match *partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            _ => return None,
        };
        let of = |text: &str, most: usize, other: &str| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || other.contains(c);
            (1..=most).contains(&text.len()) && text.chars().all(is_part)
        };
        let is_bus = bus.strip_prefix("event-bus/").is_some_and(|name| of(name, 256, "._-/"));
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let is_sound = *start == "arn" && *service == "events" && of(region, 30, "-");
        (is_sound && is_account && is_bus).then(|| Self {
            arn: arn.to_owned(),
            region: (*region).to_owned(),
            base: format!("https://events.{region}.{suffix}"),
        })
    }
}

impl WebhookEndpoint {
    /// Returns whether webhooks of this mode may be sent to the URL.
    #[must_use]
    pub fn is_reachable(&self, mode: Mode) -> bool {
        self.url.as_deref().is_some_and(|url| address::is_allowed(url, mode))
    }

    /// Returns the destinations that it has.
    #[must_use]
    pub fn destinations(&self) -> Vec<Destination> {
        let bus = self.eventbridge.as_ref().map(|_arn| Destination::Eventbridge);
        let url = self.url.as_ref().map(|_url| Destination::Url);
        bus.into_iter().chain(url).collect()
    }

    /// Returns the bus; `None` without one, and for one that this mode may not have.
    #[must_use]
    pub fn bus(&self, mode: Mode) -> Option<EventBus> {
        let bus = EventBus::read(self.eventbridge.as_deref()?)?;
        match self.eventbridge_base_url.as_deref() {
            None => Some(bus),
            Some(base) if address::is_allowed(base, mode) => {
                Some(EventBus { base: base.trim_end_matches('/').to_owned(), ..bus })
            }
            Some(_) => None,
        }
    }

    /// Returns the texts of the signing secrets.
    pub fn secret_texts(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(ExposeSecret::expose_secret)
    }

    /// Returns the names of the settings that cannot be used in this mode.
    #[must_use]
    pub fn unusable_settings(&self, mode: Mode) -> Vec<String> {
        let mut names = Vec::new();
        if self.eventbridge.as_deref().is_some_and(|arn| EventBus::read(arn).is_none()) {
            names.push("eventbridge".to_owned());
        } else if self.eventbridge.is_some() && self.bus(mode).is_none() {
            names.push("eventbridge_base_url".to_owned());
        }
        // An endpoint has a URL unless it has a bus.
        let wants_url = self.url.is_some() || self.eventbridge.is_none();
        if wants_url && !self.is_reachable(mode) {
            names.push("url".to_owned());
        }
        if wants_url && self.secrets.is_empty() {
            names.push("secrets".to_owned());
        }
        let secrets = self.secret_texts().enumerate();
        let bad = secrets.filter(|(_, secret)| webhook::signing_key(secret).is_err());
        names.extend(bad.map(|(place, _)| format!("secrets[{place}]")));
        names
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ARN: &str = "arn:aws:events:eu-west-1:123456789012:event-bus/orders";

    fn unusable(settings: &Value, mode: Mode) -> Vec<String> {
        let endpoint: WebhookEndpoint = serde_json::from_value(settings.clone()).unwrap();
        endpoint.unusable_settings(mode)
    }

    #[test]
    fn bus_is_an_arn_of_a_bus() {
        let china = EventBus::read("arn:aws-cn:events:cn-north-1:123456789012:event-bus/default");
        assert_eq!(china.unwrap().base, "https://events.cn-north-1.amazonaws.com.cn");
        for bad in [
            "",
            "orders",
            "arn:aws:events:eu-west-1:123456789012:rule/orders",
            "arn:aws:events:eu-west-1:123456789012:event-bus/",
            "arn:aws:events:eu-west-1:12345678901:event-bus/orders",
            "arn:aws:events::123456789012:event-bus/orders",
            "arn:aws:events:eu.evil/:123456789012:event-bus/orders",
            "arn:aws:events:eu-west-1:123456789012:event-bus/a b",
            "arn:aws:sns:eu-west-1:123456789012:event-bus/orders",
            "arn:other:events:eu-west-1:123456789012:event-bus/orders",
            "arn:aws:events:eu-west-1:123456789012:event-bus/orders\nx",
        ] {
            assert_eq!(EventBus::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn endpoint_needs_a_url_with_secrets_or_a_bus() {
        let secrets = json!(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
        let url = "https://shop.example/hooks";
        for (settings, names) in [
            (json!({ "url": url, "secrets": secrets }), vec![]),
            (json!({ "eventbridge": ARN }), vec![]),
            (json!({ "eventbridge": ARN, "url": url, "secrets": secrets }), vec![]),
            (json!({}), vec!["url", "secrets"]),
            (json!({ "url": url }), vec!["secrets"]),
            (json!({ "secrets": secrets }), vec!["url"]),
            (json!({ "eventbridge": "orders" }), vec!["eventbridge"]),
            (json!({ "eventbridge": ARN, "url": url }), vec!["secrets"]),
            (json!({ "eventbridge": ARN, "url": "ftp://a", "secrets": secrets }), vec!["url"]),
        ] {
            assert_eq!(unusable(&settings, Mode::Live), names, "{settings}");
        }
        let base = json!({ "eventbridge": ARN, "eventbridge_base_url": "http://127.0.0.1:4566/" });
        assert_eq!(unusable(&base, Mode::Live), ["eventbridge_base_url"]);
        assert!(unusable(&base, Mode::Test).is_empty());
    }
}
