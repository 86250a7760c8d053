//! Digests and bytes as text in lower-case hexadecimal.

use sha2::{Digest, Sha256};

/// Computes SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn digest_hex(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes))
}

/// Writes bytes in lower-case hexadecimal.
///
/// `hex::encode` adds one character at a time, which costs more than a digest does.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; bytes.len().saturating_mul(2)];
    let encoded = hex::encode_to_slice(bytes, &mut digits).ok();
    encoded.and_then(|()| String::from_utf8(digits).ok()).unwrap_or_else(|| hex::encode(bytes))
}
