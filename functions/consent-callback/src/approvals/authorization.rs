//! Turns what an approval carries into the authorization that the processor is called with.

use domain::authorization::{
    Authorization, Credential, CredentialKind, SealedCard, StoredAuthorization,
};
use domain::brand::{Brand, Mode};
use domain::guards;
use domain::guards::Guard;
use domain::keys;
use domain::problem::{Code, Problem};
use domain::request::Request;
use domain::values::id::PromptId;
use ports::{PaymentOption, StoreError};
use records::saved_cards;
use records::saved_cards::SavedCard;

use super::Approvals;
use super::reply::{ApprovalPayload, ReplyError};

/// The test card of an approval that names none.
const TEST_CARD_DEFAULT: &str = "pm_card_visa";

impl Approvals {
    /// Returns the payment options that the request's processor takes, best first.
    ///
    /// # Errors
    /// [`Code::ProcessorNotConfigured`] when the brand's settings of the processor are missing or invalid.
    pub(crate) fn payment_options(
        &self,
        request: &Request,
        brand: &Brand,
    ) -> Result<Vec<PaymentOption>, Problem> {
        let processor = self.processors.open(brand, request.mode, &request.processor);
        let processor = processor.map_err(|_logged| {
            Problem::new(
                Code::ProcessorNotConfigured,
                "the processor's settings in the brand's secret are missing or invalid",
            )
        })?;
        let mut options = processor.payment_options(&request.ask);
        // A request that names a saved card charges that card and no test card.
        let testing = request.mode == Mode::Test && !options.contains(&PaymentOption::Nothing);
        options.retain(|option| testing || *option != PaymentOption::TestCard);
        Ok(options)
    }

    /// Loads the saved card that the request names; `None` unless it belongs to this customer at this processor.
    ///
    /// No card is charged by a link, as its holder may be another person than the card's customer.
    pub(crate) async fn saved_card(
        &self,
        request: &Request,
        brand: &Brand,
        prompt: PromptId,
    ) -> Result<Option<SavedCard>, StoreError> {
        let Some(card) = request.ask.card() else { return Ok(None) };
        if request.proves_no_number(brand, prompt)
            && !guards::is_disabled(Guard::NoSavedCardWithoutNumber)
        {
            return Ok(None);
        }
        let store = self.ports.store.as_ref();
        let known = saved_cards::load(store, &request.brand, request.mode, card).await?;
        Ok(known.filter(|known| {
            known.processor == request.processor
                && known.is_usable()
                && (guards::is_disabled(Guard::SavedCardOwner)
                    || keys::same(&known.address, &request.customer_address(brand)))
        }))
    }

    /// Returns the authorization for the payload.
    ///
    /// # Errors
    /// [`ReplyError::PayloadNotSupported`] when the processor does not take it now.
    pub(super) async fn authorization(
        &self,
        request: &Request,
        brand: &Brand,
        prompt: PromptId,
        payload: &ApprovalPayload,
    ) -> Result<StoredAuthorization, ReplyError> {
        let options = self.payment_options(request, brand).map_err(ReplyError::Failed)?;
        let offered = |wanted: fn(&PaymentOption) -> bool| options.iter().any(wanted);
        match payload {
            ApprovalPayload::Empty if offered(|option| *option == PaymentOption::Nothing) => {
                self.saved_card_authorization(request, brand, prompt).await
            }
            ApprovalPayload::Empty if offered(|option| *option == PaymentOption::TestCard) => {
                test_card(TEST_CARD_DEFAULT)
            }
            ApprovalPayload::TestCard(card)
                if offered(|option| *option == PaymentOption::TestCard) =>
            {
                test_card(card)
            }
            // A page that offers a saved card has no test card to pick, so a test card does not count.
            ApprovalPayload::TestCard(_) if offered(|option| *option == PaymentOption::Nothing) => {
                self.saved_card_authorization(request, brand, prompt).await
            }
            ApprovalPayload::Hosted if offered(|option| *option == PaymentOption::Hosted) => {
                Ok(Authorization::Hosted.into())
            }
            ApprovalPayload::InChatPayment(credential) => Ok(own(credential.clone())),
            ApprovalPayload::Wallet(credential) => {
                let taken = match credential.kind {
                    CredentialKind::GooglePay => {
                        offered(|option| matches!(option, PaymentOption::GooglePay(_)))
                    }
                    CredentialKind::ApplePay => {
                        offered(|option| matches!(option, PaymentOption::ApplePay(_)))
                    }
                    CredentialKind::PaymentMethod | CredentialKind::SavedCard => false,
                };
                taken.then(|| own(credential.clone())).ok_or(ReplyError::PayloadNotSupported)
            }
            ApprovalPayload::Empty | ApprovalPayload::TestCard(_) | ApprovalPayload::Hosted => {
                Err(ReplyError::PayloadNotSupported)
            }
        }
    }

    /// Returns the saved card of the ask. Its credential stays sealed: only fetch-info opens it.
    async fn saved_card_authorization(
        &self,
        request: &Request,
        brand: &Brand,
        prompt: PromptId,
    ) -> Result<StoredAuthorization, ReplyError> {
        let card = self.saved_card(request, brand, prompt).await?;
        let SavedCard { request, address, sealed, .. } =
            card.ok_or(ReplyError::PayloadNotSupported)?;
        Ok(StoredAuthorization::Card(SealedCard { request, address, sealed }))
    }
}

fn own(credential: Credential) -> StoredAuthorization {
    Authorization::Credential(credential).into()
}

fn test_card(card: &str) -> Result<StoredAuthorization, ReplyError> {
    let plain = card.len() <= 64
        && card.starts_with("pm_card_")
        && card.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !plain {
        let detail = "a test card is one of the processor's pm_card_… names";
        return Err(ReplyError::Failed(Problem::new(Code::InvalidRequest, detail)));
    }
    Ok(own(Credential::new(CredentialKind::PaymentMethod, card)))
}
