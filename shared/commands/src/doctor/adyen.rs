//! Adyen.
//!
//! <https://docs.adyen.com/api-explorer/Management/1/get/merchants/_merchantId_/webhooks> and its roles, read 2026-11-26; the
//! merchant's `captureDelay` from <https://github.com/Adyen/adyen-openapi> (Management v3). UNVERIFIED: the error codes 901
//! and 010 of `/paymentMethods`. Run the doctor with a wrong merchant account once.

use bytes::Bytes;
use domain::brand::Mode;
use http::Request;
use serde_json::{Value, json};

use super::Patient;
use super::chart::{Chart, Fault};
use super::visit::{Answer, Visit};

/// Examines the key, the merchant account, the wallets and the webhook.
pub(super) async fn examine(visit: &Visit<'_>, patient: &Patient, chart: &mut Chart) {
    match methods(visit, patient).await {
        Ok(answer) => {
            chart.works("credentials", "Adyen takes the key for this merchant account");
            wallets(patient, &answer, chart);
        }
        Err(fault) => return chart.fault(fault),
    }
    merchant(visit, patient, chart).await;
    webhooks(visit, patient, chart).await;
}

fn checkout(patient: &Patient) -> String {
    let usual = match (patient.mode, patient.text("live_prefix")) {
        (Mode::Live, Some(prefix)) => {
            format!("https://{prefix}-checkout-live.adyenpayments.com/checkout/v72")
        }
        (Mode::Live | Mode::Test, _) => "https://checkout-test.adyen.com/v72".to_owned(),
    };
    patient.base(&usual)
}

fn management(patient: &Patient) -> String {
    let merchant = patient.text("merchant_account").unwrap_or_default();
    let base = match (patient.text("base_url"), patient.mode) {
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

async fn methods(visit: &Visit<'_>, patient: &Patient) -> Result<Answer, Fault> {
    let url = format!("{}/paymentMethods", checkout(patient));
    let body = json!({ "merchantAccount": patient.text("merchant_account") });
    let headers = [("x-api-key", patient.secret("api_key")), ("content-type", "application/json")];
    let answer = visit.call(Request::post(url), &headers, Bytes::from(body.to_string())).await?;
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

fn wallets(patient: &Patient, answer: &Answer, chart: &mut Chart) {
    let offered = answer.list("/paymentMethods");
    for (setting, method) in [("google_pay", "googlepay"), ("apple_pay", "applepay")] {
        if !patient.settings.contains_key(setting) {
            continue;
        }
        let is_on = offered.iter().any(|one| one.get("type").is_some_and(|is| is == method));
        chart.record(
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

async fn merchant(visit: &Visit<'_>, patient: &Patient, chart: &mut Chart) {
    let headers = [("x-api-key", patient.secret("api_key"))];
    let answer = match visit.get(&management(patient), &headers).await {
        Ok(answer) if answer.status == 200 => answer,
        Ok(_) => {
            let says = "the key lacks the role `Management API — Account read`; see that captures are automatic";
            return chart.unchecked("capture", says);
        }
        Err(fault) => return chart.fault(fault),
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
    chart.record("capture", found);
    let status = answer.text("/status");
    if !status.is_empty() && status != "Active" {
        chart.fault(Fault {
            check: "account",
            says: format!("the merchant account is {status}"),
            mend: "ask Adyen's support to activate it".to_owned(),
        });
    }
}

async fn webhooks(visit: &Visit<'_>, patient: &Patient, chart: &mut Chart) {
    let Some(callback) = &patient.callback else {
        return chart.unchecked("webhook", "name the public address with --public-url");
    };
    let url = format!("{}/webhooks?pageSize=100", management(patient));
    match visit.get(&url, &[("x-api-key", patient.secret("api_key"))]).await {
        Ok(answer) if answer.status == 200 => {
            chart.record("webhook", webhook(callback, answer.list("/data")));
        }
        Ok(_) => {
            chart.unchecked("webhook", "the key lacks the role `Management API — Webhooks read`");
        }
        Err(fault) => chart.fault(fault),
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
