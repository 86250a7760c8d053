//! What a brand's settings say about its Adyen account, checked once.

use domain::brand::{InvalidSettings, Mode, Settings};
use domain::values::money::Currency;
use http::{HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::payment_options::{ApplePayText, InvalidWay, Offer, OfferText};
use crate::wallets::GooglePayText;

const TEST_URL: &str = "https://checkout-test.adyen.com/v72";

/// The settings of kind `adyen`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// Sent as `X-API-Key`.
    api_key: SecretString,
    /// Under which payments are made.
    merchant_account: String,
    /// Further accounts whose webhooks are taken, such as one that payments were made under before.
    #[serde(default)]
    merchant_accounts: Vec<String>,
    /// `<random hex>-<CompanyName>`, from the Customer Area. Live mode needs it.
    live_prefix: Option<String>,
    /// Where Adyen, or a stand-in for it, is, with the version. Test mode only.
    base_url: Option<String>,
    /// In hexadecimal, as the Customer Area shows them: two while one is rotated. Without webhooks no payment can be told.
    hmac_keys: Vec<SecretString>,
    /// Where customers are: ISO 3166, two letters.
    country: Option<String>,
    /// Whether customers may go on to Adyen's own page.
    #[serde(default = "yes")]
    pay_by_link: bool,
    /// What customers may pay with on that page, in Adyen's words. Each must be told at once whether it worked.
    #[serde(default = "methods")]
    allowed_payment_methods: Vec<String>,
    /// Whether cards may be put on file, and in which currency that is asked for.
    keep_cards: Option<KeepCards>,
    /// Google Pay on the consent page.
    google_pay: Option<GooglePayText>,
    /// Apple Pay on the consent page.
    apple_pay: Option<ApplePayText>,
    /// How many hours after the authorisation money is captured: until then a mistake is cancelled, not refunded.
    #[serde(default = "one")]
    capture_delay_hours: u16,
    /// What becomes of a payment that wants 3-D Secure.
    #[serde(default)]
    three_d_secure: ThreeDSecure,
}

/// Cards on file. A card is checked with an amount of zero, which has a currency all the same.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeepCards {
    pub(super) currency: Currency,
}

/// What becomes of a payment that wants 3-D Secure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ThreeDSecure {
    /// The customer goes on to the bank's page, and comes back.
    #[default]
    Redirect,
    /// It is refused, and another card may be tried.
    Refuse,
}

const fn yes() -> bool {
    true
}

const fn one() -> u16 {
    1
}

fn methods() -> Vec<String> {
    ["scheme", "applepay", "googlepay"].map(str::to_owned).to_vec()
}

/// One merchant account at Adyen.
pub(super) struct Account {
    pub(super) mode: Mode,
    /// Marked as sensitive, so that no `Debug` shows it.
    pub(super) api_key: HeaderValue,
    pub(super) merchant_account: String,
    accepted: Vec<String>,
    /// Without a slash at its end.
    pub(super) base_url: String,
    pub(super) hmac_keys: Vec<Zeroizing<Vec<u8>>>,
    pub(super) country: Option<String>,
    pub(super) allowed_payment_methods: Vec<String>,
    pub(super) capture_delay_hours: u16,
    pub(super) three_d_secure: ThreeDSecure,
    pub(super) offer: Offer,
}

/// Why settings cannot be used. Nothing of them is quoted.
#[derive(Debug, thiserror::Error)]
pub(super) enum AccountError {
    #[error("the settings cannot be read")]
    Unread(#[source] InvalidSettings),
    #[error("the api key is empty or no header takes it")]
    ApiKey,
    #[error("a merchant account is not one: letters, digits, dots, dashes and underscores")]
    MerchantAccount,
    #[error("live mode needs live_prefix, and test mode takes none")]
    LivePrefix,
    #[error("base_url is not an http or https address without a query, or this is live mode")]
    BaseUrl,
    #[error("hmac_keys needs one key at least, each of 64 hexadecimal digits")]
    HmacKey,
    #[error("a country is two capital letters")]
    Country,
    #[error("a payment method is not one of adyen's words, or there is none")]
    PaymentMethod,
    #[error("capture_delay_hours is 1 to 672")]
    CaptureDelay,
    #[error("cards are kept by pay_by_link, which is off")]
    KeepCards,
    #[error("a wallet cannot be used")]
    PaymentOption(#[source] InvalidWay),
}

impl Account {
    pub(super) fn read(mode: Mode, settings: &Settings) -> Result<Self, AccountError> {
        let text: Text = settings.read().map_err(AccountError::Unread)?;
        let mut accepted = text.merchant_accounts;
        accepted.push(text.merchant_account.clone());
        if !accepted.iter().all(|account| is_word(account, 80, "._-")) {
            return Err(AccountError::MerchantAccount);
        }
        if text.country.as_deref().is_some_and(|country| !is_country(country)) {
            return Err(AccountError::Country);
        }
        let methods = &text.allowed_payment_methods;
        if methods.is_empty() || !methods.iter().all(|method| is_word(method, 50, "_")) {
            return Err(AccountError::PaymentMethod);
        }
        // A mistaken authorisation is cancelled within the hour: it must not be captured by then.
        if !(1..=672).contains(&text.capture_delay_hours) {
            return Err(AccountError::CaptureDelay);
        }
        if text.keep_cards.is_some() && !text.pay_by_link {
            return Err(AccountError::KeepCards);
        }
        let offer = OfferText {
            merchant_account: &text.merchant_account,
            pay_by_link: text.pay_by_link,
            keep_cards: text.keep_cards,
            google_pay: text.google_pay,
            apple_pay: text.apple_pay,
        };
        Ok(Self {
            mode,
            api_key: api_key(&text.api_key)?,
            offer: Offer::new(mode, offer).map_err(AccountError::PaymentOption)?,
            accepted,
            base_url: address(mode, text.live_prefix.as_deref(), text.base_url.as_deref())?,
            hmac_keys: hmac_keys(&text.hmac_keys)?,
            country: text.country,
            merchant_account: text.merchant_account,
            allowed_payment_methods: text.allowed_payment_methods,
            capture_delay_hours: text.capture_delay_hours,
            three_d_secure: text.three_d_secure,
        })
    }

    /// Whether webhooks about that merchant account are for us.
    pub(super) fn accepts(&self, merchant_account: &str) -> bool {
        self.accepted.iter().any(|accepted| accepted == merchant_account)
    }
}

fn api_key(key: &SecretString) -> Result<HeaderValue, AccountError> {
    let key = key.expose_secret();
    match HeaderValue::try_from(key) {
        Ok(mut value) if !key.trim().is_empty() => {
            value.set_sensitive(true);
            Ok(value)
        }
        Ok(_) | Err(_) => Err(AccountError::ApiKey),
    }
}

fn hmac_keys(keys: &[SecretString]) -> Result<Vec<Zeroizing<Vec<u8>>>, AccountError> {
    if keys.is_empty() {
        return Err(AccountError::HmacKey);
    }
    let decoded = keys.iter().map(|key| match hex::decode(key.expose_secret()) {
        Ok(bytes) if bytes.len() == 32 => Ok(Zeroizing::new(bytes)),
        Ok(_) | Err(_) => Err(AccountError::HmacKey),
    });
    decoded.collect()
}

fn address(mode: Mode, prefix: Option<&str>, base: Option<&str>) -> Result<String, AccountError> {
    match (mode, prefix, base) {
        (Mode::Test, None, None) => Ok(TEST_URL.to_owned()),
        (Mode::Test, None, Some(base)) => {
            let fits = is_address(base, &["http", "https"]);
            fits.then(|| base.trim_end_matches('/').to_owned()).ok_or(AccountError::BaseUrl)
        }
        // Live addresses have a segment more than those of the test platform.
        (Mode::Live, Some(prefix), None) if is_word(prefix, 60, "-") => {
            Ok(format!("https://{prefix}-checkout-live.adyenpayments.com/checkout/v72"))
        }
        (Mode::Live, _, Some(_)) => Err(AccountError::BaseUrl),
        (Mode::Live, Some(_) | None, None) | (Mode::Test, Some(_), _) => {
            Err(AccountError::LivePrefix)
        }
    }
}

pub(super) fn is_address(text: &str, schemes: &[&str]) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let known = uri.scheme_str().is_some_and(|scheme| schemes.contains(&scheme));
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    known && plain && uri.query().is_none() && !text.contains('#')
}

/// A short word of letters, digits and these.
pub(super) fn is_word(text: &str, length_max: usize, also: &str) -> bool {
    (1..=length_max).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.as_bytes().contains(&byte))
}

pub(super) fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
