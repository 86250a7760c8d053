//! Access tokens that were fetched, kept across the openings of a channel, which is opened anew for each call.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::keys;
use domain::values::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Every token there is in this process, by whose it is.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<Account, Kept>>);

/// Whose token it is: a digest of all that it is asked for with, so that other credentials never find it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account([u8; 32]);

struct Kept {
    token: SecretString,
    until: Timestamp,
}

impl Account {
    /// The account that these parts are all of.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            // Each by a hash of its own, so that no two lists of parts run together to the same text.
            digest.update(Sha256::digest(part));
        }
        Self(digest.finalize().into())
    }
}

impl Tokens {
    /// The token that still counts.
    pub(crate) fn usable(&self, account: Account, now: Timestamp) -> Option<SecretString> {
        let kept = self.lock();
        kept.get(&account).filter(|kept| now < kept.until).map(|kept| kept.token.clone())
    }

    /// Keeps a token until then, and drops those that ran out: their accounts may be gone.
    pub(crate) fn keep(
        &self,
        account: Account,
        token: SecretString,
        (now, until): (Timestamp, Timestamp),
    ) {
        let mut kept = self.lock();
        kept.retain(|_, kept| now < kept.until);
        kept.insert(account, Kept { token, until });
    }

    /// Drops a token that was refused. One that somebody else fetched meanwhile stays.
    pub(crate) fn forget(&self, account: Account, token: &SecretString) {
        let mut kept = self.lock();
        let same = |kept: &Kept| keys::same(kept.token.expose_secret(), token.expose_secret());
        if kept.get(&account).is_some_and(same) {
            kept.remove(&account);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Account, Kept>> {
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

    fn usable(tokens: &Tokens, account: Account, seconds: u64) -> Option<String> {
        let token = tokens.usable(account, later(seconds));
        token.map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn a_token_counts_until_it_runs_out_and_for_its_own_account_only() {
        let (tokens, ours) = (Tokens::default(), Account::of(&["ab", "c"]));
        tokens.keep(ours, "one".into(), (NOW, later(60)));
        assert_eq!(usable(&tokens, ours, 59).as_deref(), Some("one"));
        assert_eq!(usable(&tokens, ours, 60), None);
        for other in [Account::of(&["a", "bc"]), Account::of(&["abc"]), Account::of(&["ab", "C"])] {
            assert_eq!(usable(&tokens, other, 0), None);
        }
    }

    #[test]
    fn what_ran_out_is_dropped_when_another_is_kept() {
        let (tokens, gone) = (Tokens::default(), Account::of(&["gone"]));
        tokens.keep(gone, "one".into(), (NOW, later(60)));
        tokens.keep(Account::of(&["new"]), "two".into(), (later(61), later(120)));
        assert_eq!(tokens.lock().len(), 1);
    }

    #[test]
    fn only_the_token_that_was_refused_is_forgotten() {
        let (tokens, ours) = (Tokens::default(), Account::of(&["ours"]));
        tokens.keep(ours, "newer".into(), (NOW, later(60)));
        tokens.forget(ours, &"older".into());
        assert_eq!(usable(&tokens, ours, 0).as_deref(), Some("newer"));
        tokens.forget(ours, &"newer".into());
        assert_eq!(usable(&tokens, ours, 0), None);
    }
}
