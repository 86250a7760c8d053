//! The inputs of a run: the brand, the processor, the authorization, and the request as the run began.

use std::sync::Arc;

use domain::authorization::{Authorization, Grant, StoredAuthorization};
use domain::brand::Brand;
use domain::consent::Consent;
use domain::guards;
use domain::guards::Guard;
use domain::redirect_url::RedirectUrl;
use domain::request::{Attempt, Doubt, Request};
use domain::saved_credential::SavedCredential;
use domain::seal;
use domain::seal::{SealError, Sealable, Sealed};
use domain::seal_binding::{Binding, CardBinding};
use ports::{AttemptContext, OpenProcessorError, Ports, Processor, RequestLabels, SecretsError};
use records::circuit_breaker::CallKind;

use super::run::RunResult;
use super::{Attempts, Run, Stop, timeouts};
use crate::circuit::{CallScope, Circuit};

/// The inputs of one run.
pub(super) struct RunContext<'a> {
    pub(super) ports: &'a Ports,
    pub(super) processor: Box<dyn Processor>,
    pub(super) circuit: Circuit<'a>,
    /// The attempt as it was when the run began.
    pub(super) attempt: Attempt,
    /// What the approval carried when the run began.
    pub(super) carried: Sealed,
    brand: Arc<Brand>,
    request: Request,
    authorization: Authorization,
    page: String,
    callback: String,
}

impl<'a> RunContext<'a> {
    /// Opens what a run needs. The inner error is the result of a run that cannot call the processor.
    pub(super) async fn open(
        attempts: &Attempts<'a>,
        request: &Request,
        attempt: &Attempt,
    ) -> Result<Result<Self, Run>, Stop> {
        let ports = attempts.ports;
        let Some((consent, carried)) = request.approval() else { return Err(Stop::LeaseLost) };
        let brand = match ports.secrets.brand(&request.brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown | SecretsError::Damaged(_)) => {
                return Ok(Err(Run::unusable("brand_settings")));
            }
            Err(error @ SecretsError::Unavailable(_)) => {
                tracing::warn!(request.id = %request.id, error = %error, "secrets store unavailable");
                let result = RunResult::Postponed { reason: "again", doubt: Doubt::Unchanged };
                return Ok(Err(Run::without_call(result)));
            }
        };
        if let Some(reason) = reject_unsigned(consent, &brand, request) {
            return Ok(Err(Run::unusable(reason)));
        }
        let authorization = match open_carried(&brand, request, consent, attempt, carried) {
            Ok(authorization) => authorization,
            Err(error) => {
                tracing::error!(request.id = %request.id, error = %error, "failed to open the authorization");
                return Ok(Err(Run::unusable("authorization_lost")));
            }
        };
        let processor = match attempts.processors.open(&brand, request.mode, &attempt.processor) {
            Ok(processor) => processor,
            Err(OpenProcessorError::Absent | OpenProcessorError::Settings(_)) => {
                return Ok(Err(Run::unusable("processor_settings")));
            }
        };
        let scope = CallScope {
            mode: request.mode,
            processor: &attempt.processor,
            kind: CallKind::of(&request.ask),
        };
        let mut circuit = Circuit::load(ports, &brand, scope).await?;
        if let Some(wait) = circuit.try_acquire().await?
            && !guards::is_disabled(Guard::CircuitBreaker)
        {
            // The account is rejected, and its last answer said that nothing moved. Then nothing will.
            let timed_out = timeouts::is_timed_out(request, attempt, ports.clock.now());
            let is_over = timed_out && !attempt.is_in_doubt();
            let result = if is_over { Run::gave_up().result } else { RunResult::CircuitOpen(wait) };
            return Ok(Err(Run::without_call(result)));
        }
        let token = brand.link_token(request.mode, &consent.channel, consent.prompt);
        let (base, name) = (attempts.public_base, &attempt.processor);
        Ok(Ok(Self {
            ports,
            processor,
            circuit,
            attempt: attempt.clone(),
            carried: carried.clone(),
            page: format!("{base}/c/{token}"),
            callback: format!("{base}/callbacks/{}/{name}", brand.name),
            brand,
            request: request.clone(),
            authorization,
        }))
    }

    /// Returns the input of every call of this run.
    pub(super) fn params(&self) -> AttemptContext<'_> {
        let redirect = self.attempt.redirect.as_ref();
        AttemptContext {
            request: self.request.id,
            attempt_no: self.attempt.attempt_no,
            ask: &self.request.ask,
            labels: RequestLabels {
                metadata: &self.request.metadata,
                session: &self.request.session.id,
            },
            authorization: &self.authorization,
            customer: &self.request.address,
            page: &self.page,
            callback: &self.callback,
            begun_at: self.attempt.begun_at,
            on_hosted_page: redirect.is_some(),
            redeemed: redirect.is_some_and(domain::request::Redirect::is_redeemed),
            reported: self.attempt.reported.as_ref(),
        }
    }

    /// Seals the address of the processor's page for the customer.
    pub(super) fn seal_redirect(&self, url: &RedirectUrl) -> Option<Sealed> {
        let binding = Binding::attempt(&self.request, self.attempt.attempt_no);
        sealed(self.ports, &self.brand, &binding, url)
    }

    /// Seals what the authorization was exchanged for, in its place.
    pub(super) fn seal_exchanged(&self, grant: Grant) -> Option<Sealed> {
        let (consent, _) = self.request.approval()?;
        let binding = Binding::approval(&self.request, consent, self.attempt.attempt_no);
        let grant = StoredAuthorization::from(Authorization::Grant(grant));
        sealed(self.ports, &self.brand, &binding, &grant)
    }
}

/// Returns the reason why a consent does not count (C1). A writer of the table can store a consent, but cannot sign it.
fn reject_unsigned(consent: &Consent, brand: &Brand, request: &Request) -> Option<&'static str> {
    match consent.is_signed(brand, request) {
        Ok(true) => None,
        Ok(false) if guards::is_disabled(Guard::ConsentSignature) => None,
        Ok(false) => {
            tracing::error!(request.id = %request.id, "C1: consent has no valid signature");
            Some("consent_mismatch")
        }
        Err(error) => {
            tracing::error!(request.id = %request.id, error = %error, "failed to verify a consent");
            Some("consent_keys")
        }
    }
}

/// Opens what the approval carried. A saved card's credential is sealed once more, for its customer at its processor.
fn open_carried(
    brand: &Brand,
    request: &Request,
    consent: &Consent,
    attempt: &Attempt,
    carried: &Sealed,
) -> Result<Authorization, SealError> {
    let binding = Binding::approval(request, consent, attempt_of(request, attempt));
    let card = match seal::open(brand, &binding, carried)? {
        StoredAuthorization::Own(authorization) => return Ok(authorization),
        StoredAuthorization::Card(card) => card,
    };
    let address = if guards::is_disabled(Guard::SavedCardOwner) {
        card.address
    } else {
        request.customer_address(brand)
    };
    let binding = Binding::card(CardBinding {
        brand: &request.brand,
        mode: request.mode,
        request: card.request,
        processor: &attempt.processor,
        address: &address,
    });
    let SavedCredential(credential) = seal::open(brand, &binding, &card.sealed)?;
    Ok(credential.into())
}

/// Returns the number of the attempt that the authorization must be sealed for.
fn attempt_of(request: &Request, attempt: &Attempt) -> u32 {
    if guards::is_disabled(Guard::OneOpenAttempt) {
        let mut open = request.attempts.iter().filter(|attempt| attempt.is_open());
        return open.next().map_or(attempt.attempt_no, |first| first.attempt_no);
    }
    attempt.attempt_no
}

/// Seals with the brand's current key. `None` when the brand's keys are unusable, which is logged.
pub(super) fn sealed<T: Sealable>(
    ports: &Ports,
    brand: &Brand,
    binding: &Binding,
    secret: &T,
) -> Option<Sealed> {
    match seal::seal(brand, binding, secret, ports.random.as_ref()) {
        Ok(sealed) => Some(sealed),
        Err(error) => {
            tracing::error!(brand.name = %brand.name, error = %error, "failed to seal with the brand's keys");
            None
        }
    }
}
