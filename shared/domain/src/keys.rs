//! Tokens that are verified without being stored: links, page nonces, address hashes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::ask::{Ask, AskHash};
use crate::brand::{Brand, Key32, Mode};
use crate::digest::to_hex;
use crate::request::Request;
use crate::values::email::Email;
use crate::values::id::{PromptId, RequestId};
use crate::values::name::{BrandName, ChannelName};
use crate::values::phone::Phone;

fn mac(key: &Key32, purpose: &str, text: &str) -> [u8; 32] {
    mac_of(key, purpose, text.as_bytes())
}

fn mac_of(key: &Key32, purpose: &str, bytes: &[u8]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.bytes()) else { return [0; 32] };
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// Computes the keyed hash of an address for item keys. Trying all phone numbers does not reverse it.
#[must_use]
pub fn address_hash(key: &Key32, phone: &Phone) -> String {
    to_hex(&mac(key, "address", phone.as_str()))
}

/// Computes the keyed hash of an e-mail address, under which its opt-out is kept.
#[must_use]
pub fn email_hash(key: &Key32, email: &Email) -> String {
    to_hex(&mac(key, "email", &email.folded()))
}

/// Computes the MAC of an unsubscribe token: 128 bits in unpadded base64url.
pub(crate) fn unsubscribe_mac(key: &Key32, signed: &str) -> String {
    let mac = mac(key, "unsubscribe", signed);
    let (head, _) = mac.split_at(16);
    URL_SAFE_NO_PAD.encode(head)
}

/// Computes the keyed hash of what a customer is asked for: the amount or the kind, and the description.
#[must_use]
pub fn same_ask_hash(key: &Key32, ask: &Ask) -> String {
    let what = match ask {
        Ask::Payment { money, description, .. } => {
            let (amount, currency) = (money.amount(), money.currency());
            format!("payment {amount} {} {}", currency.code(), description.as_str())
        }
        Ask::PaymentMethod { description } | Ask::Identity { description, .. } => {
            format!("{} {}", ask.kind(), description.as_str())
        }
    };
    let mac = mac(key, "same-ask", &what);
    let (head, _) = mac.split_at(16);
    URL_SAFE_NO_PAD.encode(head)
}

/// Computes the keyed hash of a customer's handle on a channel.
#[must_use]
pub fn handle_hash(key: &Key32, channel: &str, handle: &str) -> String {
    to_hex(&mac(key, "handle", &format!("{channel} {handle}")))
}

/// Computes the MAC of a handle's address, in unpadded base64url. Both are keyed hashes.
#[must_use]
pub fn handle_mac(key: &Key32, brand: &BrandName, mode: Mode, handle: &HandleOf<'_>) -> String {
    let HandleOf { channel, handle, address } = handle;
    let signed = format!("{brand} {} {channel} {handle} {address}", mode.as_str());
    URL_SAFE_NO_PAD.encode(mac(key, "handle-of", &signed))
}

/// A handle on a channel, and the address that it belongs to.
pub struct HandleOf<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// The handle's keyed hash.
    pub handle: &'a str,
    /// The address's keyed hash.
    pub address: &'a str,
}

/// Computes the keyed hash of a message's id on a channel, for the customer who sent it.
///
/// A customer's own phone may choose the id, so it says nothing about another customer's message.
#[must_use]
pub fn message_hash(key: &Key32, channel: &str, sender: &str, id: &str) -> String {
    to_hex(&mac(key, "message", &format!("{channel} {} {sender} {id}", sender.len())))
}

/// Computes the keyed hash of a customer's subject at an identity provider.
#[must_use]
pub fn subject_hash(key: &Key32, issuer: &str, subject: &str) -> String {
    to_hex(&mac(key, "subject", &format!("{issuer} {subject}")))
}

/// Computes the MAC of a consent, in unpadded base64url.
pub(crate) fn consent_mac(key: &Key32, signed: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac(key, "consent", signed))
}

/// Derives the key of one kind of sealed secret.
pub(crate) fn sealing_key(key: &Key32, purpose: &str) -> Key32 {
    Key32::new(mac(key, "seal", purpose))
}

/// Computes the MAC of a prompt, in unpadded base64url.
pub(crate) fn prompt_mac(key: &Key32, signed: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac(key, "prompt", signed))
}

/// Computes the MAC of a client token's content.
pub(crate) fn client_token_mac(key: &Key32, content: &str) -> [u8; 32] {
    mac(key, "client-token", content)
}

/// Computes the MAC of a postback.
pub(crate) fn postback_mac(key: &Key32, signed: &[u8]) -> [u8; 32] {
    mac_of(key, "postback", signed)
}

/// Derives 32 bytes for one attempt and one purpose: a state, a nonce or a PKCE verifier.
///
/// Nothing is stored, since a repeat derives the same bytes.
#[must_use]
pub fn derived(key: &Key32, purpose: &str, request: RequestId, attempt_no: u32) -> [u8; 32] {
    mac(key, "derived", &format!("{purpose} {request} {attempt_no}"))
}

/// Derives the token of a prompt's consent page: 128 bits that cannot be guessed.
///
/// Nothing is stored, since a repeated prompt derives the same token.
#[must_use]
pub fn link_token(key: &Key32, prompt: PromptId) -> String {
    let mac = mac(key, "link", &prompt.to_string());
    let (head, _) = mac.split_at(16);
    URL_SAFE_NO_PAD.encode(head)
}

/// Derives the token of a consent page whose link the requester shows: 128 bits that cannot be guessed.
///
/// The key is the brand's `address_key`, which intake reads. Nothing is stored.
#[must_use]
pub fn shown_link_token(key: &Key32, prompt: PromptId) -> String {
    let mac = mac(key, "shown-link", &prompt.to_string());
    let (head, _) = mac.split_at(16);
    URL_SAFE_NO_PAD.encode(head)
}

/// Computes the MAC of an entry link's reference.
pub(crate) fn entry_mac(key: &Key32, request: &Request, channel: &ChannelName) -> [u8; 32] {
    let Request { id, brand, mode, .. } = request;
    mac(key, "entry", &format!("{brand} {} {channel} {id}", mode.as_str()))
}

/// Computes the keyed hash under which the contact of a customer who began by an entry link is kept. It is no address.
#[must_use]
pub fn entry_contact_hash(key: &Key32, request: RequestId) -> String {
    to_hex(&mac(key, "entry-contact", &request.to_string()))
}

/// Derives the nonce of a consent page's form, bound to this prompt and exactly this ask.
#[must_use]
pub fn page_nonce(key: &Key32, prompt: PromptId, ask: &AskHash) -> String {
    let mac = mac(key, "page", &format!("{prompt} {}", ask.as_str()));
    let (head, _) = mac.split_at(16);
    URL_SAFE_NO_PAD.encode(head)
}

/// Derives the value of the cookie that names the browser in which a prompt was approved.
#[must_use]
pub fn browser_token(key: &Key32, request: RequestId, prompt: PromptId) -> String {
    let mac = mac(key, "browser", &format!("{request} {prompt}"));
    let (head, _) = mac.split_at(16);
    URL_SAFE_NO_PAD.encode(head)
}

/// Writes a cursor of a session's list. It holds for this brand, mode and session only.
#[must_use]
pub fn cursor(brand: &Brand, mode: Mode, session: &str, place: &str) -> String {
    let mac = cursor_mac(brand, mode, session, place);
    format!("{}.{}", URL_SAFE_NO_PAD.encode(place), URL_SAFE_NO_PAD.encode(mac))
}

/// Reads the place of a cursor; `None` unless it is of this brand, mode and session.
#[must_use]
pub fn cursor_place(brand: &Brand, mode: Mode, session: &str, cursor: &str) -> Option<String> {
    let (place, mac) = cursor.split_once('.')?;
    let place = String::from_utf8(URL_SAFE_NO_PAD.decode(place).ok()?).ok()?;
    let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
    same_bytes(&mac, &cursor_mac(brand, mode, session, &place)).then_some(place)
}

fn cursor_mac(brand: &Brand, mode: Mode, session: &str, place: &str) -> Vec<u8> {
    let mac =
        mac(&brand.address_key, "cursor", &format!("{} {mode:?} {session} {place}", brand.name));
    let (head, _) = mac.split_at(16);
    head.to_vec()
}

/// Compares two texts in constant time.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    same_bytes(one.as_bytes(), other.as_bytes())
}

/// Compares two byte strings in constant time.
#[must_use]
pub fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_token_is_stable_and_differs_by_prompt() {
        let key = Key32::new([3; 32]);
        let prompt = |n| PromptId::new(crate::values::time::Timestamp::from_millis(1), [n; 10]);
        assert_eq!(link_token(&key, prompt(1)), link_token(&key, prompt(1)));
        assert_ne!(link_token(&key, prompt(1)), link_token(&key, prompt(2)));
        assert_eq!(link_token(&key, prompt(1)).len(), 22);
    }
}
