//! E-mail addresses. They are personal data, so that neither `Debug` nor a log shows one.

use std::fmt;
use std::str::FromStr;

use super::json_text::text_in_json;

/// The longest address (RFC 5321, section 4.5.3.1.3, without the brackets of a path).
const LENGTH_MAX: usize = 254;
/// The longest part before the `@` (RFC 5321, section 4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// The longest label of a domain (RFC 1035, section 2.3.4).
const LABEL_MAX: usize = 63;

/// An e-mail address in ASCII: an unquoted local part, and a domain with a dot.
///
/// Such an address breaks no header, and holds no comment and no second address.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

/// A text that is not such an address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address is `name@domain` in ASCII, without quotes, at most 254 characters")]
pub struct InvalidEmail;

impl Email {
    /// Returns the address, for a channel's call.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the spelling under which opt-outs are kept: in lower case, as no large provider tells cases apart.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Returns the masked address that requesters see: the first letter, and the last label of the domain.
    #[must_use]
    pub fn masked(&self) -> String {
        let first: String = self.0.chars().take(1).collect();
        let last = self.0.rsplit('.').next().unwrap_or_default();
        format!("{first}•••••@•••••.{last}")
    }
}

/// Returns whether a part before the `@` is a dot-atom (RFC 5322, section 3.2.3).
fn is_local(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    text.len() <= LOCAL_MAX
        && text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_plain))
}

/// Returns whether a domain has a dot, and labels of letters, digits and hyphens.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let ends_in_letters = text
        .rsplit('.')
        .next()
        .is_some_and(|last| last.len() >= 2 && last.bytes().any(|byte| byte.is_ascii_alphabetic()));
    text.contains('.') && text.split('.').all(is_label) && ends_in_letters
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        let fits = text.len() <= LENGTH_MAX && is_local(local) && is_domain(domain);
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidEmail) }
    }
}

text_in_json!(Email);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_that_could_break_a_header_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}com", "label.".repeat(42));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@example.c",
            "ada@example.1",
            "ada@127.0.0.1",
            "ada@@example.com",
            "ada@ex ample.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada@example.com,eve@example.com",
            "Ada <ada@example.com>",
            "\"a b\"@example.com",
            ".ada@example.com",
            "a..b@example.com",
            "ada@-example.com",
            "ada@example..com",
            "ada@exämple.com",
            "аda@example.com",
            &long,
            &longer,
        ] {
            assert_eq!(bad.parse::<Email>(), Err(InvalidEmail), "{bad}");
        }
        for good in ["ada@example.com", "a.b+c@mail.example.co.uk", "O'Neil_1@xn--exmple-cua.com"] {
            assert_eq!(good.parse::<Email>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn email_debug_and_mask_hide_the_name() {
        let email: Email = "Ada.Byron@analytical.example.org".parse().unwrap();
        assert_eq!(email.masked(), "A•••••@•••••.org");
        assert_eq!(format!("{email:?}"), "Email(…)");
        assert_eq!(email.folded(), "ada.byron@analytical.example.org");
        assert_eq!(serde_json::to_string(&email).unwrap(), "\"Ada.Byron@analytical.example.org\"");
        assert!(serde_json::from_str::<Email>("\"ada\"").is_err());
    }
}
