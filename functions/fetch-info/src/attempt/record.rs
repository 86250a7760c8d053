//! The commit of what a run came to, and what is owed after it.

use std::time::Duration;

use domain::brand::BrandScope;
use domain::consent;
use domain::outcome::Details;
use domain::request::{Attempt, Doubt, Request};
use domain::saved_credential::SavedCredential;
use domain::seal::Sealed;
use domain::seal_binding::{Binding, CardBinding};
use domain::values::id::CardId;
use domain::values::time::Timestamp;
use ports::{CARD_NOT_KEPT, Fulfillment, Write};
use records::card_checks;
use records::card_checks::CardCheck;
use records::charges;
use records::claims;
use records::saved_cards;
use records::saved_cards::SavedCard;

use super::context::sealed;
use super::lease::Lease;
use super::run::RunResult;
use super::{Stop, timeouts};
use crate::StepError;
use crate::waits::retry_wait;

/// The recorder of a run's result, which also sends what is owed.
pub(super) struct Recorder<'a, 'b> {
    pub(super) lease: &'b mut Lease<'a>,
    /// The attempt as it was when the run began.
    pub(super) before: &'b Attempt,
    /// How long the account's circuit stays open, if it does.
    pub(super) circuit_wait: Option<Duration>,
}

/// The stored part of a success.
struct StoredOutcome {
    details: Details,
    /// The saved card or the claims, which are stored beside the request.
    writes: Vec<Write>,
}

impl Recorder<'_, '_> {
    /// Commits a run's result, then sends the message for the next run where there is one.
    pub(super) async fn record(mut self, result: RunResult) -> Result<(), Stop> {
        match result {
            RunResult::Done(_) if !self.lease.request().may_keep() => self.await_return().await,
            RunResult::Done(fulfillment) => self.fulfill(&fulfillment).await,
            RunResult::Declined { code, can_retry } => self.decline(code, can_retry).await,
            RunResult::Redirect(to) => self.redirect(to).await,
            RunResult::Postponed { reason, doubt } => self.postpone(reason, doubt).await,
            RunResult::CircuitOpen(wait) => {
                self.circuit_wait = Some(wait);
                self.postpone("circuit_open", Doubt::Unchanged).await
            }
            RunResult::Unusable(code) => {
                let attempt = self.lease.request().open_attempt();
                if attempt.is_some_and(|attempt| attempt.started_at().is_none()) {
                    self.decline(code, false).await
                } else {
                    // The money may have moved, and that is known only when an operator has mended the settings.
                    self.postpone(code, Doubt::Reported).await
                }
            }
            RunResult::Superseded => self.send_next_run().await,
        }
    }

    async fn fulfill(&mut self, fulfillment: &Fulfillment) -> Result<(), Stop> {
        let code = consent::transaction_code(self.lease.ports.random.as_ref());
        let Some(StoredOutcome { details, writes }) = self.stored(fulfillment).await? else {
            // The customer may be charged already. Only what an operator must mend stands between this and its end.
            if let Err(error) = self.lease.ports.secrets.refresh(&self.lease.request().brand).await
            {
                tracing::warn!(error = %error, "failed to read the brand's secret again");
            }
            return self.postpone("sealing_keys", Doubt::Reported).await;
        };
        let command = |request: &Request, now| request.fulfill(code.clone(), details.clone(), now);
        self.lease.commit_with(command, writes).await?;
        self.log_end();
        Ok(())
    }

    /// Keeps nothing of what the customer gave on the processor's page, until they are back in a browser that counts.
    ///
    /// The page asks for the session code in any other browser. Without a return, the attempt ends as if the customer had left.
    /// A card was removed before.
    async fn await_return(&mut self) -> Result<(), Stop> {
        let request = self.lease.request();
        let attempt = request.open_attempt().unwrap_or(self.before);
        if timeouts::is_timed_out(request, attempt, self.lease.ports.clock.now()) {
            return self.decline("other_browser", true).await;
        }
        self.postpone("return", Doubt::Unchanged).await
    }

    async fn decline(&mut self, code: &str, can_retry: bool) -> Result<(), Stop> {
        let gone = if code == CARD_NOT_KEPT { self.gone_card().await? } else { None };
        // An ask that names a saved card can be paid with no other.
        let can_retry = can_retry && gone.is_none();
        let command = |request: &Request, now| request.record_declined(code, can_retry, now);
        self.lease.commit_with(command, gone.into_iter().collect()).await?;
        self.log_end();
        Ok(())
    }

    /// Returns the write that marks the saved card of the ask as gone, so that no later ask offers it.
    async fn gone_card(&self) -> Result<Option<Write>, StepError> {
        self.changed_card(|known, now| SavedCard { gone_at: Some(now), ..known }).await
    }

    /// Returns the write that remembers that the customer paid with the saved card of the ask now.
    async fn used_card(&self) -> Result<Option<Write>, StepError> {
        self.changed_card(|known, now| SavedCard { used_at: Some(now), ..known }).await
    }

    /// Returns the write that changes the saved card of the ask; `None` where the ask names none that is known.
    async fn changed_card(
        &self,
        change: impl FnOnce(SavedCard, Timestamp) -> SavedCard + Send,
    ) -> Result<Option<Write>, StepError> {
        let (ports, request) = (self.lease.ports, self.lease.request());
        let Some(card) = request.ask.card() else { return Ok(None) };
        let (brand, mode) = (&request.brand, request.mode);
        let known = saved_cards::load(ports.store.as_ref(), brand, mode, card).await?;
        let Some(known) = known else { return Ok(None) };
        let changed = change(known, ports.clock.now());
        Ok(Some(saved_cards::put(brand, mode, card, &changed)?))
    }

    /// Releases the request while the customer is on the processor's page. The worker looks again after a while.
    async fn redirect(&mut self, to: Sealed) -> Result<(), Stop> {
        let before = self.before;
        let command = |request: &Request, now: Timestamp| {
            let since = before.redirect.as_ref().map_or(now, |redirect| redirect.at);
            let wait = if timeouts::is_overtaken(before, request) {
                Duration::ZERO
            } else {
                timeouts::hosted_page_wait(since.until(now))
            };
            request.record_redirected(to.clone(), wait, now)
        };
        self.lease.commit(command).await?;
        self.send_next_run().await
    }

    /// Releases the request until the next run.
    async fn postpone(&mut self, reason: &str, doubt: Doubt) -> Result<(), Stop> {
        let (before, circuit_wait) = (self.before, self.circuit_wait);
        let tries = self.lease.request().open_attempt().map_or(before.tries, |now| now.tries);
        let command = |request: &Request, now| {
            let usual = if timeouts::is_overtaken(before, request) {
                Duration::ZERO
            } else {
                retry_wait(tries)
            };
            request.release(reason, doubt, circuit_wait.unwrap_or(usual), now)
        };
        self.lease.commit(command).await?;
        self.send_next_run().await
    }

    async fn send_next_run(&self) -> Result<(), Stop> {
        Ok(self.lease.send_next_run(self.before.retry_at).await?)
    }

    fn log_end(&self) {
        let request = self.lease.request();
        tracing::info!(request.id = %request.id, request.state = request.state_name(), "attempt ended");
    }

    /// Returns what is stored of a success. A saved card stays as long as it is wanted, claims for a while.
    ///
    /// `None` when it cannot be sealed, which an operator must mend.
    async fn stored(&self, fulfillment: &Fulfillment) -> Result<Option<StoredOutcome>, StepError> {
        let (ports, request) = (self.lease.ports, self.lease.request());
        match fulfillment {
            Fulfillment::Payment(receipt) => {
                let details = Details::Payment(receipt.clone());
                let write = charges::put(request, &receipt.reference, ports.clock.now())?;
                let writes = [write].into_iter().chain(self.used_card().await?).collect();
                Ok(Some(StoredOutcome { details, writes }))
            }
            Fulfillment::Card { receipt, saved } => {
                let brand = ports.secrets.brand(&request.brand).await?;
                let address = request.customer_address(&brand);
                let binding = Binding::card(CardBinding {
                    brand: &request.brand,
                    mode: request.mode,
                    request: request.id,
                    processor: &request.processor,
                    address: &address,
                });
                let saved = SavedCredential(saved.clone());
                let Some(sealed) = sealed(ports, &brand, &binding, &saved) else {
                    return Ok(None);
                };
                let now = ports.clock.now();
                let mut random = [0_u8; 10];
                ports.random.fill(&mut random);
                let card = CardId::new(now, random);
                let item = SavedCard {
                    request: request.id,
                    processor: request.processor.clone(),
                    address,
                    sealed,
                    receipt: receipt.clone(),
                    gone_at: None,
                    used_at: None,
                    ending: None,
                };
                let scope = BrandScope { brand: &request.brand, mode: request.mode };
                let end = brand.policy.card_silence().map(|silence| now.after(silence));
                let check = CardCheck::new(scope, card);
                let listed = card_checks::put(&check, card_checks::next_day(end, now))?;
                let [on_file, of_customer] = saved_cards::create(scope, card, &item)?;
                let writes = vec![on_file, of_customer, listed];
                let details = Details::Card { card, receipt: receipt.clone() };
                Ok(Some(StoredOutcome { details, writes }))
            }
            Fulfillment::Claims { receipt, claims } => {
                let brand = ports.secrets.brand(&request.brand).await?;
                let binding = Binding::request(request);
                let Some(sealed) = sealed(ports, &brand, &binding, claims) else {
                    return Ok(None);
                };
                let until = ports.clock.now().after(brand.policy.claims_retention());
                let write = claims::put(request.id, &sealed, until)?;
                let details = Details::Claims(receipt.clone());
                Ok(Some(StoredOutcome { details, writes: vec![write] }))
            }
        }
    }
}
