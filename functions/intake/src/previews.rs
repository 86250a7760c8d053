//! `POST /v1/previews`: the messages that a request would send, before it is made.
//!
//! Nothing is stored, counted or sent. The body is that of `POST /v1/requests`.

use bytes::Bytes;
use domain::problem::Problem;
use domain::values::name::ChannelName;
use http::{HeaderMap, Response, StatusCode};
use ports::MessagePreview;
use prompts::Draft;
use records::contact;
use records::contact::ChannelScope;
use serde::Serialize;
use serde_json::json;

use crate::operation::Operation;
use crate::params;
use crate::{Intake, json, key_ceilings, number_policy};

#[derive(Serialize)]
struct PreviewView {
    channel: ChannelName,
    #[serde(flatten)]
    message: MessagePreview,
}

impl Intake {
    /// Answers with the message of each channel that a request would try, in that order.
    ///
    /// # Errors
    /// A [`Problem`], as for the request itself.
    pub async fn previews(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let requester = self.requester(headers, Operation::PreviewRequest).await?;
        let params = params::request(body, &requester)?;
        number_policy::require_allowed(&requester, &params.customer.phone)?;
        key_ceilings::require_allowed(&requester, &params.ask)?;
        let now = self.ports.clock.now();
        let request = self.draft(&requester, &params, now).await?;
        let mut messages = Vec::new();
        for channel in &request.routes {
            let (brand, mode) = (&requester.brand, requester.mode);
            let Ok(opened) = self.channels.open(brand, mode, channel) else { continue };
            let scope = ChannelScope { brand: &brand.name, mode, channel };
            let store = self.ports.store.as_ref();
            let (contact, _) = contact::load(store, scope, &request.address, now).await?;
            let public_base = self.public_base.as_str();
            let draft = Draft { request: &request, brand, channel, contact: &contact, public_base };
            let message = prompts::preview(draft, opened.as_ref(), now);
            messages
                .extend(message.map(|message| PreviewView { channel: channel.clone(), message }));
        }
        let language = &request.language;
        let answer =
            json!({ "by_tap": request.by_tap, "language": language, "messages": messages });
        Ok(json(StatusCode::OK, &answer))
    }
}
