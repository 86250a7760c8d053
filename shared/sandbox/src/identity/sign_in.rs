//! The sign-ins, each stored for ten minutes: the client's question, the person, and the use of its code.

use std::time::Duration;

use domain::digest::digest_hex;
use domain::keys;
use domain::values::time::Timestamp;
use ports::{Expect, Item, Key, StoreError, Write};
use serde::{Deserialize, Serialize};

use super::IdentityProvider;

/// How long a code and an access token work. RFC 6749, section 4.1.2, recommends ten minutes at most.
const LIFE: Duration = Duration::from_secs(600);

/// The question of a client, and the person who answers it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) nonce: Option<String>,
    /// The PKCE challenge.
    pub(super) challenge: String,
    /// The claims that were asked for.
    pub(super) claims: Vec<String>,
    /// The authentication context class that was asked for.
    pub(super) acr: Option<String>,
    /// The magic value of the person.
    pub(super) person: String,
}

/// A sign-in. Its code and its access token are stored as digests only.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SignIn {
    #[serde(flatten)]
    pub(super) question: Question,
    pub(super) at: Timestamp,
    code: String,
    token: Option<String>,
    /// Whether the code came twice, which ends the access token.
    pub(super) is_revoked: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredSignIn {
    #[serde(rename = "1")]
    V1(SignIn),
}

/// A sign-in with the id and the version under which it is stored.
pub(super) struct LoadedSignIn {
    pub(super) sign_in: SignIn,
    id: String,
    version: u64,
}

impl IdentityProvider {
    /// Stores a new sign-in. Returns its code.
    pub(super) async fn begin(&self, question: Question) -> Result<String, StoreError> {
        let (id, secret) = (self.draw(), self.draw());
        let sign_in = SignIn {
            question,
            at: self.clock.now(),
            code: digest_hex(secret.as_bytes()),
            token: None,
            is_revoked: false,
        };
        let code = format!("{id}.{secret}");
        self.write(&LoadedSignIn { sign_in, id, version: 0 }).await?;
        Ok(code)
    }

    /// Redeems a code once, with `check` as its conditions. Returns the sign-in and its access token.
    ///
    /// `None` where the code is unknown, over, refused or used before. A second use ends the access token.
    pub(super) async fn redeem(
        &self,
        code: &str,
        check: impl FnOnce(&SignIn) -> bool + Send,
    ) -> Result<Option<(SignIn, String)>, StoreError> {
        let Some((mut loaded, secret)) = self.find(code).await? else { return Ok(None) };
        let sign_in = &mut loaded.sign_in;
        if !keys::same(&sign_in.code, &secret) || !check(sign_in) {
            return Ok(None);
        }
        if sign_in.token.is_some() {
            sign_in.is_revoked = true;
            self.write(&loaded).await?;
            return Ok(None);
        }
        let secret = self.draw();
        sign_in.token = Some(digest_hex(secret.as_bytes()));
        self.write(&loaded).await?;
        let token = format!("{}.{secret}", loaded.id);
        Ok(Some((loaded.sign_in, token)))
    }

    /// Returns the sign-in of an access token; `None` for one that does not work.
    pub(super) async fn by_token(&self, token: &str) -> Result<Option<SignIn>, StoreError> {
        let Some((loaded, secret)) = self.find(token).await? else { return Ok(None) };
        let sign_in = loaded.sign_in;
        let is_own = sign_in.token.as_ref().is_some_and(|token| keys::same(token, &secret));
        Ok(Some(sign_in).filter(|sign_in| is_own && !sign_in.is_revoked))
    }

    /// Finds the sign-in that a code or a token names, and the digest of its other part.
    async fn find(&self, text: &str) -> Result<Option<(LoadedSignIn, String)>, StoreError> {
        let Some((id, secret)) = text.split_once('.') else { return Ok(None) };
        let is_id = id.len() == 48 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id {
            return Ok(None);
        }
        let Some(item) = self.store.read(&key(id)).await? else { return Ok(None) };
        let stored = serde_json::from_str(&item.body);
        let StoredSignIn::V1(sign_in) =
            stored.map_err(|error| StoreError::Damaged(error.into()))?;
        let is_over = sign_in.at.after(LIFE) <= self.clock.now();
        let loaded = LoadedSignIn { sign_in, id: id.to_owned(), version: item.version };
        Ok((!is_over).then(|| (loaded, digest_hex(secret.as_bytes()))))
    }

    async fn write(&self, loaded: &LoadedSignIn) -> Result<(), StoreError> {
        let body = serde_json::to_string(&StoredSignIn::V1(loaded.sign_in.clone()));
        let item = Item {
            key: key(&loaded.id),
            version: loaded.version.saturating_add(1),
            body: body.map_err(|error| StoreError::Damaged(error.into()))?,
            expires_at: Some(loaded.sign_in.at.after(LIFE)),
            index: None,
        };
        let expect = match loaded.version {
            0 => Expect::Absent,
            version => Expect::Version(version),
        };
        self.store.write(vec![Write::Put { item, expect }]).await
    }
}

fn key(id: &str) -> Key {
    Key { pk: format!("SANDBOX#oid_{id}"), sk: "SIGN_IN".to_owned() }
}
