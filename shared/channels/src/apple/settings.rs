//! The settings of a business at Apple, and their check.

use std::time::Duration;

use serde::Deserialize;

use super::account::Account;
use super::entry::EntryLink;
use super::pay;
use super::token::ProviderTokens;
use crate::settings::{BaseUrl, InvalidSetting, RotatedSecret, identifier};

/// Apple's own extension, which shows every standard kind of message.
const BID: &str = "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:\
    com.apple.icloud.apps.messages.business.extension";

/// The oldest accepted token of Apple's, unless the settings say otherwise.
const TOKEN_SECONDS: u32 = 300;

/// The settings of a business, and of its provider's account at Apple.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The business's id, as in `urn:biz:…`.
    business_id: String,
    /// The provider's id.
    csp_id: String,
    /// The provider's secret in base64, as Apple shows it, or several while one is rotated. The first one signs calls.
    api_secret: RotatedSecret,
    /// Apple Pay within the conversation. Its sheet has no place for a session code, so it needs a policy without one.
    #[serde(default)]
    pub(super) apple_pay: Option<pay::Settings>,
    /// The content of the link with which customers begin.
    #[serde(default)]
    pub(super) entry_link: EntryLink,
    /// Another extension than Apple's own.
    #[serde(default)]
    bid: Option<String>,
    /// The oldest accepted token of Apple's, in seconds; an hour at most.
    #[serde(default)]
    token_seconds: Option<u32>,
    /// The address of Apple's test gateway or of a stand-in.
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

impl Settings {
    /// Checks the settings of the account.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] for the first malformed one.
    pub(super) fn account(&self) -> Result<Account, InvalidSetting> {
        identifier("business_id", &self.business_id, "-_.")?;
        identifier("csp_id", &self.csp_id, "-_.")?;
        let bid = self.bid.clone().unwrap_or_else(|| BID.to_owned());
        identifier("bid", &bid, ".:-_")?;
        let seconds = self.token_seconds.unwrap_or(TOKEN_SECONDS);
        if !(1..=3600).contains(&seconds) {
            return Err(InvalidSetting { field: "token_seconds" });
        }
        let age_max = Duration::from_secs(seconds.into());
        let tokens = ProviderTokens::new(self.csp_id.clone(), &self.api_secret, age_max)?;
        let base = match &self.base_url {
            Some(base) => base.clone(),
            None => BaseUrl::try_from("https://mspgw.push.apple.com/v1".to_owned())?,
        };
        Ok(Account { business_id: self.business_id.clone(), bid, tokens, base })
    }
}
