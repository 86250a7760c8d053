//! `/v1/payment_methods/{id}`: a saved card is read, and taken off file.

use std::time::Duration;

use bytes::Bytes;
use domain::message::Task;
use domain::problem::{Code, Problem};
use domain::values::id::CardId;
use http::{HeaderMap, Response, StatusCode};
use ports::StoreError;
use records::authentication::Requester;
use records::card_checks::CardCheck;
use records::effects::send_task;
use records::saved_cards::{EndingMark, SavedCard};
use records::update::retry_conflicts;
use records::{card_checks, saved_cards};
use serde_json::{Value, json};

use crate::operation::Operation;
use crate::start_error::StartError;
use crate::{CALL_MAX, Intake, json};

impl Intake {
    /// `GET /v1/payment_methods/{id}`: a saved card, without what charges it.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn payment_method(
        &self,
        headers: &HeaderMap,
        id: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ReadPaymentMethod).await?;
        let (card, known) = self.own_card(&requester, id).await?;
        Ok(json(StatusCode::OK, &card_view(card, &known)))
    }

    /// `DELETE /v1/payment_methods/{id}`: takes a saved card off file, at its processor too. `202` and the card, whose
    /// `state` is `ending` until the processor has done it. Then the card is not found.
    ///
    /// # Errors
    /// A [`Problem`]; [`Code::PaymentMethodInUse`] while an open request names the card.
    pub async fn end_payment_method(
        &self,
        headers: &HeaderMap,
        id: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::EndPaymentMethod).await?;
        let (card, known) = self.own_card(&requester, id).await?;
        let ended = self.end_card(&requester, card, &known).await?;
        tracing::info!(card.id = %card, brand.name = %requester.brand.name, "saved card is taken off file");
        Ok(json(StatusCode::ACCEPTED, &card_view(card, &ended)))
    }

    /// Loads the caller's own card. The answer never tells whether another brand has one.
    async fn own_card(
        &self,
        requester: &Requester,
        id: &str,
    ) -> Result<(CardId, SavedCard), Problem> {
        let absent = || {
            let detail = "no saved card of this brand and mode has this id";
            Problem::new(Code::NotFound, detail)
        };
        let card: CardId = id.parse().map_err(|_not_an_id| absent())?;
        let (brand, mode) = (&requester.brand.name, requester.mode);
        let known = saved_cards::load(self.ports.store.as_ref(), brand, mode, card).await?;
        Ok((card, known.ok_or_else(absent)?))
    }

    /// Marks a card as ending and hands it to the worker. The task goes ahead of the write, so that none is lost.
    pub(crate) async fn end_card(
        &self,
        requester: &Requester,
        card: CardId,
        known: &SavedCard,
    ) -> Result<SavedCard, Problem> {
        let (brand, mode) = (requester.brand.name.clone(), requester.mode);
        let task = Task::DetachCard { brand, mode, card };
        let queue = self.ports.queue.as_ref();
        send_task(queue, task.clone(), CALL_MAX).await?;
        let ended = retry_conflicts(|| self.mark_ending(requester, card, known)).await?;
        send_task(queue, task, Duration::ZERO).await?;
        Ok(ended)
    }

    /// Marks a card as ending, unless an open request names it.
    async fn mark_ending(
        &self,
        requester: &Requester,
        card: CardId,
        known: &SavedCard,
    ) -> Result<SavedCard, StartError> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        match saved_cards::mark_ending(store, requester.scope(), card, known, now).await? {
            EndingMark::Ending(ending) => Ok(*ending),
            EndingMark::InUse(open) => {
                let detail = format!("{open} is open and names this card");
                Err(Problem::new(Code::PaymentMethodInUse, detail).into())
            }
        }
    }

    /// Returns whether the card's customer was silent for longer than the brand allows. A number may have a new holder since.
    pub(crate) async fn is_silent(
        &self,
        requester: &Requester,
        card: CardId,
        known: &SavedCard,
    ) -> Result<bool, StoreError> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let brand = &requester.brand;
        let check = CardCheck::new(requester.scope(), card);
        let end = card_checks::silence_ends_at(store, brand, &check, known, now).await?;
        Ok(end.is_some_and(|end| now >= end))
    }

    /// Ends a card whose customer was silent for too long. A card that an open request names ends later.
    pub(crate) async fn end_silent_card(
        &self,
        requester: &Requester,
        card: CardId,
        known: &SavedCard,
    ) -> Result<(), Problem> {
        match self.end_card(requester, card, known).await {
            Ok(_) => Ok(()),
            Err(problem) if problem.code == Code::PaymentMethodInUse => Ok(()),
            Err(problem) => Err(problem),
        }
    }
}

/// Renders a saved card for the API.
pub(crate) fn card_view(card: CardId, known: &SavedCard) -> Value {
    let state = match (&known.ending, known.gone_at) {
        (Some(_), _) => "ending",
        (None, Some(_)) => "gone",
        (None, None) => "on_file",
    };
    let mut view = json!({
        "id": card,
        "state": state,
        "processor": known.processor,
        "request": known.request,
        "method": "card",
        "wallet": known.receipt.wallet,
        "card_brand": known.receipt.card_brand,
        "last4": known.receipt.last4,
        "exp_month": known.receipt.exp_month,
        "exp_year": known.receipt.exp_year,
        "saved_at": card.made_at(),
        "last_answer_at": known.last_answer(card),
    });
    if let (Some(view), Some(ending)) = (view.as_object_mut(), &known.ending) {
        view.insert("ending_since".to_owned(), json!(ending.asked_at));
        if let Some(reason) = &ending.waits_for {
            view.insert("waits_for".to_owned(), json!(reason));
        }
    }
    view
}
