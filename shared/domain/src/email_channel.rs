//! The e-mail channel: which channels prove no number, and the token with which a reader unsubscribes.
//!
//! A mail goes to an address that the requester names beside the number. Who reads it may be another person.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::brand::{Brand, ChannelSetup, Key32, Mode};
use crate::digest::to_hex;
use crate::keys;
use crate::link_channel::LINK_KIND;
use crate::request::Request;
use crate::values::name::{BrandName, ChannelName};

/// The kind of such channels in a brand's settings.
pub const EMAIL_KIND: &str = "email";

/// The reason of a prompt without an e-mail address.
pub const NO_ADDRESS: &str = "no_address";
/// The reason of a mail whose reader unsubscribed.
pub const UNSUBSCRIBED: &str = "unsubscribed";

/// The length of a keyed hash, in bytes.
const HASH_LENGTH: usize = 32;

/// The kind of channels on the sandbox phone. Their style is the kind that they imitate.
const SANDBOX_KIND: &str = "sandbox";

#[derive(Deserialize)]
struct SandboxSettings {
    #[serde(default)]
    style: String,
}

impl ChannelSetup {
    /// Returns whether the channel sends mail, or imitates it on the sandbox phone.
    #[must_use]
    pub fn is_email(&self) -> bool {
        let imitates = |sandbox: SandboxSettings| sandbox.style == EMAIL_KIND;
        self.kind == EMAIL_KIND
            || (self.kind == SANDBOX_KIND && self.settings.read().is_ok_and(imitates))
    }

    /// Returns whether a message over the channel shows nothing about the customer's number: a shown link, or a mail.
    #[must_use]
    pub fn proves_no_number(&self) -> bool {
        self.kind == LINK_KIND || self.is_email()
    }
}

impl Brand {
    /// Returns whether the channel sends mail.
    #[must_use]
    pub fn is_email_channel(&self, mode: Mode, name: &ChannelName) -> bool {
        let mut setups = self.setup(mode).channels.iter();
        setups.any(|setup| setup.name == *name && setup.is_email())
    }

    /// Returns whether a message over the channel shows nothing about the customer's number.
    #[must_use]
    pub fn proves_no_number(&self, mode: Mode, name: &ChannelName) -> bool {
        let mut setups = self.setup(mode).channels.iter();
        setups.any(|setup| setup.name == *name && setup.proves_no_number())
    }
}

impl Request {
    /// Computes the keyed hash of the customer's e-mail address; `None` without one.
    #[must_use]
    pub fn email_address(&self, brand: &Brand) -> Option<String> {
        self.customer.email.as_ref().map(|email| keys::email_hash(&brand.address_key, email))
    }
}

/// The wish to get no more mail: of which brand, in which mode, at which address.
///
/// Its token stands in every mail. It is made with the brand's link key, and nothing is stored for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscription {
    /// The brand whose mail it is.
    pub brand: BrandName,
    /// Test or live.
    pub mode: Mode,
    /// The keyed hash of the e-mail address.
    pub address: String,
}

impl Unsubscription {
    /// Writes the token: brand, mode, hash and MAC, in characters that a URL takes.
    #[must_use]
    pub fn write(&self, key: &Key32) -> String {
        let Self { brand, mode, address } = self;
        let hash = URL_SAFE_NO_PAD.encode(hex::decode(address).unwrap_or_default());
        let mac = keys::unsubscribe_mac(key, &self.signed());
        format!("{brand}.{}.{hash}.{mac}", mode.as_str())
    }

    /// Reads a token, and its MAC beside it; `None` for another text. [`is_signed`](Self::is_signed) must follow.
    #[must_use]
    pub fn read(token: &str) -> Option<(Self, &str)> {
        let (rest, mac) = token.rsplit_once('.')?;
        let (rest, hash) = rest.rsplit_once('.')?;
        let (brand, mode) = rest.rsplit_once('.')?;
        let mode = [Mode::Live, Mode::Test].into_iter().find(|known| known.as_str() == mode)?;
        let hash = URL_SAFE_NO_PAD.decode(hash).ok().filter(|hash| hash.len() == HASH_LENGTH)?;
        let address = to_hex(&hash);
        Some((Self { brand: brand.parse().ok()?, mode, address }, mac))
    }

    /// Returns whether the MAC is the brand's own, for exactly this wish.
    #[must_use]
    pub fn is_signed(&self, mac: &str, key: &Key32) -> bool {
        keys::same(mac, &keys::unsubscribe_mac(key, &self.signed()))
    }

    fn signed(&self) -> String {
        let Self { brand, mode, address } = self;
        format!("{brand} {} {address}", mode.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsubscribe_token_holds_for_its_brand_mode_and_address() {
        let (key, email) = (Key32::new([7; 32]), "ada@example.com".parse().unwrap());
        let address = keys::email_hash(&key, &email);
        let wish = Unsubscription { brand: "acme".parse().unwrap(), mode: Mode::Live, address };
        let token = wish.write(&key);
        let (read, mac) = Unsubscription::read(&token).unwrap();
        assert_eq!(read, wish);
        assert!(read.is_signed(mac, &key) && !read.is_signed(mac, &Key32::new([8; 32])));
        let other = keys::email_hash(&key, &"eve@example.com".parse().unwrap());
        for forged in [
            Unsubscription { mode: Mode::Test, ..wish.clone() },
            Unsubscription { brand: "acne".parse().unwrap(), ..wish.clone() },
            Unsubscription { address: other, ..wish },
        ] {
            assert!(!forged.is_signed(mac, &key), "{forged:?}");
        }
        for bad in ["", "acme", "acme.live.AAAA.x", "acme.both.AAAA.x", &token[1..], &token[..40]] {
            let read = Unsubscription::read(bad);
            assert!(read.is_none_or(|(read, mac)| !read.is_signed(mac, &key)), "{bad}");
        }
    }

    #[test]
    fn email_hash_folds_case_and_differs_from_a_numbers() {
        let key = Key32::new([7; 32]);
        let hash = |text: &str| keys::email_hash(&key, &text.parse().unwrap());
        assert_eq!(hash("Ada@Example.com"), hash("ada@example.COM"));
        assert_ne!(hash("ada@example.com"), hash("ada2@example.com"));
        assert_eq!(hash("ada@example.com").len(), 64);
    }
}
