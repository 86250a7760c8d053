//! After a denial, an AI agent asks the customer again in that session only where it names the denied request.

use domain::api_key::KeyKind;
use domain::guards;
use domain::guards::Guard;
use domain::keys;
use domain::outcome::Outcome;
use domain::problem::{Code, FieldError, Problem};
use domain::request::Request;
use domain::values::id::RequestId;
use records::authentication::Requester;
use records::request_lists::{self, RequestList};
use records::storage;

use crate::Intake;
use crate::params::CreateRequestParams;

/// The newest requests of a customer among which a denial is looked for.
const EXAMINED_MAX: usize = 20;
/// The name in the metadata under which an ask names the request that was denied.
const RETRY_OF: &str = "retry_of";

impl Intake {
    /// Refuses an AI agent's ask after a denial that it does not name, and one that names another request.
    ///
    /// # Errors
    /// A [`Problem`]: [`Code::DeniedInSession`] with the request, or the metadata is invalid.
    pub(crate) async fn require_retry(
        &self,
        requester: &Requester,
        params: &CreateRequestParams,
    ) -> Result<(), Problem> {
        if requester.key.kind != KeyKind::AiAgent || guards::is_disabled(Guard::RetryAfterDenial) {
            return Ok(());
        }
        let named = params.metadata.get(RETRY_OF).map(String::as_str);
        match (self.newest_denial(requester, params).await?, named) {
            (None, None) => Ok(()),
            (Some(denied), Some(named)) if denied.to_string() == named => Ok(()),
            (Some(denied), _) => {
                let detail = "the customer said no to a request of this session";
                let problem = Problem::new(Code::DeniedInSession, detail);
                Err(Problem { request: Some(Box::new(denied)), ..problem })
            }
            (None, Some(_)) => {
                let detail =
                    "it names no request that this customer denied in this session; leave it out";
                let pointer = "/metadata/retry_of";
                Err(Problem::fields(vec![FieldError::in_body(pointer, "denied", detail)]))
            }
        }
    }

    /// Returns the newest request that the customer denied in the session, asked by any of the brand's keys.
    async fn newest_denial(
        &self,
        requester: &Requester,
        params: &CreateRequestParams,
    ) -> Result<Option<RequestId>, Problem> {
        let address = keys::address_hash(&requester.brand.address_key, &params.customer.phone);
        let (store, list) = (self.ports.store.as_ref(), RequestList::Customer(&address));
        let page = request_lists::list(store, requester.scope(), list, None, EXAMINED_MAX).await?;
        let is_denied = |request: &Request| {
            request.session.id == params.session.id
                && matches!(request.outcome(), Some(Outcome::Denied { .. }))
        };
        for entry in page.entries {
            let loaded = storage::load(store, entry.id).await?;
            if loaded.is_some_and(|loaded| is_denied(&loaded.request)) {
                return Ok(Some(entry.id));
            }
        }
        Ok(None)
    }
}
