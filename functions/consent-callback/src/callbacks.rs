//! The callback addresses: finds the channel or the processor that an address names, and hands the call to it.

use bytes::Bytes;
use domain::brand::Mode;
use domain::problem::Problem;
use domain::values::name::{BrandName, ChannelName};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use ports::{CallbackReply, Proof, SecretsError, UnverifiedCallback};

use crate::processors::ProcessorReply;
use crate::rejection::absent;
use crate::{ConsentCallback, page};

impl ConsentCallback {
    /// Serves `GET` and `POST /callbacks/{brand}/{channel or processor}`: verifies, then records.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was recorded, or the provider's repeat records the rest.
    pub async fn receive(
        &self,
        brand: &str,
        name: &str,
        parts: &Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, Problem> {
        let brand: BrandName = brand.parse().map_err(|_not_a_name| absent())?;
        let channel: ChannelName = name.parse().map_err(|_not_a_name| absent())?;
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let callback = UnverifiedCallback {
            method: parts.method.clone(),
            url: format!("{}{path}", self.public_base),
            headers: parts.headers.clone(),
            body,
            now: self.ports.clock.now(),
            proof: Proof::None,
        };
        let brand = match self.ports.secrets.brand(&brand).await {
            Ok(brand) => brand,
            Err(SecretsError::Unknown) => return Err(absent()),
            Err(error @ (SecretsError::Damaged(_) | SecretsError::Unavailable(_))) => {
                return Err(error.into());
            }
        };
        let mut setups = [Mode::Live, Mode::Test].map(|mode| brand.setup(mode)).into_iter();
        if setups.any(|setup| setup.channels.iter().any(|setup| setup.name == channel)) {
            let webhooks = self.channel_webhooks();
            let reply = Box::pin(webhooks.receive(&brand, &channel, &callback)).await?;
            return Ok(response(reply));
        }
        // A name that no channel has may be a processor's.
        let processor = name.parse().map_err(|_not_a_name| absent())?;
        match self.processor_webhooks().receive(&brand, &processor, &callback).await? {
            ProcessorReply::Webhook(reply) => Ok(response(reply)),
            ProcessorReply::ConsentPage(Some(token)) => Ok(page::see_other(&token, "")),
            ProcessorReply::ConsentPage(None) => page::unknown(""),
        }
    }
}

fn response(reply: CallbackReply) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(reply.body));
    *answer.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    answer
}
