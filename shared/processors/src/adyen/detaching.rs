//! Taking a saved card off file.

use domain::authorization::Credential;
use ports::DetachResult;

use super::Adyen;
use super::wire::stored::{self, AdyenSavedCard};

impl Adyen {
    /// Deletes a saved card. A refusal is explained by the shopper's list.
    pub(super) async fn take_off_file(&self, saved: &Credential) -> DetachResult {
        let Some(card) = AdyenSavedCard::read(saved) else {
            return DetachResult::Failed { code: "card_malformed" };
        };
        let deleted = match self.send(stored::delete(&self.account, &card)).await {
            Ok(reply) => stored::deleted(&reply),
            Err(error) => Some(DetachResult::from(&error)),
        };
        if let Some(result) = deleted {
            return result;
        }
        match self.send(stored::list(&self.account, &card.shopper)).await {
            Ok(reply) => stored::listed(&reply, &card),
            Err(error) => DetachResult::from(&error),
        }
    }
}
