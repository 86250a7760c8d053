//! The wallets of the page: which ones work on the customer's device, and the session that Apple Pay needs.

use bytes::Bytes;
use domain::brand::{Brand, BrandScope};
use domain::problem::{Code, Problem};
use domain::request::Request;
use domain::values::prompt_ref::PromptRef;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, Uri};
use ports::{OpenProcessorError, PaymentOption};
use records::storage;

use super::ConsentPage;

impl ConsentPage {
    /// Records which wallets work on the device that opened a prompt's page, for the customer's next request.
    ///
    /// A link may be open on another person's device, which says nothing about the customer's own.
    ///
    /// # Errors
    /// A [`Problem`] when the store operation failed.
    pub async fn record_wallets(
        &self,
        prompt: PromptRef,
        wallets: &[String],
    ) -> Result<(), Problem> {
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let loaded = self.approvals.load(prompt.request, prompt.prompt).await?;
        let known = loaded.filter(|known| {
            let request = &known.loaded.request;
            let proves_no_number = request.proves_no_number(&known.brand, prompt.prompt);
            request.prompt(prompt.prompt).is_some() && !proves_no_number
        });
        let Some(request) = known.map(|known| known.loaded.request) else { return Ok(()) };
        let owner = BrandScope { brand: &request.brand, mode: request.mode };
        Ok(storage::put_device_wallets(store, owner, &request.address, wallets, now).await?)
    }

    /// Returns the session that Apple Pay needs before its sheet opens, made for our own host only.
    pub(super) async fn apple_session(
        &self,
        request: &Request,
        brand: &Brand,
    ) -> Result<Response<Bytes>, Problem> {
        request
            .answerable(self.ports.clock.now())
            .map_err(|refusal| Problem::new(Code::ConflictState, refusal.to_string()))?;
        let options = self.approvals.payment_options(request, brand)?;
        if !options.iter().any(|option| matches!(option, PaymentOption::ApplePay(_))) {
            return Err(Problem::new(
                Code::AskNotSupported,
                "Apple Pay is not available for this ask",
            ));
        }
        let host = self.public_base.parse::<Uri>().ok();
        let host = host.as_ref().and_then(Uri::host).unwrap_or_default();
        let processor = self.processors.open(brand, request.mode, &request.processor);
        let session = match processor {
            Ok(processor) => processor.apple_pay_session(host).await,
            Err(OpenProcessorError::Absent | OpenProcessorError::Settings(_)) => None,
        };
        let Some(session) = session else {
            let detail = "failed to start an Apple Pay session; try again or pay another way";
            return Err(Problem::new(Code::TemporaryReducedCapacity, detail));
        };
        let mut answer = Response::new(Bytes::from(session));
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(CONTENT_TYPE, json);
        Ok(answer)
    }
}
