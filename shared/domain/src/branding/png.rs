//! Checks that a PNG holds pixels alone (<https://www.w3.org/TR/png-3/>, read 2026-11-26).

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The chunks of a plain picture. Texts, comments, profiles and animations are none of them.
const PLAIN: [&[u8]; 8] = [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"sRGB", b"gAMA", b"pHYs"];
/// The pixels of a side.
const SIDE: std::ops::RangeInclusive<u32> = 16..=1024;

/// Returns whether the bytes are one PNG of plain pixels and nothing after it.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(SIGNATURE) else { return false };
    let (mut is_first, mut has_pixels) = (true, false);
    loop {
        let Some((kind, data, after)) = chunk(rest) else { return false };
        if !PLAIN.contains(&kind) || (is_first != (kind == b"IHDR")) {
            return false;
        }
        if is_first && !has_sound_sides(data) {
            return false;
        }
        if kind == b"IEND" {
            return has_pixels && data.is_empty() && after.is_empty();
        }
        (is_first, has_pixels, rest) = (false, has_pixels || kind == b"IDAT", after);
    }
}

/// Returns the kind and the data of the first chunk, and the bytes after it.
fn chunk(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_at_checked(4)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (data, rest) = rest.split_at_checked(length)?;
    // The check sum, which the browser verifies.
    let (_, rest) = rest.split_at_checked(4)?;
    Some((kind, data, rest))
}

fn has_sound_sides(header: &[u8]) -> bool {
    let side = |at: usize| {
        let bytes = header.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*bytes))
    };
    let sides = [side(0), side(4)];
    header.len() == 13 && sides.iter().all(|side| side.is_some_and(|side| SIDE.contains(&side)))
}
