//! A cache of access tokens. It outlives a channel, as each call opens its channel again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::keys;
use domain::values::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The access tokens of this process, by account.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<TokenAccount, CachedToken>>);

/// The account that a token belongs to: a digest of its credentials, so that other credentials never find the token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokenAccount([u8; 32]);

struct CachedToken {
    token: SecretString,
    until: Timestamp,
}

/// The time from which a token is used, and the time until which.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
}

impl TokenAccount {
    /// Digests the credentials of an account.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            // Each part has a hash of its own, so that no two lists of parts concatenate to the same text.
            digest.update(Sha256::digest(part));
        }
        Self(digest.finalize().into())
    }
}

impl Tokens {
    /// Returns the account's token; `None` once it expired.
    pub(crate) fn usable(&self, account: TokenAccount, now: Timestamp) -> Option<SecretString> {
        let tokens = self.lock();
        tokens.get(&account).filter(|cached| now < cached.until).map(|cached| cached.token.clone())
    }

    /// Caches a token, and drops the expired ones: their accounts may be gone.
    pub(crate) fn insert(&self, account: TokenAccount, token: SecretString, validity: Validity) {
        let Validity { now, until } = validity;
        let mut tokens = self.lock();
        tokens.retain(|_, cached| now < cached.until);
        tokens.insert(account, CachedToken { token, until });
    }

    /// Drops a token that the provider refused. A newer one, which another call fetched, stays.
    pub(crate) fn remove(&self, account: TokenAccount, token: &SecretString) {
        let mut tokens = self.lock();
        let same =
            |cached: &CachedToken| keys::same(cached.token.expose_secret(), token.expose_secret());
        if tokens.get(&account).is_some_and(same) {
            tokens.remove(&account);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TokenAccount, CachedToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::doubles::NOW;

    fn later(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    fn usable(tokens: &Tokens, account: TokenAccount, seconds: u64) -> Option<String> {
        let token = tokens.usable(account, later(seconds));
        token.map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn token_is_usable_until_expiry_by_its_own_account_only() {
        let (tokens, ours) = (Tokens::default(), TokenAccount::of(&["ab", "c"]));
        tokens.insert(ours, "one".into(), Validity { now: NOW, until: later(60) });
        assert_eq!(usable(&tokens, ours, 59).as_deref(), Some("one"));
        assert_eq!(usable(&tokens, ours, 60), None);
        for other in [
            TokenAccount::of(&["a", "bc"]),
            TokenAccount::of(&["abc"]),
            TokenAccount::of(&["ab", "C"]),
        ] {
            assert_eq!(usable(&tokens, other, 0), None);
        }
    }

    #[test]
    fn insert_drops_expired_tokens() {
        let (tokens, gone) = (Tokens::default(), TokenAccount::of(&["gone"]));
        tokens.insert(gone, "one".into(), Validity { now: NOW, until: later(60) });
        tokens.insert(
            TokenAccount::of(&["new"]),
            "two".into(),
            Validity { now: later(61), until: later(120) },
        );
        assert_eq!(tokens.lock().len(), 1);
    }

    #[test]
    fn remove_drops_only_the_refused_token() {
        let (tokens, ours) = (Tokens::default(), TokenAccount::of(&["ours"]));
        tokens.insert(ours, "newer".into(), Validity { now: NOW, until: later(60) });
        tokens.remove(ours, &"older".into());
        assert_eq!(usable(&tokens, ours, 0).as_deref(), Some("newer"));
        tokens.remove(ours, &"newer".into());
        assert_eq!(usable(&tokens, ours, 0), None);
    }
}
