//! A customer on the processor's own page: where it is, when they are back, and when they want another way.

use std::time::Duration;

use bytes::Bytes;
use domain::authorization::AuthorizationKind;
use domain::brand::{Brand, Mode};
use domain::effects::{self, EffectError};
use domain::message::Step;
use domain::ports::{OpenProcessorError, PaymentOption, StoreError};
use domain::problem::{Code, Problem};
use domain::request::{Recall, Request, SentOn};
use domain::seal;
use domain::storage::{self, LinkTarget};
use domain::values::id::PromptId;
use domain::values::time::Timestamp;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, Uri};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::ConsentCallback;

const RACES_MAX: u32 = 8;
/// For how long after the processor's page is known ours goes there by itself: somebody who uses the browser's back button
/// later is not thrown forward again.
const FRESH: Duration = Duration::from_secs(30);

/// Where the customer is to go on, if they are: on the page of the prompt they answered, until they came back with something
/// or are wanted back.
pub(crate) fn of(request: &Request, prompt: PromptId) -> Option<&SentOn> {
    let (consent, _) = request.approval().filter(|(consent, _)| consent.prompt == prompt)?;
    let attempt = request.open_attempt().filter(|_| consent.prompt == prompt)?;
    attempt.onward.as_ref().filter(|away| away.returned_at.is_none() && away.recalled.is_none())
}

/// Whether they were sent there just now.
pub(crate) fn is_fresh(away: &SentOn, now: Timestamp) -> bool {
    now < away.at.after(FRESH)
}

/// Where that is. What a processor names as its page is only followed over TLS, or on one's own machine in test mode.
pub(crate) fn url(request: &Request, brand: &Brand, away: &SentOn) -> Option<Zeroizing<String>> {
    let opened = match seal::open(&brand.sealing, request.id, &away.sealed) {
        Ok(opened) => opened,
        Err(error) => {
            tracing::error!(request.id = %request.id, error = %error, "where a customer goes on does not open");
            return None;
        }
    };
    let text = opened.secret.expose_secret();
    let sound = opened.kind == AuthorizationKind::Onward && is_page(text, request.mode);
    if !sound {
        tracing::error!(request.id = %request.id, "a processor's page is not one a customer is sent to");
    }
    sound.then(|| Zeroizing::new(text.to_owned()))
}

fn is_page(text: &str, mode: Mode) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let own = mode == Mode::Test && ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    // Credentials before the host could make another of it in a browser's eyes.
    let plain =
        !host.is_empty() && uri.authority().is_some_and(|part| !part.as_str().contains('@'));
    plain && (uri.scheme_str() == Some("https") || (own && uri.scheme_str() == Some("http")))
}

impl ConsentCallback {
    /// The customer is on our page again: whoever looks what became of it does so now. It is looked up in a while in any case.
    pub(crate) async fn is_back(&self, request: &Request) {
        let sent =
            effects::send(self.queue.as_ref(), Step::Fetch, request.id, Duration::ZERO).await;
        if let Err(error) = sent {
            tracing::warn!(request.id = %request.id, error = %error, "a look was not sent for");
        }
    }

    /// The customer wants another way. Where there is nothing to come back from, nothing changes.
    pub(crate) async fn recall(&self, target: &LinkTarget) -> Result<(), Problem> {
        for _ in 0..RACES_MAX {
            let Some(loaded) = storage::load(self.store.as_ref(), target.request).await? else {
                return Ok(());
            };
            let request = &loaded.request;
            let answered = request.approval().is_some_and(|(yes, _)| yes.prompt == target.prompt);
            let recalled = request.recalled(Recall::Customer, self.clock.now());
            let Some(change) = recalled.ok().filter(|_| answered) else { return Ok(()) };
            let ports = (self.store.as_ref(), self.queue.as_ref());
            let (base, step) = (Some(loaded.version), Some(Step::Fetch));
            match effects::apply(ports, base, change, Vec::new(), step).await {
                Ok(_) => return Ok(()),
                Err(EffectError::Store(StoreError::Conflict)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::overtaken())
    }

    /// The session that Apple Pay wants before its sheet opens, made for our own host and for nobody else's.
    pub(crate) async fn apple_session(
        &self,
        request: &Request,
        brand: &Brand,
    ) -> Result<Response<Bytes>, Problem> {
        request
            .answerable(self.clock.now())
            .map_err(|refusal| Problem::new(Code::ConflictState, refusal.to_string()))?;
        let payment_options = self.payment_options(request, brand)?;
        if !payment_options.iter().any(|option| matches!(option, PaymentOption::ApplePay(_))) {
            return Err(Problem::new(Code::AskNotSupported, "there is no Apple Pay for this ask"));
        }
        let host = self.public_base.parse::<Uri>().ok();
        let host = host.as_ref().and_then(Uri::host).unwrap_or_default();
        let processor = self.processors.open(brand, request.mode, &request.processor);
        let session = match processor {
            Ok(processor) => processor.apple_pay_session(host).await,
            Err(OpenProcessorError::Absent | OpenProcessorError::Settings(_)) => None,
        };
        let Some(session) = session else {
            let detail = "there is no Apple Pay session to be had";
            return Err(Problem::new(Code::TemporaryReducedCapacity, detail));
        };
        let mut answer = Response::new(Bytes::from(session));
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(CONTENT_TYPE, json);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_sent_on_over_tls_only_or_on_ones_own_machine_in_test_mode() {
        for sound in ["https://checkout.stripe.com/c/pay/cs_1?x=1&y=2", "https://a.example:8443/"] {
            assert!(is_page(sound, Mode::Test) && is_page(sound, Mode::Live), "{sound}");
        }
        for own in ["http://127.0.0.1:4000/pay", "http://localhost/", "http://[::1]:1/x"] {
            assert!(is_page(own, Mode::Test) && !is_page(own, Mode::Live), "{own}");
        }
        for bad in [
            "",
            "/pay",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://pay.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1@evil.example/",
            "https://pay.example@evil.example/",
            "https:///pay",
            "//pay.example/",
        ] {
            assert!(!is_page(bad, Mode::Test), "{bad}");
        }
    }
}
