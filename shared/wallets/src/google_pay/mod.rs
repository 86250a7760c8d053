//! Google Pay, direct tokenization: `ECv1`, `ECv2` and `ECv2SigningOnly`.
//!
//! The checks, in the order of Google's text: root keys in force; the intermediate key's signature and expiry (`ECv2`); the
//! message's signature, for this recipient; the key agreement; the tag; the message's expiry. What is left is that a message
//! is used once: see [`Unclaimed`].
//!
//! **Nothing here says what the customer pays.** Unlike Apple's, Google's token carries no amount, no currency and no data of
//! the page's: one that was given for 1.00 opens just as well for 100.00. The binding is the caller's: use a token only for
//! the request whose own page handed it in, together with the consent to exactly that amount, and claim its id for that
//! request. A stolen token is then worth no more than the request it is claimed for, for the days that it lives.

mod cipher;
mod payload;
mod roots;
mod signing;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::str::FromStr;

use domain::values::time::Timestamp;
use secrecy::SecretString;
use zeroize::Zeroizing;

pub use roots::{InvalidRootKeys, RootKeys};

use crate::agreement::PrivateKey;
use crate::{InvalidKey, Refused, Unclaimed};

/// A private key whose public half is registered with Google or given in the page's request. `Debug` shows nothing of it.
pub struct Key(PrivateKey);

impl Key {
    /// The private key as PEM (SEC 1 or PKCS #8, not encrypted).
    ///
    /// # Errors
    /// [`InvalidKey`] when the text is not a private key on P-256.
    pub fn new(private_key: &SecretString) -> Result<Self, InvalidKey> {
        Ok(Self(PrivateKey::read(private_key)?))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// Who tokens are made for: `merchant:<id>` or `gateway:<id>`. In Google's test environment it is
/// `merchant:12345678901234567890`, whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientId(String);

/// A text that is neither `merchant:<id>` nor `gateway:<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a recipient is merchant:<id> or gateway:<id>")]
pub struct InvalidRecipientId;

impl FromStr for RecipientId {
    type Err = InvalidRecipientId;

    fn from_str(text: &str) -> Result<Self, InvalidRecipientId> {
        let id = text.strip_prefix("merchant:").or_else(|| text.strip_prefix("gateway:"));
        match id {
            Some(id) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Self(text.to_owned()))
            }
            Some(_) | None => Err(InvalidRecipientId),
        }
    }
}

/// Who a token must have been made for.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// What Google signs with the token.
    pub id: &'a RecipientId,
    /// The keys that may open it: more than one while keys are rotated, as a token does not name its key.
    pub keys: &'a [Key],
}

/// Which numbers are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// Only those of a device (`CRYPTOGRAM_3DS`); a real card number is [`Refused::CardNumber`].
    Device,
    /// Real card numbers (`PAN_ONLY`) as well: more to protect, and no cryptogram that says the customer was there.
    Any,
}

/// What a token must be like.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Which numbers are taken.
    pub numbers: Numbers,
    /// The `gatewayMerchantId` that the page asked with, where the recipient is a gateway; `None` does not look.
    pub gateway_merchant: Option<&'a str>,
}

/// What Google signed, and encrypted unless it is `ECv2SigningOnly`. `Debug` shows nothing of it.
pub struct Message {
    id: String,
    expires_at: Timestamp,
    text: Zeroizing<Vec<u8>>,
}

impl Message {
    /// Unique to the message. Every use of it is to be claimed, as [`Unclaimed::id`] says.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it stops being accepted.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The text, in JSON. Account data, unless it is known to be something else.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").finish_non_exhaustive()
    }
}

/// Opens the text of `paymentMethodData.tokenizationData.token`, exactly as the wallet gave it.
///
/// # Errors
/// [`Refused`].
pub fn open(
    token: &str,
    recipient: Recipient<'_>,
    roots: &RootKeys,
    now: Timestamp,
    expected: &Expected<'_>,
) -> Result<Unclaimed, Refused> {
    let message = message(token, recipient, roots, now)?;
    let card = payload::read_card(message.text())?;
    if !card.is_of(expected.gateway_merchant) {
        return Err(Refused::OtherAsk);
    }
    let token = card.into_token(expected.numbers)?;
    Ok(Unclaimed { id: message.id, keep_until: message.expires_at, token })
}

/// Verifies and decrypts a message that need not hold a card, as `ECv2SigningOnly` seldom does.
///
/// # Errors
/// [`Refused`], but for [`Refused::OtherAsk`] and [`Refused::CardNumber`], which are about cards.
pub fn message(
    token: &str,
    recipient: Recipient<'_>,
    roots: &RootKeys,
    now: Timestamp,
) -> Result<Message, Refused> {
    let text = text(token, recipient, roots, now)?;
    let envelope = payload::read_envelope(&text)?;
    if envelope.expires_at <= now {
        return Err(Refused::Expired);
    }
    Ok(Message { id: envelope.id, expires_at: envelope.expires_at, text })
}

/// What is signed, decrypted: not yet known to be in time.
fn text(
    token: &str,
    recipient: Recipient<'_>,
    roots: &RootKeys,
    now: Timestamp,
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let envelope = wire::read(token)?;
    signing::verify(&envelope, recipient.id, roots, now)?;
    match envelope.protocol.key_bytes() {
        Some(bytes) => cipher::open(&envelope.signed_message, recipient.keys, bytes),
        None => Ok(Zeroizing::new(envelope.signed_message.into_bytes())),
    }
}
