//! What a brand's settings say about its Stripe account, checked once.

use domain::brand::{InvalidSettings, Mode, Settings};
use http::{HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::payment_options::{InvalidWay, Offer, OfferText};

const BASE_URL: &str = "https://api.stripe.com";
/// The newest version that still takes `payment_method_types`; without a version the account's own default applies.
const API_VERSION: &str = "2026-08-26.dahlia";

/// The settings of kind `stripe`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// `sk_test_…` or `rk_test_…`; `sk_live_…` or `rk_live_…` in live mode.
    secret_key: SecretString,
    /// `pk_test_…` or `pk_live_…`, which Google Pay is told.
    publishable_key: Option<String>,
    /// Google Pay on the consent page.
    google_pay: Option<super::payment_options::GooglePayText>,
    /// Apple Pay on the consent page.
    apple_pay: Option<super::payment_options::ApplePayText>,
    /// Whether customers may go on to Stripe's own page.
    #[serde(default = "yes")]
    hosted: bool,
    /// What becomes of a card that wants 3-D Secure.
    #[serde(default)]
    three_d_secure: ThreeDSecure,
    /// `whsec_…` of the webhook's endpoint: two while one is rolled.
    #[serde(default)]
    webhook_secrets: Vec<SecretString>,
    /// Where Stripe, or a stand-in for it, is. Test mode only.
    base_url: Option<String>,
    /// The API version to ask for.
    api_version: Option<String>,
    /// What to leave out, as stand-ins refuse what they do not know.
    #[serde(default)]
    omit: Vec<Parameter>,
    /// What the list of payment method types is called, which changes with `2026-09-30.endive`.
    #[serde(default)]
    payment_method_types: TypesName,
}

pub(super) const fn yes() -> bool {
    true
}

/// What becomes of a card that wants 3-D Secure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ThreeDSecure {
    /// The customer goes on to the bank's page, and comes back.
    #[default]
    Redirect,
    /// It is refused, and another card may be tried.
    Refuse,
}

/// Parameters that Stripe takes and stand-ins may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Parameter {
    /// Checkout keeps to the currency that was asked for.
    AdaptivePricing,
    /// What the payment is for.
    Description,
    /// A card that wants 3-D Secure is refused at once.
    ErrorOnRequiresAction,
    /// Answers hold the charge, which has the card's brand and last digits.
    Expand,
    /// Which kinds of payment method may be used.
    PaymentMethodTypes,
    /// Where the customer comes back to from 3-D Secure.
    ReturnUrl,
}

/// What the list of payment method types is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TypesName {
    /// Until `2026-08-26.dahlia`.
    #[default]
    PaymentMethodTypes,
    /// From `2026-09-30.endive`.
    AllowedPaymentMethodTypes,
}

impl TypesName {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentMethodTypes => "payment_method_types",
            Self::AllowedPaymentMethodTypes => "allowed_payment_method_types",
        }
    }
}

/// Which parameters the other side takes, and which of them are wanted.
pub(super) struct Dialect {
    omit: Vec<Parameter>,
    pub(super) payment_method_types: TypesName,
    pub(super) three_d_secure: ThreeDSecure,
}

impl Dialect {
    pub(super) fn takes(&self, parameter: Parameter) -> bool {
        !self.omit.contains(&parameter)
    }
}

/// One Stripe account.
pub(crate) struct Account {
    /// Marked as sensitive, so that no `Debug` shows it.
    pub(super) authorization: HeaderValue,
    pub(super) version: HeaderValue,
    /// Without a slash at its end.
    pub(super) base_url: String,
    pub(super) dialect: Dialect,
    pub(super) mode: Mode,
    pub(super) offer: Offer,
    pub(super) webhook_secrets: Vec<SecretString>,
}

/// Why settings cannot be used. Nothing of them is quoted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    #[error("the settings cannot be read")]
    Unread(#[source] InvalidSettings),
    #[error("the secret key is not one of this mode (sk_test_, rk_test_ or sk_live_, rk_live_)")]
    Key,
    #[error("the base URL is not an http or https address without a query")]
    BaseUrl,
    #[error("a base URL is for test mode only")]
    BaseUrlInLiveMode,
    #[error("the API version is not a Stripe version")]
    Version,
    #[error("a webhook secret is empty")]
    WebhookSecret,
    #[error("a wallet cannot be used")]
    PaymentOption(#[source] InvalidWay),
}

impl From<InvalidWay> for AccountError {
    fn from(error: InvalidWay) -> Self {
        Self::PaymentOption(error)
    }
}

impl Account {
    pub(super) fn read(mode: Mode, settings: &Settings) -> Result<Self, AccountError> {
        let text: Text = settings.read().map_err(AccountError::Unread)?;
        if text.webhook_secrets.iter().any(|secret| secret.expose_secret().trim().is_empty()) {
            return Err(AccountError::WebhookSecret);
        }
        let version = text.api_version.as_deref().unwrap_or(API_VERSION);
        let offer = OfferText {
            publishable_key: text.publishable_key,
            google_pay: text.google_pay,
            apple_pay: text.apple_pay,
            hosted: text.hosted,
        };
        Ok(Self {
            authorization: authorization(mode, &text.secret_key)?,
            offer: Offer::new(mode, offer, version)?,
            version: self::version(version)?,
            base_url: address(mode, text.base_url.as_deref())?,
            dialect: Dialect {
                omit: text.omit,
                payment_method_types: text.payment_method_types,
                three_d_secure: text.three_d_secure,
            },
            mode,
            webhook_secrets: text.webhook_secrets,
        })
    }

    /// The account of the sandbox, which nobody outside has.
    pub(crate) fn sandbox(offer: Offer) -> Result<Self, AccountError> {
        Ok(Self {
            authorization: authorization(Mode::Test, &"sk_test_sandbox".into())?,
            offer,
            version: version(API_VERSION)?,
            base_url: BASE_URL.to_owned(),
            dialect: Dialect {
                omit: Vec::new(),
                payment_method_types: TypesName::default(),
                three_d_secure: ThreeDSecure::default(),
            },
            mode: Mode::Test,
            webhook_secrets: Vec::new(),
        })
    }
}

fn authorization(mode: Mode, key: &SecretString) -> Result<HeaderValue, AccountError> {
    let key = key.expose_secret();
    let prefixes = match mode {
        Mode::Test => ["sk_test_", "rk_test_"],
        Mode::Live => ["sk_live_", "rk_live_"],
    };
    let fits = prefixes.iter().any(|prefix| is_key(key, prefix));
    match HeaderValue::try_from(format!("Bearer {key}")) {
        Ok(mut value) if fits => {
            value.set_sensitive(true);
            Ok(value)
        }
        Ok(_) | Err(_) => Err(AccountError::Key),
    }
}

/// Whether a text is a key of Stripe's of that kind.
pub(super) fn is_key(key: &str, prefix: &str) -> bool {
    key.len() > prefix.len()
        && key.starts_with(prefix)
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn version(text: &str) -> Result<HeaderValue, AccountError> {
    let fits = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b));
    match HeaderValue::try_from(text) {
        Ok(value) if fits => Ok(value),
        Ok(_) | Err(_) => Err(AccountError::Version),
    }
}

fn address(mode: Mode, base_url: Option<&str>) -> Result<String, AccountError> {
    let Some(text) = base_url else { return Ok(BASE_URL.to_owned()) };
    match mode {
        Mode::Test => {}
        Mode::Live => return Err(AccountError::BaseUrlInLiveMode),
    }
    if !is_address(text, &["http", "https"]) {
        return Err(AccountError::BaseUrl);
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Whether a text is an address of one of these schemes, without anything hidden in it.
pub(super) fn is_address(text: &str, schemes: &[&str]) -> bool {
    let fits = text.parse::<Uri>().is_ok_and(|uri| {
        uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.query().is_none()
    });
    fits && !text.contains('#')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(mode: Mode, settings: &serde_json::Value) -> Result<Account, AccountError> {
        let Some(map) = settings.as_object() else { panic!("settings are an object") };
        Account::read(mode, &map.clone().into())
    }

    #[test]
    fn a_key_of_the_other_mode_is_refused_and_never_quoted() {
        for (mode, key) in [
            (Mode::Test, "sk_live_s3cr3t"),
            (Mode::Live, "rk_test_s3cr3t"),
            (Mode::Test, "pk_test_s3cr3t"),
            (Mode::Test, "sk_test_"),
            (Mode::Test, "sk_test_s3cr3t\n"),
        ] {
            let error = read(mode, &json!({ "secret_key": key })).err().unwrap();
            assert!(matches!(error, AccountError::Key), "{key}");
            assert!(!format!("{error:?} {error}").contains("s3cr3t"));
        }
        assert!(read(Mode::Test, &json!({ "secret_key": "rk_test_a1" })).is_ok());
        assert!(read(Mode::Live, &json!({ "secret_key": "sk_live_a1" })).is_ok());
    }

    #[test]
    fn live_money_goes_to_stripe_and_nowhere_else() {
        let base_url = "http://127.0.0.1:8420/";
        let live = json!({ "secret_key": "sk_live_a", "base_url": base_url });
        assert!(matches!(read(Mode::Live, &live).err(), Some(AccountError::BaseUrlInLiveMode)));
        let test = json!({ "secret_key": "sk_test_a", "base_url": base_url });
        assert_eq!(read(Mode::Test, &test).ok().unwrap().base_url, "http://127.0.0.1:8420");
        for bad in ["ftp://x", "x", "http://u:p@x", "http://x/?a=b", "http://x/#f", ""] {
            let bad = json!({ "secret_key": "sk_test_a", "base_url": bad });
            assert!(matches!(read(Mode::Test, &bad).err(), Some(AccountError::BaseUrl)));
        }
    }

    #[test]
    fn a_misspelt_setting_is_found_when_it_is_read() {
        let unknown = json!({ "secret_key": "sk_test_a", "base": "http://x" });
        assert!(matches!(read(Mode::Test, &unknown).err(), Some(AccountError::Unread(_))));
        let version = json!({ "secret_key": "sk_test_a", "api_version": "new\r\nest" });
        assert!(matches!(read(Mode::Test, &version).err(), Some(AccountError::Version)));
        for secrets in [json!([""]), json!(["whsec_a", " "])] {
            let empty = json!({ "secret_key": "sk_test_a", "webhook_secrets": secrets });
            assert!(matches!(read(Mode::Test, &empty).err(), Some(AccountError::WebhookSecret)));
        }
    }
}
