//! Reads a customer's address as providers write it: a number in several spellings, or an id.

use domain::values::phone::Phone;
use ports::Sender;

/// The longest id that is read.
const HANDLE_MAX: usize = 256;

/// Reads an address: a number, perhaps behind a scheme as in `rcs:+15551230001`, or else an id of the channel.
///
/// A short code or a name is such an id too. It belongs to no number, and its opt-out counts for itself.
pub(crate) fn sender(address: &str) -> Sender {
    let phone = phone(address);
    let handle = phone.is_none().then(|| handle(address)).flatten();
    Sender { phone, handle, features: Vec::new() }
}

/// Reads a number with its `+`, perhaps behind a scheme.
pub(crate) fn phone(address: &str) -> Option<Phone> {
    let is_scheme = |scheme: &str| scheme.bytes().all(|byte| byte.is_ascii_alphabetic());
    let number = match address.trim().split_once(':') {
        Some((scheme, number)) if is_scheme(scheme) => number,
        Some(_) | None => address,
    };
    number.trim().parse().ok()
}

/// Reads a number with or without its `+`.
pub(crate) fn bare_phone(number: &str) -> Option<Phone> {
    phone(number).or_else(|| format!("+{number}").parse().ok())
}

/// Reads an id of a channel; `None` for one that no provider sends.
pub(crate) fn handle(id: &str) -> Option<String> {
    let is_plain =
        (1..=HANDLE_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_read_behind_any_scheme() {
        let phone: Phone = "+15551230001".parse().unwrap();
        for address in ["+15551230001", "rcs:+15551230001", "RCS:+15551230001", "tel:+15551230001"]
        {
            assert_eq!(sender(address), phone.clone().into(), "{address}");
        }
        assert_eq!(bare_phone("15551230001"), Some(phone));
        assert_eq!(bare_phone("72345"), None);
    }

    #[test]
    fn address_without_a_number_is_an_id() {
        for id in ["72345", "15551230001", "ACME", "rcs:acme_agent", "urn:mbid:AQAA", "client:+x"] {
            assert_eq!(sender(id), Sender { handle: Some(id.to_owned()), ..Sender::default() });
        }
        for none in ["", "two words", "\u{1F600}", &"a".repeat(257)] {
            assert_eq!(sender(none), Sender::default(), "{none}");
        }
    }
}
