//! Sealed authorizations of consent-callback, for tests that begin with an approval.

use domain::authorization::{Authorization, StoredAuthorization};
use domain::brand::Brand;
use domain::consent::Consent;
use domain::request::Request;
use domain::seal;
use domain::seal::Sealed;
use domain::seal_binding::Binding;
use serde_json::{Value, json};

use crate::doubles::SeededRandom;

/// Returns a brand's secret with every key that it needs, and nothing else. A test adds what it is about.
#[must_use]
pub fn brand_secret(name: &str) -> Value {
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    json!({
        "version": "1", "name": name, "display_name": "Shop", "keys": [],
        "sealing": { "current": "1", "keys": { "1": key } },
        "consent": { "current": "1", "keys": { "1": key } },
        "address_key": key, "link_key": key,
    })
}

/// Seals an authorization for an attempt under this consent, as consent-callback does.
///
/// # Panics
/// Panics when the brand lacks a key.
#[must_use]
#[expect(clippy::expect_used, reason = "a double fails the test it is in")]
pub fn sealed(
    brand: &Brand,
    request: &Request,
    consent: &Consent,
    attempt_no: u32,
    authorization: Authorization,
) -> Sealed {
    let binding = Binding::approval(request, consent, attempt_no);
    let authorization = StoredAuthorization::from(authorization);
    seal::seal(brand, &binding, &authorization, &SeededRandom::new(2)).expect("a whole brand")
}

/// Opens what a request carries to its processor, as fetch-info does; `None` where it does not open.
#[must_use]
pub fn carried(brand: &Brand, request: &Request) -> Option<StoredAuthorization> {
    let (consent, sealed) = request.approval()?;
    let attempt_no =
        request.open_attempt().map_or(request.next_attempt_no(), |attempt| attempt.attempt_no);
    seal::open(brand, &Binding::approval(request, consent, attempt_no), sealed).ok()
}
