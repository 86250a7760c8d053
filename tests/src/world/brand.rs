//! The brands of a world, their keys, and all their secrets that must not appear elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::brand::Brand;
use domain::digest::digest_hex;
use domain::values::name::BrandName;
use ports::{Secrets, SecretsError};
use serde_json::{Value, json};

use crate::lock::lock;
use crate::providers::{apple, rbm, whatsapp};

/// The demo brand's test key, the same as in `events/`.
pub const TEST_KEY: &str = "sk_test_demo_0123456789abcdef0123456789abcdef";
/// The text of a restricted key, which no brand has unless a test adds it.
pub const RESTRICTED_KEY: &str = "rk_test_demo_fedcba9876543210fedcba9876543210";
/// The demo brand's live key.
pub const LIVE_KEY: &str = "sk_live_demo_00112233445566778899aabbccddeeff";
/// The test key of another brand.
pub const OTHER_KEY: &str = "sk_test_other_89abcdef0123456789abcdef01234567";
/// Where the demo brand takes its webhooks.
pub const WEBHOOKS_URL: &str = "https://shop.example/webhooks";
/// What the demo brand's webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
/// What Twilio signs its callbacks to the demo brand with, the same as in `events/`.
pub const TWILIO_TOKEN: &str = "twilio-auth-token-of-the-demo-brand";

const SEALING_KEY: &str = "YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8=";
const CONSENT_KEY: &str = "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8=";
const ADDRESS_KEY: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=";
const LINK_KEY: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// Every secret of the brands: none of them is ever logged, stored, queued, told or answered.
pub(super) const PLANTED: [&str; 18] = [
    TEST_KEY,
    LIVE_KEY,
    OTHER_KEY,
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
    TWILIO_TOKEN,
    apple::SECRET,
    apple::KEY_LINE,
    apple::TOKEN_DATA,
    whatsapp::ACCESS_TOKEN,
    whatsapp::APP_SECRET,
    whatsapp::VERIFY_TOKEN,
    rbm::CLIENT_TOKEN,
    rbm::KEY_LINE,
    rbm::TOKEN_PREFIX,
    SEALING_KEY,
    CONSENT_KEY,
    ADDRESS_KEY,
    LINK_KEY,
];

/// Twilio's settings, as the demo brand has them in live mode.
#[must_use]
pub fn twilio() -> Value {
    json!({
        "provider": "twilio",
        "account_sid": "AC00000000000000000000000000000000",
        "auth_token": TWILIO_TOKEN,
        "from": "+15005550006",
    })
}

/// The settings of RCS or `WhatsApp` through the same account, from a sender with its scheme.
#[must_use]
pub fn twilio_chat(sender: &str) -> Value {
    let mut picks = json!({
        "content": { "en": "HX2" },
        "variables": [
            "title", "body", "choice_1", "pick_1", "choice_2", "pick_2", "choice_3", "pick_3", "deny",
        ],
    });
    if sender.starts_with("whatsapp:") {
        picks["only_in_window"] = json!(true);
    }
    let mut settings = twilio();
    settings["from"] = json!(sender);
    settings["templates"] = json!([
        { "content": { "en": "HX1" }, "variables": ["payee", "amount", "approve", "deny", "not_me"] },
        picks,
        { "content": { "en": "HX3" }, "variables": ["body", "page", "deny"] },
    ]);
    settings["thread_templates"] =
        json!([{ "content": { "en": "HX4" }, "variables": ["title", "body", "not_me"] }]);
    settings
}

/// The demo brand's secret.
pub(super) fn demo() -> Value {
    json!({
        "version": "1",
        "name": "demo",
        "display_name": "Demo Books",
        "language": "en",
        "keys": [
            { "mode": "test", "sha256": digest_hex(TEST_KEY.as_bytes()) },
            { "mode": "live", "sha256": digest_hex(LIVE_KEY.as_bytes()) },
        ],
        "sealing": { "current": "2026-11", "keys": { "2026-11": SEALING_KEY } },
        "consent": { "current": "2026-11", "keys": { "2026-11": CONSENT_KEY } },
        "address_key": ADDRESS_KEY,
        "link_key": LINK_KEY,
        "test": {
            "channels": [
                { "name": "rcs", "kind": "sandbox", "settings": { "style": "rcs" } },
                { "name": "sms", "kind": "sandbox", "settings": { "style": "sms" } },
            ],
            "processors": [{ "name": "sandbox", "kind": "sandbox" }],
            "webhooks": { "url": WEBHOOKS_URL, "secrets": [WEBHOOK_SECRET] },
        },
        "live": {
            "channels": [{ "name": "sms", "kind": "sms", "settings": twilio() }],
        },
    })
}

/// Another brand, with the same settings and another key.
pub(super) fn other() -> Value {
    let mut secret = demo();
    secret["name"] = json!("other");
    secret["display_name"] = json!("Other Books");
    secret["keys"] = json!([{ "mode": "test", "sha256": digest_hex(OTHER_KEY.as_bytes()) }]);
    secret["test"]["webhooks"] = Value::Null;
    secret
}

/// The brands there are.
pub(super) struct Brands(Mutex<BTreeMap<BrandName, Arc<Brand>>>);

impl Brands {
    pub(super) fn new(secrets: &[Value]) -> Self {
        let brands = Self(Mutex::default());
        secrets.iter().for_each(|secret| brands.put(secret));
        brands
    }

    /// Puts a brand's secret in place of the one before.
    pub(super) fn put(&self, secret: &Value) {
        let brand = Brand::parse(&secret.to_string()).expect("a world's brand is a brand");
        let mut brands = lock(&self.0);
        brands.insert(brand.name.clone(), Arc::new(brand));
    }
}

#[async_trait]
impl Secrets for Brands {
    async fn brand(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        let brands = lock(&self.0);
        brands.get(name).cloned().ok_or(SecretsError::Unknown)
    }

    async fn refresh(&self, name: &BrandName) -> Result<Arc<Brand>, SecretsError> {
        self.brand(name).await
    }
}
