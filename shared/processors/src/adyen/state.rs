//! The state that ties a customer's return from the bank's page to the attempt. It is derived, never stored.

use domain::brand::Key32;
use domain::digest::to_hex;
use domain::keys;
use domain::values::id::RequestId;

use super::reference::MerchantReference;

/// Returns what the return address carries: `<request>.<attempt_no>.<proof>`.
pub(super) fn of(request: RequestId, attempt_no: u32, key: &Key32, account: &str) -> String {
    let proof = keys::derived(key, &format!("adyen return {account}"), request, attempt_no);
    let proof = to_hex(proof.get(..16).unwrap_or_default());
    format!("{}.{proof}", MerchantReference::Attempt { request, attempt_no })
}

/// Reads a state; `None` for one that this brand's key did not make.
pub(super) fn read(text: &str, key: &Key32, account: &str) -> Option<(RequestId, u32)> {
    let (named, _) = text.rsplit_once('.')?;
    let Some(MerchantReference::Attempt { request, attempt_no }) = MerchantReference::read(named)
    else {
        return None;
    };
    keys::same(&of(request, attempt_no, key, account), text).then_some((request, attempt_no))
}

/// Returns the URL to which the customer returns.
pub(super) fn return_url(callback: &str, state: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("state", state);
    format!("{callback}?{}", query.finish())
}

/// Reads the state and Adyen's `redirectResult` from the URL of a return; `None` where one is missing or repeated.
pub(super) fn returned(url: &str) -> Option<(String, String)> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let (mut state, mut result) = (None, None);
    for (name, value) in form_urlencoded::parse(url.split_once('?')?.1.as_bytes()) {
        let place = match name.as_ref() {
            "state" => &mut state,
            "redirectResult" => &mut result,
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    state.zip(result.filter(|result: &String| !result.is_empty()))
}
