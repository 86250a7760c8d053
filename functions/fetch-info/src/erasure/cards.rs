//! A saved card that is taken off file at its processor, and only then deleted.

use std::sync::Arc;
use std::time::Duration;

use domain::authorization::Credential;
use domain::brand::{Brand, BrandScope};
use domain::guards;
use domain::guards::Guard;
use domain::saved_credential::SavedCredential;
use domain::seal;
use domain::seal_binding::{Binding, CardBinding};
use domain::values::id::CardId;
use ports::DetachResult;
use records::circuit_breaker::CallKind;
use records::saved_cards;
use records::saved_cards::{EndingCard, SavedCard};

use super::{Erasures, wait_after};
use crate::StepError;
use crate::circuit::{AccountStatus, CallScope, Circuit};

/// The result of one run to take a card off file.
pub(super) enum CardEnd {
    /// The processor keeps it no longer, and so do we.
    Detached,
    /// It is tried again, for this reason.
    Waits(&'static str),
    /// The processor keeps it, and a repeat cannot help. An operator must look.
    Failed(&'static str),
}

impl Erasures<'_> {
    /// Takes a card off file that its requester ends. Returns the wait for the next run; `None` when nothing is owed.
    pub(super) async fn detach_alone(
        &self,
        of: BrandScope<'_>,
        card: CardId,
    ) -> Result<Option<Duration>, StepError> {
        let Some(known) = saved_cards::load(self.store(), of.brand, of.mode, card).await? else {
            return Ok(None);
        };
        let Some(ending) = known.ending.clone() else { return Ok(None) };
        let brand = self.ports.secrets.brand(of.brand).await?;
        let (reason, last) = match self.detach(&brand, of, card, &known).await? {
            CardEnd::Detached => return Ok(None),
            CardEnd::Waits(reason) => (reason, false),
            CardEnd::Failed(reason) => (reason, true),
        };
        let tries = ending.tries.saturating_add(1);
        let ending = EndingCard { tries, waits_for: Some(reason.to_owned()), ..ending };
        let next = SavedCard { ending: Some(ending), ..known };
        self.store().write(vec![saved_cards::put(of.brand, of.mode, card, &next)?]).await?;
        Ok((!last).then(|| wait_after(tries)))
    }

    /// Calls the processor once, and deletes the card that it keeps no longer.
    pub(super) async fn detach(
        &self,
        brand: &Arc<Brand>,
        of: BrandScope<'_>,
        card: CardId,
        known: &SavedCard,
    ) -> Result<CardEnd, StepError> {
        let Some(credential) = opened(brand, of, card, known) else {
            return Ok(CardEnd::Failed("seal"));
        };
        let name = &known.processor;
        let Ok(processor) = self.processors.open(brand, of.mode, name) else {
            return Ok(CardEnd::Waits("processor_settings"));
        };
        let scope = CallScope { mode: of.mode, processor: name, kind: CallKind::Detach };
        let mut circuit = Circuit::load(self.ports, brand, scope).await?;
        if circuit.try_acquire().await?.is_some() {
            return Ok(CardEnd::Waits("circuit_open"));
        }
        let result = processor.detach(&credential).await;
        circuit.record(AccountStatus::of_detach(result)).await;
        match result {
            DetachResult::Detached => {}
            DetachResult::Again if guards::is_disabled(Guard::DetachBeforeDelete) => {}
            DetachResult::Again => return Ok(CardEnd::Waits("processor")),
            DetachResult::Blocked { by } => return Ok(CardEnd::Waits(by.code())),
            DetachResult::Failed { code } => {
                tracing::error!(card.id = %card, processor.name = %name, code, "saved card cannot be taken off file; delete it at the processor");
                return Ok(CardEnd::Failed(code));
            }
        }
        let deletes = saved_cards::delete(of, card, known);
        self.store().write(deletes.into()).await?;
        tracing::info!(card.id = %card, processor.name = %name, "saved card taken off file");
        Ok(CardEnd::Detached)
    }
}

/// Opens the credential of a saved card.
fn opened(
    brand: &Brand,
    of: BrandScope<'_>,
    card: CardId,
    known: &SavedCard,
) -> Option<Credential> {
    let binding = Binding::card(CardBinding {
        brand: of.brand,
        mode: of.mode,
        request: known.request,
        processor: &known.processor,
        address: &known.address,
    });
    match seal::open(brand, &binding, &known.sealed) {
        Ok(SavedCredential(credential)) => Some(credential),
        Err(error) => {
            tracing::error!(card.id = %card, error = %error, "failed to open a saved card's seal");
            None
        }
    }
}
