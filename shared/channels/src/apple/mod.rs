//! Apple Messages for Business: only the customer can begin, by writing, and from then on they can be asked with buttons or
//! through Apple Pay.
//!
//! Nobody knows whether Apple recognises a message that comes twice, and it tells neither that one arrived nor that it was
//! read.

mod callback;
mod compressed;
mod entry;
mod pay;
mod reference;
mod token;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::brand::Key32;
use domain::contact::Contact;
use domain::ports::{
    Accepted, ButtonAction, CallbackError, Capability, Channel, Http, Prompt, Reach, ReceiptKinds,
    Received, Resend, Retraction, SendError, Source, UnverifiedCallback,
};
use domain::values::money::Money;
use domain::values::phone::Phone;
use domain::values::time::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::settings::{BaseUrl, InvalidSetting, identifier};
use crate::{AdapterConfig, Kind, answers};
use callback::Message;
use entry::EntryLink;
use pay::ApplePay;
use token::Tokens;
use wire::Buttons;

/// Apple Messages for Business.
pub(crate) const KIND: Kind = Kind { name: "apple", open };

const TIMEOUT: Duration = Duration::from_secs(10);
/// A customer waits on the line, and the text with the link would have been there by then.
const SESSION_TIMEOUT: Duration = Duration::from_secs(5);
/// How old a token of Apple's may be.
const TOKEN_SECONDS: u32 = 300;

/// There is nobody to write to before the customer wrote.
const CUSTOMER_MUST_START: &str = "customer_must_start";

/// What the brand keeps of its business at Apple and of the account of the provider it works through.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The business's id, as in `urn:biz:…`.
    business_id: String,
    /// The provider's id.
    csp_id: String,
    /// The provider's secret, in base64 as Apple shows it.
    api_secret: SecretString,
    /// Apple Pay within the conversation. Its sheet has no place for a session code, so it is used only where the brand's
    /// policy has none.
    #[serde(default)]
    apple_pay: Option<pay::Settings>,
    /// What the link says with which customers begin.
    #[serde(default)]
    entry_link: EntryLink,
    /// Another extension than Apple's own.
    #[serde(default)]
    bid: Option<String>,
    /// How old a token of Apple's may be, in seconds; an hour at most.
    #[serde(default)]
    token_seconds: Option<u32>,
    /// Where Apple listens, for its test gateway or a stand-in.
    #[serde(default)]
    base_url: Option<BaseUrl>,
}

/// A business at Apple, ready for use.
struct Account {
    business_id: String,
    tokens: Tokens,
    base: BaseUrl,
}

/// The channel.
struct Apple {
    account: Account,
    bid: String,
    apple_pay: Option<ApplePay>,
    entry_link: EntryLink,
    link_key: Key32,
    http: Arc<dyn Http>,
}

fn open(opening: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    let settings: Settings = opening.setup.settings.read()?;
    let link_key = &opening.brand.link_key;
    identifier("business_id", &settings.business_id, "-_.")?;
    identifier("csp_id", &settings.csp_id, "-_.")?;
    let bid = settings.bid.unwrap_or_else(|| wire::BID.to_owned());
    identifier("bid", &bid, ".:-_")?;
    let seconds = settings.token_seconds.unwrap_or(TOKEN_SECONDS);
    if !(1..=3600).contains(&seconds) {
        return Err(InvalidSetting { field: "token_seconds" }.into());
    }
    let age_max = Duration::from_secs(seconds.into());
    let tokens = Tokens::new(settings.csp_id, &settings.api_secret, age_max)?;
    let base = match settings.base_url {
        Some(base) => base,
        None => BaseUrl::try_from("https://mspgw.push.apple.com/v1".to_owned())?,
    };
    let apple_pay = settings.apple_pay.map(|settings| ApplePay::new(settings, link_key));
    let coded = opening.brand.policy.session_code;
    Ok(Box::new(Apple {
        account: Account { business_id: settings.business_id, tokens, base },
        bid,
        apple_pay: apple_pay.transpose()?.filter(|_| !coded),
        entry_link: settings.entry_link,
        link_key: link_key.clone(),
        http: Arc::clone(&opening.outside.http),
    }))
}

impl Apple {
    /// Apple Pay and how much, where the prompt asks for a payment that a reply alone cannot give.
    fn wallet(&self, prompt: &Prompt) -> Option<(&ApplePay, Money)> {
        let first = prompt.buttons.first()?;
        let asks_more = match first.action {
            ButtonAction::Open { .. } => true,
            ButtonAction::Reply { .. } => false,
        };
        self.apple_pay.as_ref().filter(|_| asks_more).zip(prompt.money)
    }

    async fn session(&self, apple_pay: &ApplePay, prompt: &Prompt) -> Result<Value, SendError> {
        let call = apple_pay.session_call(prompt)?;
        let answer = self.http.call(call, Reach::Configured, SESSION_TIMEOUT).await;
        let answer = answer.map_err(pay::without_session)?;
        apple_pay.session(answer.status(), answer.body())
    }

    /// A callback whose sender is proven, read.
    fn message(&self, callback: &UnverifiedCallback) -> Result<Message, CallbackError> {
        if !self.account.tokens.prove(&callback.headers, callback.now) {
            return Err(CallbackError::Forged);
        }
        Message::read(callback, &self.account.business_id)
    }
}

#[async_trait]
impl Channel for Apple {
    fn resend(&self) -> Resend {
        Resend::Doubles
    }

    fn receipts(&self) -> ReceiptKinds {
        ReceiptKinds { delivered: false, read: false }
    }

    async fn capability(&self, _: &Phone, contact: &Contact, _: Timestamp) -> Capability {
        let reachable = contact.handle.is_some();
        let wallet = self.apple_pay.as_ref().filter(|_| reachable);
        Capability {
            reachable,
            rich: reachable && Buttons::of(&contact.features) != Buttons::Unsupported,
            wallets: wallet.map(|_| "apple_pay".to_owned()).into_iter().collect(),
            receipts: self.receipts(),
            reason: (!reachable).then_some(CUSTOMER_MUST_START),
        }
    }

    async fn send(&self, prompt: &Prompt) -> Result<Accepted, SendError> {
        let Some(handle) = &prompt.contact.handle else {
            return Err(SendError::Unreachable { reason: CUSTOMER_MUST_START });
        };
        let content = match self.wallet(prompt) {
            Some((apple_pay, money)) => {
                let session = self.session(apple_pay, prompt).await?;
                apple_pay.content(&self.bid, prompt, money, &session)
            }
            None => wire::content(&self.bid, prompt),
        };
        let call = wire::message(&self.account, prompt, handle, content)?;
        let answer =
            self.http.call(call, Reach::Configured, TIMEOUT).await.map_err(answers::without)?;
        wire::accepted(answer.status(), prompt)
    }

    /// What was sent stays where it is.
    async fn retract(&self, _: &Retraction) -> bool {
        false
    }

    fn receive(&self, callback: &UnverifiedCallback) -> Result<Received, CallbackError> {
        match pay::receive(&self.link_key, callback) {
            Some(received) => received,
            None => self.message(callback)?.received(&callback.headers),
        }
    }

    async fn resolve(&self, callback: &UnverifiedCallback) -> Result<Option<Bytes>, Source> {
        let Ok(message) = self.message(callback) else { return Ok(None) };
        let Some(reference) = message.reference() else { return Ok(None) };
        let http = self.http.as_ref();
        let fetched = reference::fetch(http, &self.account, reference, callback.now).await?;
        Ok(Some(message.with(&fetched)))
    }

    fn entry_link(&self, intent: &str) -> Option<String> {
        Some(entry::link(&self.account.business_id, &self.entry_link, intent))
    }
}

#[cfg(test)]
mod tests;
