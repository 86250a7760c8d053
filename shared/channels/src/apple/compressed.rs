//! Decompresses Apple's bodies, up to a limit.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use ports::CallbackError;

/// The longest decompressed body: several times the longest inline message.
const PLAIN_MAX: u64 = 256 * 1024;
/// The first bytes of every gzip. A proxy may have decompressed the body and left the header.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Decompresses a body that is compressed. It stops at [`PLAIN_MAX`].
///
/// # Errors
///
/// [`CallbackError::Malformed`] for a damaged body, and for one beyond the limit.
pub(super) fn plain(body: &Bytes) -> Result<Bytes, CallbackError> {
    if !body.starts_with(&MAGIC) {
        return Ok(body.clone());
    }
    let mut plain = Vec::new();
    let unpacked = GzDecoder::new(body.as_ref()).take(PLAIN_MAX + 1).read_to_end(&mut plain);
    match unpacked {
        Ok(_) if u64::try_from(plain.len()).is_ok_and(|length| length <= PLAIN_MAX) => {
            Ok(plain.into())
        }
        Ok(_) | Err(_) => Err(CallbackError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_body_is_decompressed() {
        for body in [b"".as_slice(), b"{}", b"\x1f"] {
            let body = Bytes::copy_from_slice(body);
            assert_eq!(plain(&body).unwrap(), body);
            assert_eq!(plain(&gzip(&body).into()).unwrap(), body);
        }
    }

    #[test]
    fn decompression_bomb_is_refused_at_the_limit() {
        let most = usize::try_from(PLAIN_MAX).unwrap();
        assert_eq!(plain(&gzip(&vec![b' '; most]).into()).unwrap().len(), most);
        assert_eq!(plain(&gzip(&vec![b' '; most + 1]).into()), Err(CallbackError::Malformed));
        let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
        assert!(bomb.len() < 100_000);
        assert_eq!(plain(&bomb.into()), Err(CallbackError::Malformed));
    }

    #[test]
    fn truncated_or_changed_body_is_refused() {
        let whole = gzip(b"{\"type\":\"text\",\"body\":\"STOP\"}");
        for end in 2..whole.len() {
            assert_eq!(
                plain(&whole[..end].to_vec().into()),
                Err(CallbackError::Malformed),
                "{end}"
            );
        }
        let mut changed = whole;
        let last = changed.len() - 5;
        changed[last] ^= 1;
        assert_eq!(plain(&changed.into()), Err(CallbackError::Malformed), "its checksum is wrong");
    }
}
