//! Google's own words around the message: an envelope with exactly the members of its version.

use serde::Deserialize;

use crate::{Refused, TEXT_MAX};

/// The versions of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Protocol {
    EcV1,
    EcV2,
    EcV2SigningOnly,
}

impl Protocol {
    pub(super) fn read(text: &str) -> Option<Self> {
        [Self::EcV1, Self::EcV2, Self::EcV2SigningOnly]
            .into_iter()
            .find(|protocol| protocol.name() == text)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::EcV1 => "ECv1",
            Self::EcV2 => "ECv2",
            Self::EcV2SigningOnly => "ECv2SigningOnly",
        }
    }

    /// How long its two keys are, where the message is encrypted.
    pub(super) const fn key_bytes(self) -> Option<KeyBytes> {
        match self {
            Self::EcV1 => Some(KeyBytes::Sixteen),
            Self::EcV2 => Some(KeyBytes::ThirtyTwo),
            Self::EcV2SigningOnly => None,
        }
    }
}

/// How long a key is.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyBytes {
    Sixteen,
    ThirtyTwo,
}

/// A token whose members are those of its version; not yet verified.
pub(super) struct Envelope {
    pub(super) protocol: Protocol,
    /// Base64 of a signature in DER.
    pub(super) signature: String,
    /// What the signature covers, character for character.
    pub(super) signed_message: String,
    /// Only `ECv1` is signed by a root key itself.
    pub(super) intermediate: Option<SignedKey>,
}

/// A key that a root key signed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SignedKey {
    /// JSON of a [`Key`], character for character what the signatures cover.
    pub(super) signed_key: String,
    pub(super) signatures: Vec<String>,
}

/// What is in [`SignedKey::signed_key`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Key {
    /// DER of a `SubjectPublicKeyInfo`, in base64.
    pub(super) key_value: String,
    /// Milliseconds since 1970, as text.
    pub(super) key_expiration: String,
}

/// What is in an encrypted [`Envelope::signed_message`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Encrypted {
    pub(super) encrypted_message: String,
    /// A point, in base64.
    pub(super) ephemeral_public_key: String,
    pub(super) tag: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    protocol_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Direct {
    #[serde(rename = "protocolVersion")]
    _protocol_version: String,
    signature: String,
    signed_message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WithIntermediate {
    #[serde(rename = "protocolVersion")]
    _protocol_version: String,
    signature: String,
    intermediate_signing_key: SignedKey,
    signed_message: String,
}

/// Reads a token's text.
pub(super) fn read(text: &str) -> Result<Envelope, Refused> {
    if text.len() > TEXT_MAX {
        return Err(Refused::Malformed);
    }
    let versioned: Versioned = serde_json::from_str(text).map_err(malformed)?;
    let protocol = Protocol::read(&versioned.protocol_version).ok_or(Refused::Unsupported)?;
    match protocol {
        Protocol::EcV1 => {
            let token: Direct = serde_json::from_str(text).map_err(malformed)?;
            let Direct { signature, signed_message, .. } = token;
            Ok(Envelope { protocol, signature, signed_message, intermediate: None })
        }
        Protocol::EcV2 | Protocol::EcV2SigningOnly => {
            let token: WithIntermediate = serde_json::from_str(text).map_err(malformed)?;
            let WithIntermediate { signature, signed_message, intermediate_signing_key, .. } =
                token;
            let intermediate = Some(intermediate_signing_key);
            Ok(Envelope { protocol, signature, signed_message, intermediate })
        }
    }
}

/// Milliseconds since 1970, as text.
pub(super) fn millis(text: &str) -> Option<domain::values::time::Timestamp> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let millis = text.parse().ok().filter(|_| digits)?;
    Some(domain::values::time::Timestamp::from_millis(millis))
}

pub(super) fn malformed(_not_quoted: serde_json::Error) -> Refused {
    Refused::Malformed
}
