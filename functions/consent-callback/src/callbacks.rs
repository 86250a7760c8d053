//! The callback addresses: finds the channel or the processor that an address names, and hands the call to it.

use bytes::Bytes;
use domain::brand::Brand;
use domain::problem::Problem;
use domain::values::name::{BrandName, ChannelName};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use ports::{CallbackReply, Proof, UnverifiedCallback};
use records::authentication;

use crate::browser::Cookies;
use crate::page::Reader;
use crate::processors::{ProcessorReply, ReturnPage};
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
        let secrets = self.ports.secrets.as_ref();
        let brand = authentication::known_brand(secrets, &brand).await?.ok_or_else(absent)?;
        // A channel that was added a moment ago is not in the cache yet. An unknown name costs the same look-ups as an
        // unknown brand. So the time of a refusal names no brand.
        let brand = if has_name(&brand, name) {
            brand
        } else {
            self.ports.secrets.refresh(&brand.name).await?
        };
        if has_channel(&brand, name) {
            let webhooks = self.channel_webhooks();
            let reply = Box::pin(webhooks.receive(&brand, &channel, &callback)).await?;
            return Ok(response(reply));
        }
        // A name that no channel has may be a processor's.
        let processor = name.parse().map_err(|_not_a_name| absent())?;
        let reader = Reader { brand: &brand, accepts: page::accepts(&parts.headers) };
        let received = self.processor_webhooks().receive(&brand, &processor, &callback).await;
        match received {
            Ok(ProcessorReply::Webhook(reply)) => Ok(response(reply)),
            Ok(ProcessorReply::Return(returned)) => self.returned(reader, path, returned),
            // A person reads the answer, and can do nothing with a problem in JSON.
            Err(problem) if is_browser(&callback) => page::return_failed(reader, &problem),
            Err(problem) => Err(problem),
        }
    }

    /// Answers the browser of a customer who returns.
    fn returned(
        &self,
        reader: Reader<'_>,
        path: &str,
        returned: ReturnPage,
    ) -> Result<Response<Bytes>, Problem> {
        let action = path.split('?').next().unwrap_or_default();
        match returned {
            ReturnPage::Consent { token, remember } => {
                let response = page::see_other(&token, "");
                Ok(match remember {
                    Some((request, prompt)) => {
                        Cookies::of(&self.public_base).set(response, reader.brand, &request, prompt)
                    }
                    None => response,
                })
            }
            ReturnPage::AskCode { request, fields } => {
                page::ask_code(&request, reader, action, &fields)
            }
            ReturnPage::OtherBrowser(request) => page::other_browser(&request, reader),
            ReturnPage::WrongCode(request) => page::wrong_code(&request, reader),
            ReturnPage::Ended(request) => page::return_ended(&request, reader),
            ReturnPage::Unknown => page::unknown("", reader.accepts),
        }
    }
}

fn has_channel(brand: &Brand, name: &str) -> bool {
    let mut setups = [&brand.live, &brand.test].into_iter();
    setups.any(|setup| setup.channels.iter().any(|channel| channel.name.as_str() == name))
}

/// Returns whether a channel or a processor of the brand has this name, in either mode.
fn has_name(brand: &Brand, name: &str) -> bool {
    let mut setups = [&brand.live, &brand.test].into_iter();
    has_channel(brand, name)
        || setups.any(|setup| setup.processors.iter().any(|known| known.name.as_str() == name))
}

/// Returns whether a person's browser calls. It brings a parameter of RFC 6749, section 4.1.2, in its address or its form.
fn is_browser(callback: &UnverifiedCallback) -> bool {
    let query = callback.url.split_once('?').map_or("", |(_, query)| query);
    let sent = if callback.method == Method::POST { &callback.body } else { query.as_bytes() };
    let known = |name: &str| ["state", "code", "error", "iss"].contains(&name);
    form_urlencoded::parse(sent).any(|(name, _)| known(&name))
}

fn response(reply: CallbackReply) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(reply.body));
    *answer.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    answer
}
