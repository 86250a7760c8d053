//! The claims that an identity provider released.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::seal::{Scheme, Sealable};

/// Claims about the customer, as a JSON object. They are personal data, so that `Debug` hides them.
#[derive(Clone)]
pub struct ReleasedClaims(pub SecretString);

impl PartialEq for ReleasedClaims {
    fn eq(&self, other: &Self) -> bool {
        crate::keys::same(self.0.expose_secret(), other.0.expose_secret())
    }
}

impl Eq for ReleasedClaims {}

impl fmt::Debug for ReleasedClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReleasedClaims(…)")
    }
}

impl Sealable for ReleasedClaims {
    const PURPOSE: &str = "claims";
    const FIRST_PURPOSE: &str = ":claims";
    const SCHEME: Scheme = Scheme::ToIntake;

    fn to_plain(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.expose_secret().to_owned())
    }

    fn from_plain(text: &str) -> Option<Self> {
        Some(Self(text.into()))
    }
}
