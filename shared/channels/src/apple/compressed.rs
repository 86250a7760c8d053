//! Bodies that come compressed, as Apple's do: as long as they are allowed to be, and no longer.

use std::io::Read;

use bytes::Bytes;
use domain::ports::CallbackError;
use flate2::read::GzDecoder;

/// More than a message can be that does not travel by reference, several times over.
const PLAIN_MAX: u64 = 256 * 1024;
/// How every gzip begins. Something on the way may have unpacked the body already, whatever the header says.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The body as it was before it was compressed. One that grows beyond what a message can be is not unpacked to its end.
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
    fn a_body_is_unpacked_where_it_is_packed() {
        for body in [b"".as_slice(), b"{}", b"\x1f"] {
            let body = Bytes::copy_from_slice(body);
            assert_eq!(plain(&body).unwrap(), body);
            assert_eq!(plain(&gzip(&body).into()).unwrap(), body);
        }
    }

    #[test]
    fn a_small_body_that_unpacks_to_a_huge_one_is_refused_before_it_is_one() {
        let most = usize::try_from(PLAIN_MAX).unwrap();
        assert_eq!(plain(&gzip(&vec![b' '; most]).into()).unwrap().len(), most);
        assert_eq!(plain(&gzip(&vec![b' '; most + 1]).into()), Err(CallbackError::Malformed));
        let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
        assert!(bomb.len() < 100_000);
        assert_eq!(plain(&bomb.into()), Err(CallbackError::Malformed));
    }

    #[test]
    fn a_body_that_breaks_off_or_was_changed_is_refused() {
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
