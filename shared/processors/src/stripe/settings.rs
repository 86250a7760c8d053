//! The settings of kind `stripe`, checked once when the processor is opened.

use domain::brand::{InvalidSettings, Mode, Settings};
use domain::settings::{WITHHELD, secrets};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::ids::is_id;
use super::labels::RULES;
use super::payment_options::{StripeApplePaySettings, StripeOffer, StripeOfferSettings};
use crate::checks::{ThreeDSecure, enabled, is_address, is_api_key};
use crate::labels::{InvalidLabels, LabelSettings, Labels};
use crate::wallet_settings::{GooglePaySettings, InvalidWallet};

const BASE_URL: &str = "https://api.stripe.com";
/// The newest version that still takes `payment_method_types`. Without the header, the account's own default applies.
///
/// <https://github.com/stripe/openapi>, read 2026-11-23: the parameter went with `2026-09-30.endive`.
const API_VERSION: &str = "2026-08-26.dahlia";

/// The settings as the brand's secret has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StripeSettings {
    /// `sk_test_…` or `rk_test_…`; `sk_live_…` or `rk_live_…` in live mode.
    secret_key: SecretString,
    /// `pk_test_…` or `pk_live_…`, which the page passes to Google Pay.
    publishable_key: Option<String>,
    /// Google Pay on the consent page.
    google_pay: Option<GooglePaySettings>,
    /// Apple Pay on the consent page.
    apple_pay: Option<StripeApplePaySettings>,
    /// Whether customers may pay on Stripe's own page.
    #[serde(default = "enabled")]
    hosted: bool,
    /// How a card that asks for 3-D Secure is handled.
    #[serde(default)]
    three_d_secure: ThreeDSecure,
    /// `whsec_…` of the webhook's endpoint: two while the secret is rolled.
    #[serde(default, deserialize_with = "secrets")]
    webhook_secrets: Vec<SecretString>,
    /// The connected account, `acct_…`, for which a platform calls and whose events are read.
    connected_account: Option<String>,
    /// What of a request goes to Stripe as metadata, and the text on the statement.
    #[serde(default)]
    labels: LabelSettings,
    /// The address of a stand-in for Stripe. Test mode only.
    base_url: Option<String>,
    /// The value of the header `Stripe-Version`.
    api_version: Option<String>,
    /// The parameters to leave out, since stand-ins refuse those they do not know.
    #[serde(default)]
    omit: Vec<Parameter>,
    /// The name of the parameter that lists payment method types, which changed with `2026-09-30.endive`.
    #[serde(default)]
    payment_method_types: TypesName,
}

/// The parameters that Stripe takes and a stand-in may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Parameter {
    /// `adaptive_pricing[enabled]=false`: Checkout charges the currency of the ask.
    AdaptivePricing,
    /// `description`: the purpose of the payment.
    Description,
    /// `error_on_requires_action`: refuses a card that asks for 3-D Secure.
    ErrorOnRequiresAction,
    /// `expand`: returns the charge too, which has the card's brand and last digits.
    Expand,
    /// `payment_method_types`: the kinds of payment method that may be used.
    PaymentMethodTypes,
    /// `return_url`: the page to which the customer returns from 3-D Secure.
    ReturnUrl,
}

/// The name of the parameter that lists payment method types.
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

/// The parameters that the other side takes, and the choices among them.
pub(super) struct Dialect {
    omit: Vec<Parameter>,
    pub(super) payment_method_types: TypesName,
    pub(super) three_d_secure: ThreeDSecure,
    pub(super) labels: Labels,
}

impl Dialect {
    pub(super) fn takes(&self, parameter: Parameter) -> bool {
        !self.omit.contains(&parameter)
    }
}

/// One Stripe account, ready to be called.
pub(crate) struct StripeAccount {
    /// Marked as sensitive, so that `Debug` hides it.
    pub(super) authorization: HeaderValue,
    pub(super) version: HeaderValue,
    /// The address without a trailing slash.
    pub(super) base_url: String,
    pub(super) dialect: Dialect,
    /// The connected account for which the calls are made.
    pub(super) connected: Option<String>,
    pub(super) mode: Mode,
    pub(super) offer: StripeOffer,
    pub(super) webhook_secrets: Vec<SecretString>,
}

/// The reason why settings cannot be used. No setting's value is quoted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidStripeSettings {
    #[error("failed to read the settings")]
    Unread(#[source] InvalidSettings),
    #[error("secret_key is not one of this mode (sk_test_, rk_test_ or sk_live_, rk_live_)")]
    Key,
    #[error("base_url is not an http or https address without a query")]
    BaseUrl,
    #[error("base_url is for test mode only")]
    BaseUrlInLiveMode,
    #[error("api_version is not a stripe version")]
    Version,
    #[error("webhook_secrets has an empty secret")]
    WebhookSecret,
    #[error("connected_account is not an account's id (acct_)")]
    ConnectedAccount,
    #[error(transparent)]
    Labels(InvalidLabels),
    #[error("a wallet's settings are invalid")]
    Wallet(#[source] InvalidWallet),
}

impl From<InvalidWallet> for InvalidStripeSettings {
    fn from(error: InvalidWallet) -> Self {
        Self::Wallet(error)
    }
}

impl StripeAccount {
    /// Reads and checks the settings of one mode.
    pub(super) fn read(mode: Mode, settings: &Settings) -> Result<Self, InvalidStripeSettings> {
        let text: StripeSettings = settings.read().map_err(InvalidStripeSettings::Unread)?;
        if text.webhook_secrets.iter().any(|secret| secret.expose_secret().trim().is_empty()) {
            return Err(InvalidStripeSettings::WebhookSecret);
        }
        if text.connected_account.as_ref().is_some_and(|id| !is_id(id, "acct_")) {
            return Err(InvalidStripeSettings::ConnectedAccount);
        }
        let labels = Labels::new(text.labels, &RULES).map_err(InvalidStripeSettings::Labels)?;
        let version = text.api_version.as_deref().unwrap_or(API_VERSION);
        let offer = StripeOfferSettings {
            publishable_key: text.publishable_key,
            connected_account: text.connected_account.clone(),
            google_pay: text.google_pay,
            apple_pay: text.apple_pay,
            hosted: text.hosted,
        };
        Ok(Self {
            authorization: authorization(mode, &text.secret_key)?,
            offer: StripeOffer::new(mode, offer, version)?,
            version: self::version(version)?,
            base_url: address(mode, text.base_url.as_deref())?,
            dialect: Dialect {
                omit: text.omit,
                payment_method_types: text.payment_method_types,
                three_d_secure: text.three_d_secure,
                labels,
            },
            connected: text.connected_account,
            mode,
            webhook_secrets: text.webhook_secrets,
        })
    }

    /// Returns the sandbox's account, which does not exist at Stripe.
    pub(crate) fn sandbox(
        offer: StripeOffer,
        labels: LabelSettings,
    ) -> Result<Self, InvalidStripeSettings> {
        let labels = Labels::new(labels, &RULES).map_err(InvalidStripeSettings::Labels)?;
        Ok(Self {
            authorization: authorization(Mode::Test, &"sk_test_sandbox".into())?,
            offer,
            version: version(API_VERSION)?,
            base_url: BASE_URL.to_owned(),
            dialect: Dialect {
                omit: Vec::new(),
                payment_method_types: TypesName::default(),
                three_d_secure: ThreeDSecure::default(),
                labels,
            },
            connected: None,
            mode: Mode::Test,
            webhook_secrets: Vec::new(),
        })
    }
}

fn authorization(mode: Mode, key: &SecretString) -> Result<HeaderValue, InvalidStripeSettings> {
    let key = key.expose_secret();
    let prefixes = match mode {
        Mode::Test => ["sk_test_", "rk_test_"],
        Mode::Live => ["sk_live_", "rk_live_"],
    };
    // A function that may not read the key makes no call.
    let fits = key == WITHHELD || prefixes.iter().any(|prefix| is_api_key(key, prefix));
    match HeaderValue::try_from(format!("Bearer {key}")) {
        Ok(mut value) if fits => {
            value.set_sensitive(true);
            Ok(value)
        }
        Ok(_) | Err(_) => Err(InvalidStripeSettings::Key),
    }
}

fn version(text: &str) -> Result<HeaderValue, InvalidStripeSettings> {
    let fits = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b));
    match HeaderValue::try_from(text) {
        Ok(value) if fits => Ok(value),
        Ok(_) | Err(_) => Err(InvalidStripeSettings::Version),
    }
}

fn address(mode: Mode, base_url: Option<&str>) -> Result<String, InvalidStripeSettings> {
    let Some(text) = base_url else { return Ok(BASE_URL.to_owned()) };
    match mode {
        Mode::Test => {}
        Mode::Live => return Err(InvalidStripeSettings::BaseUrlInLiveMode),
    }
    if !is_address(text, mode) {
        return Err(InvalidStripeSettings::BaseUrl);
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(
        mode: Mode,
        settings: &serde_json::Value,
    ) -> Result<StripeAccount, InvalidStripeSettings> {
        let Some(map) = settings.as_object() else { panic!("settings are an object") };
        StripeAccount::read(mode, &map.clone().into())
    }

    #[test]
    fn secret_key_of_the_other_mode_is_refused_and_not_quoted() {
        for (mode, key) in [
            (Mode::Test, "sk_live_s3cr3t"),
            (Mode::Live, "rk_test_s3cr3t"),
            (Mode::Test, "pk_test_s3cr3t"),
            (Mode::Test, "sk_test_"),
            (Mode::Test, "sk_test_s3cr3t\n"),
        ] {
            let error = read(mode, &json!({ "secret_key": key })).err().unwrap();
            assert!(matches!(error, InvalidStripeSettings::Key), "{key}");
            assert!(!format!("{error:?} {error}").contains("s3cr3t"));
        }
        assert!(read(Mode::Test, &json!({ "secret_key": "rk_test_a1" })).is_ok());
        assert!(read(Mode::Live, &json!({ "secret_key": "sk_live_a1" })).is_ok());
    }

    #[test]
    fn base_url_in_live_mode_is_refused() {
        let base_url = "http://127.0.0.1:8420/";
        let live = json!({ "secret_key": "sk_live_a", "base_url": base_url });
        assert!(matches!(
            read(Mode::Live, &live).err(),
            Some(InvalidStripeSettings::BaseUrlInLiveMode)
        ));
        let test = json!({ "secret_key": "sk_test_a", "base_url": base_url });
        assert_eq!(read(Mode::Test, &test).ok().unwrap().base_url, "http://127.0.0.1:8420");
        for bad in ["ftp://x", "x", "http://u:p@x", "http://x/?a=b", "http://x/#f", ""] {
            let bad = json!({ "secret_key": "sk_test_a", "base_url": bad });
            assert!(matches!(read(Mode::Test, &bad).err(), Some(InvalidStripeSettings::BaseUrl)));
        }
    }

    #[test]
    fn settings_with_an_unknown_or_malformed_field_are_refused() {
        let unknown = json!({ "secret_key": "sk_test_a", "base": "http://x" });
        assert!(matches!(read(Mode::Test, &unknown).err(), Some(InvalidStripeSettings::Unread(_))));
        let version = json!({ "secret_key": "sk_test_a", "api_version": "new\r\nest" });
        assert!(matches!(read(Mode::Test, &version).err(), Some(InvalidStripeSettings::Version)));
        for secrets in [json!([""]), json!(["whsec_a", " "])] {
            let empty = json!({ "secret_key": "sk_test_a", "webhook_secrets": secrets });
            assert!(matches!(
                read(Mode::Test, &empty).err(),
                Some(InvalidStripeSettings::WebhookSecret)
            ));
        }
    }
}
