//! Replies too long to be sent along: where they are, how they are fetched, and the key that opens them.

use std::time::Duration;

use aes::Aes256;
use aes::cipher::{KeyIvInit, StreamCipher};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ctr::Ctr128BE;
use domain::ports::{Http, Reach, Source};
use domain::values::time::Timestamp;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::Account;
use crate::answers::Answered;

/// Apple waits for our answer meanwhile, and what is referred to is there for seconds only [S].
const TIMEOUT: Duration = Duration::from_secs(4);

/// What stands in a message for a reply that is somewhere else.
#[derive(Deserialize)]
struct Reference {
    bid: String,
    url: String,
    owner: String,
    /// In hexadecimal; or …
    #[serde(default)]
    signature: Option<String>,
    /// … in base64.
    #[serde(default, rename = "signature-base64")]
    signature_base64: Option<String>,
    /// `00`, then the key in hexadecimal. Some have seen it under the other name [S].
    #[serde(alias = "dataRefSig")]
    key: String,
    /// Of what is fetched, in bytes.
    size: Size,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Number(usize),
    Text(String),
}

/// Why a reply could not be fetched. Nothing of what came is told.
#[derive(Debug, thiserror::Error)]
enum Unresolved {
    /// What Apple wrote or answered is not what it documents.
    #[error("the reference to a reply, or an answer about it, cannot be read")]
    Unreadable,
    /// It is not as long as Apple said.
    #[error("what was fetched is not the size that was announced")]
    Size,
}

#[derive(Deserialize)]
struct PreDownload {
    #[serde(rename = "download-url")]
    download_url: String,
}

/// Fetches the reply a reference stands for: asks where it is, gets it, opens it and has Apple put it into words.
///
/// Counter mode proves nothing: what comes out is believed no more than any reply, which is not at all until the postback in
/// it has proven itself.
pub(super) async fn fetch(
    http: &dyn Http,
    account: &Account,
    reference: &Value,
    now: Timestamp,
) -> Result<Value, Source> {
    let Ok(reference) = Reference::deserialize(reference) else {
        return Err(Unresolved::Unreadable.into());
    };
    let asked = http.call(pre_download(account, &reference, now)?, Reach::Configured, TIMEOUT);
    let place: PreDownload = read(&asked.await?)?;
    // The address comes from Apple and not from a setting, so it is called as any stranger's is.
    let get = Request::get(place.download_url).body(Bytes::new())?;
    let fetched = succeeded(&http.call(get, Reach::Public, TIMEOUT).await?)?.clone();
    if Some(fetched.len()) != reference.size() {
        return Err(Unresolved::Size.into());
    }
    let plain = decrypt(&reference.key, &fetched).ok_or(Unresolved::Unreadable)?;
    let decode = decode_payload(account, &reference, plain, now)?;
    let decoded: Value = read(&http.call(decode, Reach::Configured, TIMEOUT).await?)?;
    // Apple's sample reads the reply from within the answer; another connector takes the answer for the reply.
    Ok(decoded.get("interactiveData").cloned().unwrap_or(decoded))
}

impl Reference {
    fn size(&self) -> Option<usize> {
        match &self.size {
            Size::Number(size) => Some(*size),
            Size::Text(text) => text.parse().ok(),
        }
    }

    /// The signature in base64, as it is asked for.
    fn signature(&self) -> Option<String> {
        match (&self.signature_base64, &self.signature) {
            (Some(base64), _) => Some(base64.clone()),
            (None, Some(text)) => hex::decode(text).ok().map(|bytes| STANDARD.encode(bytes)),
            (None, None) => None,
        }
    }
}

fn pre_download(
    account: &Account,
    reference: &Reference,
    now: Timestamp,
) -> Result<Request<Bytes>, Source> {
    let signature = reference.signature().ok_or(Unresolved::Unreadable)?;
    let call = Request::builder()
        .method(Method::GET)
        .uri(account.base.join("/preDownload"))
        .header(AUTHORIZATION, account.tokens.bearer(now)?)
        .header("source-id", &account.business_id)
        .header("mmcs-url", &reference.url)
        .header("mmcs-signature", signature)
        .header("mmcs-owner", &reference.owner);
    Ok(call.body(Bytes::new())?)
}

fn decode_payload(
    account: &Account,
    reference: &Reference,
    plain: Vec<u8>,
    now: Timestamp,
) -> Result<Request<Bytes>, Source> {
    let call = Request::builder()
        .method(Method::POST)
        .uri(account.base.join("/decodePayload"))
        .header(AUTHORIZATION, account.tokens.bearer(now)?)
        .header(CONTENT_TYPE, "application/octet-stream")
        .header("source-id", &account.business_id)
        .header("bid", &reference.bid);
    Ok(call.body(Bytes::from(plain))?)
}

fn succeeded(answer: &http::Response<Bytes>) -> Result<&Bytes, Source> {
    match answer.status() {
        StatusCode::OK => Ok(answer.body()),
        status => Err(Answered { status }.into()),
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &http::Response<Bytes>) -> Result<T, Source> {
    match serde_json::from_slice(succeeded(answer)?) {
        Ok(read) => Ok(read),
        // The error of the parser may quote what came.
        Err(_) => Err(Unresolved::Unreadable.into()),
    }
}

/// Opens what Apple encrypted: AES-256 in counter mode from a block of zeros, as each key is used once.
pub(super) fn decrypt(key: &str, encrypted: &[u8]) -> Option<Vec<u8>> {
    let key: [u8; 32] = hex::decode(key.strip_prefix("00")?).ok()?.try_into().ok()?;
    let mut bytes = encrypted.to_vec();
    Ctr128BE::<Aes256>::new(&key.into(), &[0; 16].into()).apply_keystream(&mut bytes);
    Some(bytes)
}
