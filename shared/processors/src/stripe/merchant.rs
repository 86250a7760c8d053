//! The merchant session that Apple Pay's sheet needs, requested with the merchant's certificate.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, StatusCode};
use ports::{ClientIdentity, Http, Reach};
use serde_json::{Map, Value, json};

use super::payment_options::AppleMerchant;

/// The time limit of the request, since Apple's sheet does not stay open for long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Requests a session for the page at `host`; `None` where Apple gives none.
///
/// A session serves one sheet within five minutes:
/// <https://developer.apple.com/documentation/applepayontheweb/applepaysession/completemerchantvalidation>, read 2026-11-26.
pub(super) async fn session(
    http: &dyn Http,
    merchant: &AppleMerchant,
    host: &str,
) -> Option<String> {
    let reply = http.call(call(merchant, host)?, Reach::Configured, TIMEOUT).await.ok()?;
    if reply.status() != StatusCode::OK {
        return None;
    }
    // The session is opaque. Only Safari reads it.
    let text = String::from_utf8(reply.into_body().to_vec()).ok()?;
    serde_json::from_str::<Map<String, Value>>(&text).is_ok().then_some(text)
}

fn call(merchant: &AppleMerchant, host: &str) -> Option<Request<Bytes>> {
    let is_host = (1..=253).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if !is_host {
        return None;
    }
    let body = json!({
        "merchantIdentifier": merchant.identifier,
        "displayName": merchant.display_name,
        "initiative": "web",
        "initiativeContext": host,
    });
    let identity = ClientIdentity {
        certificate_pem: merchant.certificate.clone(),
        key_pem: merchant.key.clone(),
    };
    let request = Request::post(format!("{}/paymentservices/paymentSession", merchant.gateway_url))
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .extension(identity)
        .body(Bytes::from(body.to_string()));
    request.ok()
}
