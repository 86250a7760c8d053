//! Stripe.
//!
//! The lists and their fields: <https://github.com/stripe/openapi>, as `shared/processors` read it 2026-11-23.
//! UNVERIFIED: that a restricted key without a permission gets 403 on each of them. Run the doctor with such a key once.

use serde_json::Value;

use super::calls::{Answer, ProviderCalls};
use super::report::{Fault, Report};
use super::{Connection, certificate};

/// The lists that a key must read, and the permissions as the dashboard names them.
const NEEDED: [(&str, &str); 5] = [
    ("setup_intents", "SetupIntents"),
    ("checkout/sessions", "Checkout Sessions"),
    ("customers", "Customers"),
    ("refunds", "Refunds"),
    ("charges", "Charges"),
];
/// The kinds of event that the webhook must send.
const EVENTS: [&str; 6] = [
    "checkout.session.completed",
    "payment_intent.succeeded",
    "setup_intent.succeeded",
    "refund.updated",
    "charge.refunded",
    "charge.dispute.created",
];

/// Examines the key, the account, the webhook and the wallets.
pub(super) async fn examine(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    report: &mut Report,
) {
    certificate::examine(calls, connection, report);
    let key = key(calls, connection).await;
    let is_taken = key.is_ok();
    report.record("credentials", key);
    if !is_taken {
        return;
    }
    for (list, permission) in NEEDED {
        if let Err(fault) = permitted(calls, connection, list, permission).await {
            report.fault(fault);
        }
    }
    account(calls, connection, report).await;
    webhooks(calls, connection, report).await;
    wallets(calls, connection, report).await;
}

async fn get(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    path: &str,
    for_connected: bool,
) -> Result<Answer, Fault> {
    let url = format!("{}/v1/{path}", connection.base("https://api.stripe.com"));
    let bearer = format!("Bearer {}", connection.secret("secret_key"));
    let version = connection.text("api_version").unwrap_or("2026-08-26.dahlia");
    let mut headers = vec![("authorization", bearer.as_str()), ("stripe-version", version)];
    if let Some(account) = connection.text("connected_account").filter(|_| for_connected) {
        headers.push(("stripe-account", account));
    }
    calls.get(&url, &headers).await
}

fn lacks(permission: &str) -> Fault {
    Fault {
        check: "permission",
        says: format!("the restricted key may not use {permission}"),
        mend: format!(
            "in the dashboard, Developers, API keys, edit the key and allow {permission}"
        ),
    }
}

async fn key(calls: &ProviderCalls<'_>, connection: &Connection) -> Result<&'static str, Fault> {
    let answer = get(calls, connection, "payment_intents?limit=1", true).await?;
    let code = answer.text("/error/code");
    match answer.status {
        200 => Ok("Stripe takes the key"),
        401 if code == "api_key_expired" => Err(Fault::new(
            "credentials",
            "`secret_key` has expired",
            "make a new key in the dashboard under Developers, API keys, and enter it",
        )),
        401 => Err(Fault::new(
            "credentials",
            "Stripe refuses `secret_key`",
            "copy the key from the dashboard, Developers, API keys",
        )),
        400 if code == "api_version_invalid"
            || answer.text("/error/message").contains("API version") =>
        {
            Err(Fault::new(
                "api_version",
                "Stripe knows no version `api_version`",
                "remove the setting, or name a version of Stripe's changelog",
            ))
        }
        403 if code == "account_invalid" => Err(Fault::new(
            "connected_account",
            "the key has no access to `connected_account`",
            "copy the account (acct_…) from the dashboard, Connect, or let its owner connect again",
        )),
        403 => Err(lacks("PaymentIntents")),
        _ => Err(answer.unexpected("credentials", "Stripe")),
    }
}

async fn permitted(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    list: &str,
    permission: &str,
) -> Result<(), Fault> {
    let answer = get(calls, connection, &format!("{list}?limit=1"), true).await?;
    match answer.status {
        200 => Ok(()),
        403 => Err(lacks(permission)),
        _ => Err(answer.unexpected("permission", "Stripe")),
    }
}

async fn account(calls: &ProviderCalls<'_>, connection: &Connection, report: &mut Report) {
    match get(calls, connection, "account", true).await {
        Ok(answer) if answer.status == 200 => {
            let is_off =
                answer.value.get("charges_enabled").and_then(Value::as_bool) == Some(false);
            let found = if is_off {
                Err(Fault::new(
                    "account",
                    "the account may not charge yet",
                    "answer what the dashboard asks under Settings, Account status",
                ))
            } else {
                Ok("the account may charge")
            };
            report.record("account", found);
        }
        Ok(_) => report.unchecked("account", "the key may not read the account"),
        Err(fault) => report.fault(fault),
    }
}

async fn webhooks(calls: &ProviderCalls<'_>, connection: &Connection, report: &mut Report) {
    let Some(callback) = &connection.callback else {
        return report.unchecked("webhook", "name the public address with --public-url");
    };
    match get(calls, connection, "webhook_endpoints?limit=100", false).await {
        Ok(answer) if answer.status == 200 => {
            report.record("webhook", endpoint(connection, callback, answer.list("/data")));
        }
        Ok(_) => report.unchecked("webhook", "the key may not read webhook endpoints"),
        Err(fault) => report.fault(fault),
    }
}

fn endpoint(
    connection: &Connection,
    callback: &str,
    endpoints: &[Value],
) -> Result<&'static str, Fault> {
    let fault = |says: &str, mend: String| Fault { check: "webhook", says: says.to_owned(), mend };
    let is_ours = |one: &&Value| one.get("url").is_some_and(|url| url == callback);
    let Some(endpoint) = endpoints.iter().find(is_ours) else {
        let mend = format!("in the dashboard, Developers, Webhooks, add the endpoint {callback}");
        return Err(fault("Stripe has no webhook endpoint of this deployment", mend));
    };
    if endpoint.get("status").is_some_and(|status| status == "disabled") {
        let mend = "enable it in the dashboard, Developers, Webhooks".to_owned();
        return Err(fault("the webhook endpoint is disabled", mend));
    }
    let enabled = endpoint.get("enabled_events").and_then(Value::as_array);
    let enabled: Vec<&str> = enabled.into_iter().flatten().filter_map(Value::as_str).collect();
    if !enabled.contains(&"*")
        && let Some(missing) = EVENTS.iter().find(|event| !enabled.contains(event))
    {
        let mend = format!("add the event {missing} to the endpoint in the dashboard, Webhooks");
        return Err(fault("the webhook endpoint does not send every event", mend));
    }
    let secrets = connection.settings.get("webhook_secrets").and_then(Value::as_array);
    if secrets.is_none_or(Vec::is_empty) {
        let mend = "copy the signing secret (whsec_…) of the endpoint into `webhook_secrets`";
        return Err(fault("there is no secret that verifies webhooks", mend.to_owned()));
    }
    Ok("the webhook endpoint sends every event")
}

async fn wallets(calls: &ProviderCalls<'_>, connection: &Connection, report: &mut Report) {
    let wanted = ["google_pay", "apple_pay"];
    if !wanted.iter().any(|wallet| connection.settings.contains_key(*wallet)) {
        return;
    }
    let answer = match get(calls, connection, "payment_method_configurations?limit=100", true).await
    {
        Ok(answer) if answer.status == 200 => answer,
        Ok(_) => {
            return report.unchecked("wallets", "the key may not read payment method settings");
        }
        Err(fault) => return report.fault(fault),
    };
    let is_default = |one: &&Value| one.get("is_default").and_then(Value::as_bool) == Some(true);
    let configuration = answer.list("/data").iter().find(is_default);
    for wallet in wanted.into_iter().filter(|wallet| connection.settings.contains_key(*wallet)) {
        let path = format!("/{wallet}/available");
        let available = configuration.and_then(|one| one.pointer(&path)).and_then(Value::as_bool);
        report.record(
            "wallets",
            if available == Some(false) {
                Err(Fault {
                    check: "wallets",
                    says: format!("the account has `{wallet}` turned off"),
                    mend: "turn it on in the dashboard, Settings, Payment methods".to_owned(),
                })
            } else {
                Ok("the wallet is on")
            },
        );
    }
}
