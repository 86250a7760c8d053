//! Fetches and decrypts a reply that was too long to be sent inline.
//!
//! Source: Apple's tutorial sample code of 2025.

use std::time::Duration;

use aes::Aes256;
use aes::cipher::{KeyIvInit, StreamCipher};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ctr::Ctr128BE;
use domain::values::time::Timestamp;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use ports::{Http, Reach, Source};
use serde::Deserialize;
use serde_json::Value;

use super::account::Account;
use crate::answers::ProviderAnswer;

/// Apple waits for the answer to its callback meanwhile.
///
/// UNVERIFIED: the reply is available for seconds only, second hand. Before going live, fetch one later and later.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The reference that stands in a message for its reply.
#[derive(Deserialize)]
struct ReplyReference {
    bid: String,
    url: String,
    owner: String,
    /// The signature in hexadecimal, or …
    #[serde(default)]
    signature: Option<String>,
    /// … in base64.
    #[serde(default, rename = "signature-base64")]
    signature_base64: Option<String>,
    /// `00`, then the key in hexadecimal.
    ///
    /// UNVERIFIED: the alias is second hand. Before going live, record a reference of each iOS version in use.
    #[serde(alias = "dataRefSig")]
    key: String,
    /// The size of the encrypted reply, in bytes.
    size: ReplySize,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ReplySize {
    Number(usize),
    Text(String),
}

/// The fetch of a reply failed. The error quotes nothing of the reply.
#[derive(Debug, thiserror::Error)]
enum FetchReplyError {
    /// The reference, or an answer about it, does not have the documented shape.
    #[error("failed to read the reference to a reply")]
    Unreadable,
    /// The reply does not have the size in its reference.
    #[error("fetched reply has the wrong size")]
    WrongSize,
}

#[derive(Deserialize)]
struct PreDownloadResponse {
    #[serde(rename = "download-url")]
    download_url: String,
}

/// Fetches the reply behind a reference: asks for its URL, downloads it, decrypts it, and lets Apple decode it.
///
/// Counter mode authenticates nothing. Like any reply, this one counts only through the MAC of its postback.
///
/// # Errors
///
/// [`FetchReplyError`], or the error of a call.
pub(super) async fn fetch(
    http: &dyn Http,
    account: &Account,
    reference: &Value,
    now: Timestamp,
) -> Result<Value, Source> {
    let Ok(reference) = ReplyReference::deserialize(reference) else {
        return Err(FetchReplyError::Unreadable.into());
    };
    let lookup = http.call(pre_download(account, &reference, now)?, Reach::Configured, TIMEOUT);
    let download: PreDownloadResponse = read(&lookup.await?)?;
    // The URL comes from Apple and not from a setting, so only public addresses are called.
    let get = Request::get(download.download_url).body(Bytes::new())?;
    let fetched = succeeded(&http.call(get, Reach::Public, TIMEOUT).await?)?.clone();
    if Some(fetched.len()) != reference.size() {
        return Err(FetchReplyError::WrongSize.into());
    }
    let plain = decrypt(&reference.key, &fetched).ok_or(FetchReplyError::Unreadable)?;
    let decode = decode_payload(account, &reference, plain, now)?;
    let decoded: Value = read(&http.call(decode, Reach::Configured, TIMEOUT).await?)?;
    // Apple's sample reads the reply from a field. Another connector takes the whole answer.
    Ok(decoded.get("interactiveData").cloned().unwrap_or(decoded))
}

impl ReplyReference {
    fn size(&self) -> Option<usize> {
        match &self.size {
            ReplySize::Number(size) => Some(*size),
            ReplySize::Text(text) => text.parse().ok(),
        }
    }

    /// Returns the signature in base64, as the call needs it.
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
    reference: &ReplyReference,
    now: Timestamp,
) -> Result<Request<Bytes>, Source> {
    let signature = reference.signature().ok_or(FetchReplyError::Unreadable)?;
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
    reference: &ReplyReference,
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
        status => Err(ProviderAnswer { status }.into()),
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &http::Response<Bytes>) -> Result<T, Source> {
    match serde_json::from_slice(succeeded(answer)?) {
        Ok(read) => Ok(read),
        // The parser's error may quote the reply.
        Err(_) => Err(FetchReplyError::Unreadable.into()),
    }
}

/// Decrypts a reply: AES-256 in counter mode from a block of zeros, as each key is used once.
pub(super) fn decrypt(key: &str, encrypted: &[u8]) -> Option<Vec<u8>> {
    let key: [u8; 32] = hex::decode(key.strip_prefix("00")?).ok()?.try_into().ok()?;
    let mut bytes = encrypted.to_vec();
    Ctr128BE::<Aes256>::new(&key.into(), &[0; 16].into()).apply_keystream(&mut bytes);
    Some(bytes)
}
