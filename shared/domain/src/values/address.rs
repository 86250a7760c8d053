//! The one rule for addresses in settings.
//!
//! In live mode every address is `https`. In test mode it may be `http` too, for stand-ins on the same machine. No address
//! has credentials, which would end up in logs, nor a fragment, which no call carries.

use http::Uri;

use crate::brand::Mode;

/// Returns whether a setting of this mode may have this address.
///
/// ```
/// use domain::brand::Mode;
/// use domain::values::address::is_allowed;
///
/// assert!(is_allowed("https://api.example.com/v1", Mode::Live));
/// assert!(is_allowed("http://127.0.0.1:4010", Mode::Test));
/// assert!(!is_allowed("http://127.0.0.1:4010", Mode::Live));
/// ```
#[must_use]
pub fn is_allowed(text: &str, mode: Mode) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let has_scheme = match (uri.scheme_str(), mode) {
        (Some("https"), Mode::Live | Mode::Test) | (Some("http"), Mode::Test) => true,
        (Some(_) | None, Mode::Live | Mode::Test) => false,
    };
    let has_host = uri
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@') && !authority.host().is_empty());
    has_scheme && has_host && !text.contains('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_address_is_https_and_has_no_credentials() {
        for (text, live, test) in [
            ("https://a.example", true, true),
            ("HTTPS://a.example:8443/x?y=1", true, true),
            ("https://10.0.0.1/", true, true),
            ("http://a.example", false, true),
            ("HTTP://127.0.0.1:1/", false, true),
            ("https://u:p@a.example", false, false),
            ("http://u@a.example", false, false),
            ("https://a.example/#b", false, false),
            ("ftp://a.example", false, false),
            ("a.example", false, false),
            ("/x", false, false),
            ("", false, false),
            ("https://", false, false),
            ("https:///x", false, false),
        ] {
            let allowed = [Mode::Live, Mode::Test].map(|mode| is_allowed(text, mode));
            assert_eq!(allowed, [live, test], "{text}");
        }
    }
}
