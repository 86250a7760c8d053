//! `GET /v1/requests/{id}/record`: the evidence of a request, which a reader can check.

use bytes::Bytes;
use domain::problem::Problem;
use domain::record;
use http::{HeaderMap, Response, StatusCode};
use records::storage;

use crate::operation::Operation;
use crate::{Intake, json};

impl Intake {
    /// `GET /v1/requests/{id}/record`: the consent record, the text of the ask, and the journal with its hashes.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn record(&self, headers: &HeaderMap, id: &str) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::ReadRecord).await?;
        let loaded = self.owned(&requester, id).await?;
        let journal = storage::journal(self.ports.store.as_ref(), &loaded.request).await?;
        Ok(json(StatusCode::OK, &record::export(&loaded.request, &journal)))
    }
}
