//! The settings of kind `adyen`, checked once when the processor is opened.

use domain::brand::{InvalidSettings, Mode, Settings};
use domain::settings::is_withheld;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::labels::RULES;
use super::payment_options::{
    AdyenApplePaySettings, AdyenOffer, AdyenOfferSettings, KeepCardsSettings,
};
use crate::checks::{ThreeDSecure, enabled, is_address, is_country, is_word};
use crate::labels::{InvalidLabels, LabelSettings, Labels};
use crate::wallet_settings::{GooglePaySettings, InvalidWallet};

/// <https://github.com/Adyen/adyen-openapi>, Checkout v72, read 2026-11-23.
const TEST_URL: &str = "https://checkout-test.adyen.com/v72";

/// The settings as the brand's secret has them.
///
/// # Examples
/// Creates a payment link, and redirects the customer to it:
/// ```
#[doc = include_str!("../example.md")]
/// let link = json!({
///     "id": "PL61C53A8B97E6915A", "url": "https://test.adyen.link/PL61C53A8B97E6915A", "status": "active",
///     "merchantAccount": "AcmeECOM", "reference": "req_01J00000000000000000000000.1",
///     "amount": { "value": 4250, "currency": "EUR" },
/// });
/// let http = scripted(vec![link.clone(), link]);
/// let brand = brand("adyen", json!({
///     "api_key": "AQE1",
///     "merchant_account": "AcmeECOM",
///     "hmac_keys": ["44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"],
/// }));
/// let adyen = registry(&http).open(&brand, Mode::Test, &"adyen".parse().unwrap()).unwrap();
///
/// let ask = payment();
/// let attempt = attempt(&ask, &Authorization::Hosted);
/// let Created::Ready(reference) = block_on(adyen.create(&attempt)) else { panic!() };
/// let redirect = Some(RedirectUrl("https://test.adyen.link/PL61C53A8B97E6915A".to_owned()));
/// assert_eq!(block_on(adyen.confirm(&attempt, &reference)), Confirmed::RequiresAction { redirect });
/// ```
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdyenSettings {
    /// Sent as `X-API-Key`.
    api_key: SecretString,
    /// The account under which payments are made.
    merchant_account: String,
    /// Further accounts whose webhooks are accepted, such as a former one.
    #[serde(default)]
    merchant_accounts: Vec<String>,
    /// `<random hex>-<CompanyName>`; live mode needs it.
    ///
    /// UNVERIFIED: the format. Copy the prefix from the Customer Area (Developers > API URLs) before going live.
    live_prefix: Option<String>,
    /// The address of a stand-in for Adyen, with the version. Test mode only.
    base_url: Option<String>,
    /// The webhook's keys in hexadecimal, two while one is rotated. Without webhooks no payment's result is known.
    hmac_keys: HmacKeys,
    /// The customers' country: ISO 3166-1 alpha-2.
    country: Option<String>,
    /// Whether customers may pay on Adyen's own page.
    #[serde(default = "enabled")]
    pay_by_link: bool,
    /// The payment methods of that page, in Adyen's spelling. Each must be authorised at once, without a later result.
    #[serde(default = "default_payment_methods")]
    allowed_payment_methods: Vec<String>,
    /// The currency in which cards are saved; `None` where saving is off.
    keep_cards: Option<KeepCardsSettings>,
    /// Google Pay on the consent page.
    google_pay: Option<GooglePaySettings>,
    /// Apple Pay on the consent page.
    apple_pay: Option<AdyenApplePaySettings>,
    /// The hours from authorisation to capture. Until the capture a mistaken payment is cancelled, not refunded.
    #[serde(default = "default_capture_delay")]
    capture_delay_hours: u16,
    /// How a payment that asks for 3-D Secure is handled.
    #[serde(default)]
    three_d_secure: ThreeDSecure,
    /// What of a request goes to Adyen as metadata, and the text on the statement.
    #[serde(default)]
    labels: LabelSettings,
}

const fn default_capture_delay() -> u16 {
    1
}

fn default_payment_methods() -> Vec<String> {
    ["scheme", "applepay", "googlepay"].map(str::to_owned).to_vec()
}

/// One merchant account at Adyen, ready to be called.
pub(super) struct AdyenAccount {
    pub(super) mode: Mode,
    /// Marked as sensitive, so that `Debug` hides it.
    pub(super) api_key: HeaderValue,
    pub(super) merchant_account: String,
    accepted: Vec<String>,
    /// The address without a trailing slash.
    pub(super) base_url: String,
    pub(super) hmac_keys: Vec<Zeroizing<Vec<u8>>>,
    pub(super) country: Option<String>,
    pub(super) allowed_payment_methods: Vec<String>,
    pub(super) capture_delay_hours: u16,
    pub(super) three_d_secure: ThreeDSecure,
    pub(super) offer: AdyenOffer,
    pub(super) labels: Labels,
}

/// The reason why settings cannot be used. No setting's value is quoted.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidAdyenSettings {
    #[error("failed to read the settings")]
    Unread(#[source] InvalidSettings),
    #[error("api_key is empty or no header value")]
    ApiKey,
    #[error(
        "merchant_account has other characters than letters, digits, dots, dashes and underscores"
    )]
    MerchantAccount,
    #[error("live_prefix is missing in live mode, or set in test mode")]
    LivePrefix,
    #[error("base_url is not an http or https address without a query, or set in live mode")]
    BaseUrl,
    #[error("hmac_keys is empty, or a key is not 64 hexadecimal digits")]
    HmacKey,
    #[error("country is not two capital letters")]
    Country,
    #[error("allowed_payment_methods is empty, or a method is malformed")]
    PaymentMethod,
    #[error("capture_delay_hours is not 1 to 672")]
    CaptureDelay,
    #[error("keep_cards needs pay_by_link, which is off")]
    KeepCards,
    #[error(transparent)]
    Labels(InvalidLabels),
    #[error("a wallet's settings are invalid")]
    Wallet(#[source] InvalidWallet),
}

impl AdyenAccount {
    /// Reads and checks the settings of one mode.
    pub(super) fn read(mode: Mode, settings: &Settings) -> Result<Self, InvalidAdyenSettings> {
        let text: AdyenSettings = settings.read().map_err(InvalidAdyenSettings::Unread)?;
        let mut accepted = text.merchant_accounts;
        accepted.push(text.merchant_account.clone());
        if !accepted.iter().all(|account| is_word(account, 80, "._-")) {
            return Err(InvalidAdyenSettings::MerchantAccount);
        }
        if text.country.as_deref().is_some_and(|country| !is_country(country)) {
            return Err(InvalidAdyenSettings::Country);
        }
        let methods = &text.allowed_payment_methods;
        if methods.is_empty() || !methods.iter().all(|method| is_word(method, 50, "_")) {
            return Err(InvalidAdyenSettings::PaymentMethod);
        }
        // A mistaken authorisation is cancelled within the hour. It must not be captured before.
        if !(1..=672).contains(&text.capture_delay_hours) {
            return Err(InvalidAdyenSettings::CaptureDelay);
        }
        if text.keep_cards.is_some() && !text.pay_by_link {
            return Err(InvalidAdyenSettings::KeepCards);
        }
        let offer = AdyenOfferSettings {
            merchant_account: &text.merchant_account,
            pay_by_link: text.pay_by_link,
            keep_cards: text.keep_cards,
            google_pay: text.google_pay,
            apple_pay: text.apple_pay,
        };
        Ok(Self {
            mode,
            api_key: api_key(&text.api_key)?,
            offer: AdyenOffer::new(mode, offer).map_err(InvalidAdyenSettings::Wallet)?,
            accepted,
            base_url: address(mode, text.live_prefix.as_deref(), text.base_url.as_deref())?,
            hmac_keys: hmac_keys(&text.hmac_keys)?,
            country: text.country,
            merchant_account: text.merchant_account,
            allowed_payment_methods: text.allowed_payment_methods,
            capture_delay_hours: text.capture_delay_hours,
            three_d_secure: text.three_d_secure,
            labels: Labels::new(text.labels, &RULES).map_err(InvalidAdyenSettings::Labels)?,
        })
    }

    /// Returns whether a webhook about that merchant account is for this brand.
    pub(super) fn accepts(&self, merchant_account: &str) -> bool {
        self.accepted.iter().any(|accepted| accepted == merchant_account)
    }
}

fn api_key(key: &SecretString) -> Result<HeaderValue, InvalidAdyenSettings> {
    let key = key.expose_secret();
    match HeaderValue::try_from(key) {
        Ok(mut value) if !key.trim().is_empty() => {
            value.set_sensitive(true);
            Ok(value)
        }
        Ok(_) | Err(_) => Err(InvalidAdyenSettings::ApiKey),
    }
}

/// The keys of webhooks. A function that may not read them verifies none.
#[derive(Deserialize)]
#[serde(untagged)]
enum HmacKeys {
    List(Vec<SecretString>),
    Text(SecretString),
}

fn hmac_keys(keys: &HmacKeys) -> Result<Vec<Zeroizing<Vec<u8>>>, InvalidAdyenSettings> {
    let keys = match keys {
        HmacKeys::List(keys) => keys,
        HmacKeys::Text(text) if is_withheld(text) => return Ok(Vec::new()),
        HmacKeys::Text(_) => return Err(InvalidAdyenSettings::HmacKey),
    };
    if keys.is_empty() {
        return Err(InvalidAdyenSettings::HmacKey);
    }
    let decoded = keys.iter().map(|key| match hex::decode(key.expose_secret()) {
        Ok(bytes) if bytes.len() == 32 => Ok(Zeroizing::new(bytes)),
        Ok(_) | Err(_) => Err(InvalidAdyenSettings::HmacKey),
    });
    decoded.collect()
}

fn address(
    mode: Mode,
    prefix: Option<&str>,
    base: Option<&str>,
) -> Result<String, InvalidAdyenSettings> {
    match (mode, prefix, base) {
        (Mode::Test, None, None) => Ok(TEST_URL.to_owned()),
        (Mode::Test, None, Some(base)) => {
            let fits = is_address(base, mode);
            fits.then(|| base.trim_end_matches('/').to_owned()).ok_or(InvalidAdyenSettings::BaseUrl)
        }
        // Live addresses have the extra segment `/checkout` (adyen-openapi, Checkout v72, read 2026-11-23).
        (Mode::Live, Some(prefix), None) if is_word(prefix, 60, "-") => {
            Ok(format!("https://{prefix}-checkout-live.adyenpayments.com/checkout/v72"))
        }
        (Mode::Live, _, Some(_)) => Err(InvalidAdyenSettings::BaseUrl),
        (Mode::Live, Some(_) | None, None) | (Mode::Test, Some(_), _) => {
            Err(InvalidAdyenSettings::LivePrefix)
        }
    }
}
