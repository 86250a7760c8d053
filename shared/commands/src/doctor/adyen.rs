//! Adyen.
//!
//! <https://docs.adyen.com/api-explorer/Management/1/get/merchants/_merchantId_/webhooks> and its roles, read 2026-11-26; the
//! merchant's `captureDelay` from <https://github.com/Adyen/adyen-openapi> (Management v3). UNVERIFIED: the error codes 901
//! and 010 of `/paymentMethods`. Run the doctor with a wrong merchant account once.

use bytes::Bytes;
use domain::brand::Mode;
use http::Request;
use serde_json::{Value, json};

use super::Connection;
use super::calls::{Answer, ProviderCalls};
use super::report::{Fault, Report};

/// Examines the key, the merchant account, the wallets and the webhook.
pub(super) async fn examine(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    report: &mut Report,
) {
    match methods(calls, connection).await {
        Ok(answer) => {
            report.works("credentials", "Adyen takes the key for this merchant account");
            wallets(connection, &answer, report);
        }
        Err(fault) => return report.fault(fault),
    }
    merchant(calls, connection, report).await;
    webhooks(calls, connection, report).await;
}

fn checkout(connection: &Connection) -> String {
    let usual = match (connection.mode, connection.text("live_prefix")) {
        (Mode::Live, Some(prefix)) => {
            format!("https://{prefix}-checkout-live.adyenpayments.com/checkout/v72")
        }
        (Mode::Live | Mode::Test, _) => "https://checkout-test.adyen.com/v72".to_owned(),
    };
    connection.base(&usual)
}

fn management(connection: &Connection) -> String {
    let merchant = connection.text("merchant_account").unwrap_or_default();
    let base = match (connection.text("base_url"), connection.mode) {
        // A stand-in has its version as the last part.
        (Some(base), _) => {
            let base = base.trim_end_matches('/');
            format!("{}/v3", base.rsplit_once('/').map_or(base, |(start, _)| start))
        }
        (None, Mode::Test) => "https://management-test.adyen.com/v3".to_owned(),
        (None, Mode::Live) => "https://management-live.adyen.com/v3".to_owned(),
    };
    format!("{base}/merchants/{merchant}")
}

async fn methods(calls: &ProviderCalls<'_>, connection: &Connection) -> Result<Answer, Fault> {
    let url = format!("{}/paymentMethods", checkout(connection));
    let body = json!({ "merchantAccount": connection.text("merchant_account") });
    let headers =
        [("x-api-key", connection.secret("api_key")), ("content-type", "application/json")];
    let answer = calls.call(Request::post(url), &headers, Bytes::from(body.to_string())).await?;
    let code = answer.text("/errorCode");
    match (answer.status, code) {
        (200, _) => Ok(answer),
        (401, _) => Err(Fault::new(
            "credentials",
            "Adyen refuses `api_key`",
            "generate a new key in the Customer Area, Developers, API credentials, and enter it",
        )),
        (_, "901") => Err(Fault::new(
            "merchant_account",
            "the key has no access to `merchant_account`",
            "copy the merchant account's code from the Customer Area, and give the credential access to it",
        )),
        (403, _) => Err(Fault::new(
            "permission",
            "the API credential lacks the role for Checkout",
            "give it the role `Checkout webservice role` under Developers, API credentials",
        )),
        _ => Err(answer.unexpected("credentials", "Adyen")),
    }
}

fn wallets(connection: &Connection, answer: &Answer, report: &mut Report) {
    let offered = answer.list("/paymentMethods");
    for (setting, method) in [("google_pay", "googlepay"), ("apple_pay", "applepay")] {
        if !connection.settings.contains_key(setting) {
            continue;
        }
        let is_on = offered.iter().any(|one| one.get("type").is_some_and(|is| is == method));
        report.record(
            "wallets",
            if is_on {
                Ok("the wallet is on")
            } else {
                Err(Fault {
                    check: "wallets",
                    says: format!("the merchant account does not offer `{method}`"),
                    mend: "add it in the Customer Area, Settings, Payment methods".to_owned(),
                })
            },
        );
    }
}

async fn merchant(calls: &ProviderCalls<'_>, connection: &Connection, report: &mut Report) {
    let headers = [("x-api-key", connection.secret("api_key"))];
    let answer = match calls.get(&management(connection), &headers).await {
        Ok(answer) if answer.status == 200 => answer,
        Ok(_) => {
            let says = "the key lacks the role `Management API — Account read`; see that captures are automatic";
            return report.unchecked("capture", says);
        }
        Err(fault) => return report.fault(fault),
    };
    let delay = answer.text("/captureDelay");
    let found = if delay == "manual" {
        Err(Fault::new(
            "capture",
            "payments are captured by hand, so that approved ones expire unpaid",
            "set the capture delay to automatic in the Customer Area, Settings, Account settings",
        ))
    } else {
        Ok("captures are automatic")
    };
    report.record("capture", found);
    let status = answer.text("/status");
    if !status.is_empty() && status != "Active" {
        report.fault(Fault {
            check: "account",
            says: format!("the merchant account is {status}"),
            mend: "ask Adyen's support to activate it".to_owned(),
        });
    }
}

async fn webhooks(calls: &ProviderCalls<'_>, connection: &Connection, report: &mut Report) {
    let Some(callback) = &connection.callback else {
        return report.unchecked("webhook", "name the public address with --public-url");
    };
    let url = format!("{}/webhooks?pageSize=100", management(connection));
    match calls.get(&url, &[("x-api-key", connection.secret("api_key"))]).await {
        Ok(answer) if answer.status == 200 => {
            report.record("webhook", webhook(callback, answer.list("/data")));
        }
        Ok(_) => {
            report.unchecked("webhook", "the key lacks the role `Management API — Webhooks read`");
        }
        Err(fault) => report.fault(fault),
    }
}

fn webhook(callback: &str, webhooks: &[Value]) -> Result<&'static str, Fault> {
    let fault = |says: &str, mend: String| Fault { check: "webhook", says: says.to_owned(), mend };
    let place = "in the Customer Area, Developers, Webhooks";
    let is_ours = |one: &&Value| one.get("url").is_some_and(|url| url == callback);
    let Some(webhook) = webhooks.iter().find(is_ours) else {
        let says = "the merchant account has no webhook of this deployment";
        return Err(fault(says, format!("add a standard webhook to {callback} {place}")));
    };
    let is_true = |name: &str| webhook.get(name).and_then(Value::as_bool);
    if is_true("active") == Some(false) {
        return Err(fault("the webhook is not active", format!("activate it {place}")));
    }
    if webhook.get("communicationFormat").is_some_and(|format| format != "json") {
        return Err(fault(
            "the webhook does not send JSON",
            format!("set its format to JSON {place}"),
        ));
    }
    if is_true("hasError") == Some(true) {
        return Err(fault("deliveries of the webhook fail", format!("read its error {place}")));
    }
    Ok("the webhook is active")
}
