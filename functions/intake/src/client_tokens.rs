//! `POST /v1/client_tokens`: makes a token with which a browser follows one request or one session.

use bytes::Bytes;
use domain::api_key::{ClientScope, ClientToken};
use domain::problem::Problem;
use http::{HeaderMap, Response, StatusCode};
use serde_json::json;

use crate::operation::Operation;
use crate::params::{self, ClientTokenParams};
use crate::{Intake, json};

impl Intake {
    /// Makes a client token: `201`, the token and its end. Nothing is stored.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn create_client_token(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::CreateClientToken).await?;
        // The token reads, so its key must.
        Operation::ReadRequest.require(&requester)?;
        let ClientTokenParams { scope, origin, lifetime } = params::client_token(body)?;
        match &scope {
            ClientScope::Request(id) => {
                self.own_request(&requester, *id).await?;
            }
            ClientScope::Session(_) => {}
        }
        let token = ClientToken {
            brand: requester.brand.name.clone(),
            mode: requester.mode,
            key: requester.key.id(),
            scope,
            origin,
            expires_at: self.ports.clock.now().after(lifetime),
        };
        let text = token.write(&requester.brand);
        Ok(json(
            StatusCode::CREATED,
            &json!({ "client_token": text, "expires_at": token.expires_at }),
        ))
    }
}
