//! The one brand of a local machine: made on the first start, then kept in the data folder.

use commands::{DrawnBrand, OWN_ADDRESS, SANDBOX_IDENTITY};
use domain::random::Random;
use serde_json::{Value, json};

/// The name of the brand in its key and addresses.
pub const NAME: &str = "demo";

/// The settings of the brand that come from the command line.
#[derive(Clone, Debug, Default)]
pub struct BrandOptions {
    /// The address of Stripe, or of a stand-in for it.
    pub stripe: Option<String>,
    /// The address of webhook events; `None` sends them to the machine itself.
    pub webhooks: Option<String>,
}

/// Draws a new test key.
#[must_use]
pub fn draw_key(random: &dyn Random) -> String {
    let mut bytes = [0_u8; 16];
    random.fill(&mut bytes);
    format!("sk_test_{NAME}_{}", hex::encode(bytes))
}

/// Draws the secret of a new brand whose test key is `key`.
#[must_use]
pub fn draw(random: &dyn Random, key: &str) -> Value {
    let brand = DrawnBrand {
        name: NAME,
        display_name: "Demo Shop Ltd",
        language: "en",
        key,
        is_trial: true,
        base: Some(OWN_ADDRESS),
    };
    commands::draw(random, brand)
}

/// Adapts the secret to the command line, and to the machine's address `base`. Webhook events go to the machine itself
/// unless an address is set, and an operator's own settings stay.
#[must_use]
pub fn adapt(mut secret: Value, options: &BrandOptions, base: &str) -> Value {
    move_identity(&mut secret, base);
    let own_webhooks = format!("{base}{}", crate::site::WEBHOOKS_PATH);
    if let Some(webhooks) = secret.pointer_mut("/test/webhooks") {
        let url = webhooks.get("url").and_then(Value::as_str).unwrap_or_default();
        let has_bus_alone = webhooks.get("eventbridge").is_some() && url.is_empty();
        let own = !has_bus_alone && (url.is_empty() || url.ends_with(crate::site::WEBHOOKS_PATH));
        let url = options.webhooks.as_deref().or(own.then_some(&own_webhooks));
        if let (Some(url), Some(webhooks)) = (url, webhooks.as_object_mut()) {
            webhooks.insert("url".to_owned(), json!(url));
        }
    }
    if let Some(base_url) = &options.stripe {
        let stripe = json!({
            "name": "stripe",
            "kind": "stripe",
            "settings": {
                "secret_key": "sk_test_local",
                "base_url": base_url,
                // Parameters that third-party stand-ins for Stripe do not know and refuse.
                "omit": [
                    "adaptive_pricing", "description", "error_on_requires_action", "expand", "return_url",
                ],
            },
        });
        if let Some(processors) =
            secret.pointer_mut("/test/processors").and_then(Value::as_array_mut)
        {
            let known = |processor: &Value| processor.get("name") == Some(&json!("stripe"));
            processors.retain(|processor| !known(processor));
            processors.insert(0, stripe);
        }
    }
    secret
}

/// Moves the sandbox's OpenID provider to the machine's address, which has another port after each start with `--port 0`.
fn move_identity(secret: &mut Value, base: &str) {
    let processors = secret.pointer_mut("/test/processors").and_then(Value::as_array_mut);
    for processor in processors.into_iter().flatten() {
        let Some(issuer) = processor.pointer_mut("/settings/issuer") else { continue };
        if issuer.as_str().is_some_and(|issuer| issuer.ends_with(SANDBOX_IDENTITY)) {
            *issuer = json!(format!("{base}{SANDBOX_IDENTITY}"));
        }
    }
}
