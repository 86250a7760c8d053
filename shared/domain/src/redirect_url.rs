//! The address of a processor's page.

use std::fmt;

use zeroize::Zeroizing;

use crate::seal::{Scheme, Sealable};

/// The address of the processor's page for one customer. It is that customer's alone, so that `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct RedirectUrl(pub String);

impl fmt::Debug for RedirectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedirectUrl(…)")
    }
}

impl Sealable for RedirectUrl {
    const PURPOSE: &str = "redirect_url";
    const FIRST_PURPOSE: &str = ":redirect_url";
    const SCHEME: Scheme = Scheme::ToConsentCallback;

    fn to_plain(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.clone())
    }

    fn from_plain(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}
