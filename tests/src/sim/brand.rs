//! The brand of a simulation, and what a rotation changes in its secret.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::brand::{Brand, InvalidBrand};
use domain::digest::digest_hex;
use serde_json::{Value, json};

use super::agents;
use super::plan::Plan;
use super::scenario::ProcessorFake;
use crate::lock::lock;
use crate::providers::adyen::{ACCOUNT, ADYEN_HOST, API_KEY, HMAC_KEY};
use crate::providers::openid::{CLIENT, ISSUER};
use crate::providers::{SECRET, whatsapp};
use crate::rng::Rng;

/// The other brand's credentials are of a generation that the first brand never comes to.
const OTHER: u64 = 64;

/// Returns the secret that Stripe signs with for the other brand.
pub(super) fn other_webhook_secret() -> String {
    format!("whsec_stripe{OTHER}")
}

/// The secret that Meta signs with for the other brand's app.
pub(super) const OTHER_APP_SECRET: &str = "app64";

/// The public base address.
pub(crate) const BASE: &str = "https://pay.test";

/// The credentials that change when secrets are rotated, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    /// The number of rotations so far.
    pub(super) generation: u64,
    /// The policy that the run's seed chose and no rotation changes.
    pub(super) policy: Value,
    /// Which fake the payment processor is.
    fake: ProcessorFake,
    /// Whether the processor is of kind `sandbox`, with its ledger in our store.
    pub(super) sandbox: bool,
    /// Whether cards that want 3-D Secure are refused, and whether the claims to release are pushed to the provider.
    pub(super) refuses_3ds: bool,
    pub(super) pushes: bool,
}

/// 32 or so bytes that belong to a name and a count.
fn secret(name: &str, generation: u64) -> String {
    let digest = digest_hex(format!("{name} {generation}").as_bytes());
    let (half, _) = digest.split_at(32);
    STANDARD.encode(half)
}

/// How many brands are kept. Most worlds of one test have the same two.
const KEPT: usize = 64;

/// Returns the brand of these credentials as it is used. It is made once in a process, since deriving its public keys is slow.
fn made(credentials: &Credentials, name: &str) -> Result<Arc<Brand>, InvalidBrand> {
    static MADE: Mutex<BTreeMap<String, Arc<Brand>>> = Mutex::new(BTreeMap::new());
    let key = format!("{credentials:?} {name}");
    if let Some(brand) = lock(&MADE).get(&key) {
        return Ok(Arc::clone(brand));
    }
    let brand = Arc::new(Brand::parse(&credentials.settings_of(name).to_string())?);
    let mut kept = lock(&MADE);
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(key, Arc::clone(&brand));
    Ok(brand)
}

impl Credentials {
    /// Returns the first ones, with the scenario's policy, the default one, or one that the seed draws.
    ///
    /// # Errors
    /// When the scenario's policy is no JSON.
    pub(super) fn first(plan: &Plan, rng: &mut Rng) -> Result<Self, serde_json::Error> {
        let (own_policy, scenario) = (plan.own_policy, plan.scenario);
        let policy = match rng.below(4) {
            _ if scenario.policy.is_some() => {
                serde_json::from_str(scenario.policy.unwrap_or_default())?
            }
            _ if !own_policy => json!({ "countries": "all" }),
            0 => json!({ "countries": "all" }),
            _ => json!({
                "session_code": {
                    "payment": rng.happens(600),
                    "payment_method": rng.happens(400),
                    "identity": rng.happens(400),
                },
                "countries": "all",
                "text_replies": rng.happens(800),
                "fallback_seconds": rng.between(5, 20),
                "open_max": 20,
                "prompts_per_ten_minutes": 1000,
                "prompts_per_day": 1000,
                "denials_per_ten_minutes": 100,
                "report_cooldown_seconds": 5,
                "attempts_max": rng.between(1, 4),
            }),
        };
        Ok(Self {
            generation: 0,
            policy,
            fake: scenario.processor,
            sandbox: own_policy && rng.happens(300),
            refuses_3ds: own_policy && rng.happens(300),
            pushes: own_policy && rng.happens(500),
        })
    }

    /// Returns the next ones.
    #[must_use]
    pub(super) fn rotated(&self) -> Self {
        Self { generation: self.generation.saturating_add(1), ..self.clone() }
    }

    /// Returns the requester's API key.
    #[must_use]
    pub(super) fn api_key(&self) -> String {
        self.api_key_of("shop")
    }

    /// Returns the API key of another brand's requester.
    #[must_use]
    pub(super) fn other_api_key() -> String {
        Self::other().api_key_of("other")
    }

    fn api_key_of(&self, brand: &str) -> String {
        let digest = digest_hex(format!("api {}", self.generation).as_bytes());
        let (half, _) = digest.split_at(32);
        format!("sk_test_{brand}_{half}")
    }

    /// Stripe's key.
    #[must_use]
    pub(super) fn stripe_key(&self) -> String {
        format!("sk_test_sim{}", self.generation)
    }

    /// Returns the secret that Stripe signs webhooks with.
    #[must_use]
    pub(super) fn webhook_secret(&self) -> String {
        format!("whsec_stripe{}", self.generation)
    }

    /// Returns the client secret at the OpenID provider.
    #[must_use]
    pub(super) fn client_secret(&self) -> String {
        format!("client{}", self.generation)
    }

    /// Returns the token that Twilio signs with.
    #[must_use]
    pub(super) fn twilio_token(&self) -> String {
        format!("token{}", self.generation)
    }

    /// Returns the secret that signs webhooks to the requester.
    #[must_use]
    pub(super) fn endpoint_secret(&self) -> String {
        format!("whsec_{}", secret("webhook", self.generation))
    }

    /// Returns the brand's secret. Links and addresses keep their keys, and authorizations keep each key that sealed
    /// one. Webhook secrets and API keys overlap by one generation, as in rotations.
    ///
    /// # Errors
    /// When the text is no valid secret of a brand.
    pub(super) fn brand(&self) -> Result<Arc<Brand>, InvalidBrand> {
        made(self, "shop")
    }

    /// Another brand's, with an account of its own at the same processor.
    ///
    /// # Errors
    /// When the text is no brand's secret.
    pub(super) fn other_brand() -> Result<Arc<Brand>, InvalidBrand> {
        made(&Self::other(), "other")
    }

    const fn other() -> Self {
        Self {
            generation: OTHER,
            policy: Value::Null,
            fake: ProcessorFake::Stripe,
            sandbox: false,
            refuses_3ds: false,
            pushes: false,
        }
    }

    fn settings_of(&self, name: &str) -> Value {
        let before = Self { generation: self.generation.saturating_sub(1), ..self.clone() };
        let sealing: serde_json::Map<String, Value> = (0..=self.generation)
            .map(|generation| (format!("k{generation}"), json!(secret("seal", generation))))
            .collect();
        let mut keys = vec![self.api_key_of(name), before.api_key_of(name)];
        // The first generation has none before it.
        keys.dedup();
        let digests: Vec<Value> = keys
            .iter()
            .map(|key| json!({ "mode": "test", "sha256": digest_hex(key.as_bytes()) }))
            .collect();
        let agents = agents::settings().into_iter().filter(|_| name == "shop");
        let keys: Vec<Value> = digests.into_iter().chain(agents).collect();
        let processor = self.processor(&before);
        let mut facts = json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/{SECRET}"),
            "token_endpoint": format!("{ISSUER}/token"),
            "userinfo_endpoint": format!("{ISSUER}/userinfo"),
            "client_id": CLIENT,
            "client_secret": self.client_secret(),
            "names_issuer": true,
        });
        if let Some(facts) = facts.as_object_mut().filter(|_| self.pushes) {
            let name = "pushed_authorization_request_endpoint".to_owned();
            facts.insert(name, json!(format!("{ISSUER}/par")));
        }
        let facts = json!({ "name": "facts", "kind": "openid", "settings": facts });
        // Meta takes one secret and one token at a time: neither has an overlap to rotate in.
        let mut chats = whatsapp::settings();
        if let Some(chats) = chats.as_object_mut().filter(|_| self.generation == OTHER) {
            chats.insert("app_secret".to_owned(), json!(OTHER_APP_SECRET));
        }
        // A scenario of one customer is about money alone, and its requester polls.
        let webhooks = (self.fake == ProcessorFake::Stripe).then(|| {
            json!({
                "url": "https://shop.test/webhooks",
                "secrets": [self.endpoint_secret(), before.endpoint_secret()],
            })
        });
        json!({
            "version": "1",
            "name": name,
            "display_name": "Corner Shop Ltd",
            "keys": keys,
            "sealing": { "current": format!("k{}", self.generation), "keys": sealing },
            "consent": { "current": "k0", "keys": { "k0": secret("consent", 0) } },
            "address_key": secret("address", 0),
            "link_key": secret("link", 0),
            "test": {
                "channels": [
                    { "name": "rcs", "kind": "sandbox", "settings": { "style": "rcs" } },
                    { "name": "sms", "kind": "sms", "settings": {
                        "provider": "twilio",
                        "account_sid": "AC1",
                        "auth_token": self.twilio_token(),
                        "from": "+15550000000",
                        "base_url": "https://twilio.test",
                    } },
                    { "name": "whatsapp", "kind": "whatsapp", "settings": chats },
                    { "name": "link", "kind": "link", "settings": { "sessions": ["voice"] } },
                ],
                "processors": [processor, facts],
                "webhooks": webhooks,
            },
            "policy": if self.policy.is_null() { json!({}) } else { self.policy.clone() },
        })
    }

    /// The payment processor, with the secrets of now and of the generation before.
    fn processor(&self, before: &Self) -> Value {
        let mut settings = json!({
            "secret_key": self.stripe_key(),
            "base_url": "https://stripe.test",
            "webhook_secrets": [self.webhook_secret(), before.webhook_secret()],
            "three_d_secure": if self.refuses_3ds { "refuse" } else { "redirect" },
        });
        match self.fake {
            ProcessorFake::Stripe if self.sandbox => {
                return json!({ "name": "sandbox", "kind": "sandbox" });
            }
            ProcessorFake::Stripe => {}
            ProcessorFake::SandboxStripe => {
                if let Some(settings) = settings.as_object_mut() {
                    settings.insert("publishable_key".to_owned(), json!("pk_test_sim"));
                    settings.insert("google_pay".to_owned(), json!({ "country": "DE" }));
                }
            }
            ProcessorFake::Adyen => {
                let settings = json!({
                    "api_key": API_KEY, "merchant_account": ACCOUNT, "hmac_keys": [HMAC_KEY],
                    "base_url": format!("https://{ADYEN_HOST}"), "google_pay": { "country": "NL" },
                });
                return json!({ "name": "adyen", "kind": "adyen", "settings": settings });
            }
        }
        json!({ "name": "stripe", "kind": "stripe", "settings": settings })
    }
}
