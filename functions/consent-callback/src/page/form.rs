//! The page's form.

use domain::authorization::{Credential, CredentialKind};
use domain::brand::Brand;
use domain::keys;
use domain::outcome::DenialReason;
use domain::request::Request;
use domain::values::id::PromptId;
use domain::values::prompt_ref::PromptRef;

use crate::approvals::{ApprovalPayload, CustomerReply};

/// The wallets that a page can find on a device.
const WALLETS: [&str; 2] = ["apple_pay", "google_pay"];
/// The largest token of a wallet that is taken, in bytes; real tokens have two to six thousand.
const TOKEN_MAX: usize = 16 * 1024;

/// The posted form of the page.
pub(super) struct Form(Vec<(String, String)>);

/// The action that the form asks for.
pub(super) enum Submission {
    /// A reply to the prompt.
    Reply(CustomerReply),
    /// Enter on a page of wallets alone, where no button is the approval.
    Stay,
    /// Back from the hosted page, to choose another payment option.
    Back,
    /// The session code of a customer who returned in another browser.
    Return(String),
    /// A session for Apple Pay, whose sheet is about to open.
    AppleSession,
    /// The wallets that work on this device.
    Wallets(Vec<String>),
}

impl Form {
    pub(super) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// Returns the first field of that name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the nonce that the page wrote.
    pub(super) fn nonce(&self) -> Option<&str> {
        self.text("nonce").map(|nonce| nonce.split_once('.').map_or(nonce, |(nonce, _)| nonce))
    }

    /// Returns the prompt that the page named beside its nonce; `None` on a page of an older release.
    pub(super) fn prompt_ref(&self) -> Option<PromptRef> {
        let (_, reference) = self.text("nonce")?.split_once('.')?;
        reference.parse().ok()
    }

    /// Returns the action; `None` when the form names none of ours.
    pub(super) fn submission(&self) -> Option<Submission> {
        let approve = |payload| {
            let session_code = self.text("session_code").map(str::to_owned);
            Some(Submission::Reply(CustomerReply::Approve { session_code, payload }))
        };
        match self.text("action")? {
            "approve" if self.text("wallet").is_some() => {
                approve(ApprovalPayload::Wallet(self.wallet()?))
            }
            "approve" => {
                let card = self.text("card").map(str::to_owned);
                approve(card.map_or(ApprovalPayload::Empty, ApprovalPayload::TestCard))
            }
            "approve_hosted" => approve(ApprovalPayload::Hosted),
            "deny" => Some(Submission::Reply(CustomerReply::Deny(DenialReason::Customer))),
            "not_me" => Some(Submission::Reply(CustomerReply::Deny(DenialReason::NotMe))),
            "extend" => Some(Submission::Reply(CustomerReply::Extend)),
            "stay" => Some(Submission::Stay),
            "back" => Some(Submission::Back),
            "return" => Some(Submission::Return(self.text("session_code")?.trim().to_owned())),
            "apple_session" => Some(Submission::AppleSession),
            "observed" => {
                let named = self.text("wallets").unwrap_or_default().split(',');
                let known = named.filter(|name| WALLETS.contains(name)).map(str::to_owned);
                Some(Submission::Wallets(known.collect()))
            }
            _ => None,
        }
    }

    /// Returns the wallet's token, which only the processor can read.
    fn wallet(&self) -> Option<Credential> {
        let kind = match self.text("wallet")? {
            "google_pay" => CredentialKind::GooglePay,
            "apple_pay" => CredentialKind::ApplePay,
            _ => return None,
        };
        let token = self.text("token").filter(|token| (1..=TOKEN_MAX).contains(&token.len()))?;
        Some(Credential::new(kind, token))
    }
}

/// Returns what a form holds as its nonce: the nonce and the prompt. So the link need not be read for the form.
pub(super) fn nonce_field(brand: &Brand, request: &Request, prompt: PromptId) -> String {
    let nonce = keys::page_nonce(&brand.link_key, prompt, &request.ask_hash);
    format!("{nonce}.{}", PromptRef { request: request.id, prompt })
}
