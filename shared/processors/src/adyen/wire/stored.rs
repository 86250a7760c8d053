//! Saved cards: the ids that a card is charged by, and the shopper's list in which it appears.

use domain::authorization::{Credential, CredentialKind};
use domain::processor_result::{CardReceipt, Reference};
use ports::{DetachResult, Fulfillment};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::adyen::errors::not_detached;
use crate::adyen::reference::is_psp;
use crate::adyen::settings::AdyenAccount;
use crate::adyen::transport::{AdyenReply, AdyenRequest};

/// The ids that a saved card is charged by.
#[derive(Serialize, Deserialize)]
pub(in crate::adyen) struct AdyenSavedCard {
    /// The shopper reference under which it was saved.
    pub(in crate::adyen) shopper: String,
    /// Adyen's `storedPaymentMethodId`.
    pub(in crate::adyen) stored: String,
}

impl AdyenSavedCard {
    /// Reads the ids from a saved card's credential; `None` where they are malformed.
    pub(in crate::adyen) fn read(credential: &Credential) -> Option<Self> {
        let known = credential.kind == CredentialKind::SavedCard;
        let kept: Self = serde_json::from_str(credential.secret.expose_secret()).ok()?;
        (known && is_psp(&kept.stored) && kept.shopper.len() >= 3).then_some(kept)
    }
}

/// Returns the call that lists a shopper's saved cards.
pub(in crate::adyen) fn list(account: &AdyenAccount, shopper: &str) -> AdyenRequest {
    AdyenRequest::get(format!("/storedPaymentMethods?{}", query(account, shopper)))
}

/// Returns the call that takes a saved card off file.
///
/// <https://docs.adyen.com/api-explorer/Checkout/71/delete/storedPaymentMethods/(storedPaymentMethodId)>, read 2026-11-26.
pub(in crate::adyen) fn delete(account: &AdyenAccount, card: &AdyenSavedCard) -> AdyenRequest {
    let AdyenSavedCard { shopper, stored } = card;
    AdyenRequest::delete(format!("/storedPaymentMethods/{stored}?{}", query(account, shopper)))
}

fn query(account: &AdyenAccount, shopper: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("merchantAccount", &account.merchant_account);
    query.append_pair("shopperReference", shopper);
    query.finish()
}

/// Interprets a reply to [`delete`]; `None` where only the shopper's list tells whether the card is on file.
pub(in crate::adyen) fn deleted(reply: &AdyenReply) -> Option<DetachResult> {
    if reply.status.is_success() { Some(DetachResult::Detached) } else { not_detached(reply) }
}

/// Interprets the shopper's list after a refused [`delete`].
pub(in crate::adyen) fn listed(reply: &AdyenReply, card: &AdyenSavedCard) -> DetachResult {
    if !reply.status.is_success() {
        return not_detached(reply).unwrap_or(DetachResult::Again);
    }
    match serde_json::from_slice::<StoredMethodList>(&reply.body) {
        Ok(list) if list.stored_payment_methods.iter().any(|method| method.id == card.stored) => {
            DetachResult::Failed { code: "refused_by_processor" }
        }
        Ok(_) => DetachResult::Detached,
        Err(_) => DetachResult::Again,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredMethodList {
    #[serde(default)]
    stored_payment_methods: Vec<StoredMethod>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredMethod {
    id: String,
    brand: Option<String>,
    last_four: Option<String>,
    expiry_month: Option<String>,
    expiry_year: Option<String>,
    #[serde(default)]
    created_at: String,
}

/// Returns the newest card of the list; `None` while the list is empty.
pub(in crate::adyen) fn newest(reply: &AdyenReply, shopper: &str) -> Option<Fulfillment> {
    let list = serde_json::from_slice::<StoredMethodList>(&reply.body)
        .ok()
        .filter(|_| reply.status.is_success())?;
    let cards = list.stored_payment_methods.into_iter().filter(|stored| is_psp(&stored.id));
    let card = cards.max_by(|one, other| one.created_at.cmp(&other.created_at))?;
    let kept = AdyenSavedCard { shopper: shopper.to_owned(), stored: card.id.clone() };
    let secret = serde_json::to_string(&kept).ok()?;
    let receipt = CardReceipt {
        reference: Reference(card.id),
        wallet: None,
        card_brand: card.brand.filter(|brand| brand.len() <= 40),
        last4: card.last_four.filter(|digits| is_last4(digits)),
        exp_month: card.expiry_month.and_then(|month| month.parse().ok()),
        exp_year: card.expiry_year.and_then(|year| expiry_year(&year)),
    };
    let saved = Credential::new(CredentialKind::SavedCard, secret);
    Some(Fulfillment::Card { receipt, saved })
}

/// Reads a year of two digits, as documented, or of four.
///
/// UNVERIFIED: four digits. Save a card in Adyen's test environment and read `expiryYear` of `/storedPaymentMethods`.
fn expiry_year(text: &str) -> Option<u16> {
    let year: u16 = text.parse().ok()?;
    Some(if year < 100 { 2000 + year } else { year })
}

/// Returns whether a text is the last four digits of a card.
pub(in crate::adyen) fn is_last4(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}
