//! The merchant session that Apple Pay on the page wants before it opens: asked for with the merchant's certificate.

use std::time::Duration;

use bytes::Bytes;
use domain::ports::{ClientIdentity, Http, Reach};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, StatusCode};
use serde_json::{Map, Value, json};

use super::payment_options::Merchant;

/// Apple's sheet closes when this takes long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A session for the page at `host`, to be passed on as it is. It is good for one sheet and some five minutes [M].
pub(super) async fn session(http: &dyn Http, merchant: &Merchant, host: &str) -> Option<String> {
    let reply = http.call(call(merchant, host)?, Reach::Configured, TIMEOUT).await.ok()?;
    if reply.status() != StatusCode::OK {
        return None;
    }
    // Safari reads it; that it is an object is all that is known of it.
    let text = String::from_utf8(reply.into_body().to_vec()).ok()?;
    serde_json::from_str::<Map<String, Value>>(&text).is_ok().then_some(text)
}

fn call(merchant: &Merchant, host: &str) -> Option<Request<Bytes>> {
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
