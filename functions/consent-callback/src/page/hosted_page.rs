//! A customer on the processor's hosted page: its URL, and the customer's return or change of mind.

use std::time::Duration;

use bytes::Bytes;
use domain::brand::{Brand, Mode};
use domain::message::Step;
use domain::problem::Problem;
use domain::redirect_url::RedirectUrl;
use domain::request::{CancelRedirect, CodeCheck, Redirect, RedirectState, Request, ReturnBrowser};
use domain::seal;
use domain::seal_binding::Binding;
use domain::values::id::PromptId;
use domain::values::time::Timestamp;
use http::{HeaderMap, Response, Uri};
use records::effects;
use records::update::{Decision, Updated, commit, update};
use zeroize::Zeroizing;

use super::ConsentPage;
use super::link::{DONE, see_other};
use crate::approvals::PromptedRequest;

/// How long after the redirect our page goes to the hosted page by itself.
///
/// A customer who uses the browser's back button later is not sent forward again.
const FRESH: Duration = Duration::from_secs(30);

/// Returns the redirect that is open on this prompt's page.
///
/// `None` unless this prompt was approved, and after the customer returned or abandoned the hosted page.
pub(super) fn redirect_of(request: &Request, prompt: PromptId) -> Option<&Redirect> {
    request.approval().filter(|(consent, _)| consent.prompt == prompt)?;
    let redirect = request.open_attempt()?.redirect.as_ref();
    redirect.filter(|redirect| redirect.state == RedirectState::OnHostedPage)
}

/// Returns whether the customer was redirected a moment ago.
pub(super) fn is_fresh(redirect: &Redirect, now: Timestamp) -> bool {
    now < redirect.at.after(FRESH)
}

/// Returns the hosted page's URL; `None` when its seal does not open or [`is_allowed`] refuses it.
pub(super) fn url(
    request: &Request,
    brand: &Brand,
    redirect: &Redirect,
) -> Option<Zeroizing<String>> {
    let attempt_no = request.open_attempt().map_or(0, |attempt| attempt.attempt_no);
    let binding = Binding::attempt(request, attempt_no);
    let text = match seal::open(brand, &binding, &redirect.sealed) {
        Ok(RedirectUrl(text)) => Zeroizing::new(text),
        Err(error) => {
            tracing::error!(request.id = %request.id, error = %error, "failed to open the seal of a redirect URL");
            return None;
        }
    };
    let allowed = is_allowed(&text, request.mode);
    if !allowed {
        tracing::error!(request.id = %request.id, "redirect URL of the processor refused");
    }
    allowed.then_some(text)
}

/// Returns whether a customer may be redirected to this URL: over TLS, or to one's own machine in test mode.
fn is_allowed(text: &str, mode: Mode) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let own = mode == Mode::Test && ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    // A browser may take credentials before the host for the host itself.
    let plain =
        !host.is_empty() && uri.authority().is_some_and(|part| !part.as_str().contains('@'));
    plain && (uri.scheme_str() == Some("https") || (own && uri.scheme_str() == Some("http")))
}

impl ConsentPage {
    /// Queues a status look-up for a customer who is on our page again. If that fails, a later look-up is queued already.
    pub(super) async fn queue_status_look_up(&self, request: &Request) {
        let queue = self.ports.queue.as_ref();
        let sent = effects::send(queue, Step::Fetch, request.id, Duration::ZERO).await;
        if let Err(error) = sent {
            tracing::warn!(request.id = %request.id, error = %error, "failed to queue a status look-up");
        }
    }

    /// Records the browser in which the customer came back from a page that itself saves a card.
    pub(super) async fn record_arrival(
        &self,
        target: PromptedRequest,
        headers: &HeaderMap,
    ) -> Result<PromptedRequest, Problem> {
        let (request, prompt) = (&target.loaded.request, target.prompt);
        if redirect_of(request, prompt).is_none() || request.may_keep() {
            let is_other = redirect_of(request, prompt).and_then(|redirect| redirect.browser);
            if is_other.is_none() {
                return Ok(target);
            }
        }
        let browser = self.cookies().browser(headers, &target.brand, request, prompt);
        self.record_browser(target, browser).await
    }

    /// Records the browser of a return, unless the request no longer waits for one.
    async fn record_browser(
        &self,
        target: PromptedRequest,
        browser: ReturnBrowser,
    ) -> Result<PromptedRequest, Problem> {
        let PromptedRequest { loaded, brand, prompt, visitor } = target;
        let fallback = loaded.clone();
        let updated = update(&self.ports, loaded, |request, now| {
            let approved = request.approval().is_some_and(|(consent, _)| consent.prompt == prompt);
            let arrived = request.record_arrival(browser, now).ok();
            let arrived = arrived.filter(|change| approved && !change.is_nothing());
            Ok::<_, Problem>(match arrived {
                Some(change) => commit(change).then(Step::Fetch).into(),
                None => Decision::Stop(()),
            })
        });
        let loaded = match updated.await? {
            Updated::Stored(loaded) => loaded,
            Updated::Stopped(()) | Updated::Absent => fallback,
        };
        Ok(PromptedRequest { loaded, brand, prompt, visitor })
    }

    /// Takes the session code of a customer who returned in another browser. A wrong one ends the request.
    pub(super) async fn confirm_return(
        &self,
        target: PromptedRequest,
        token: &str,
        code: &str,
    ) -> Result<Response<Bytes>, Problem> {
        let request = &target.loaded.request;
        let waits = redirect_of(request, target.prompt)
            .is_some_and(|redirect| redirect.browser == Some(ReturnBrowser::Other));
        let confirmed = match request.check_code(Some(code)) {
            CodeCheck::Matched => true,
            CodeCheck::NotAsked | CodeCheck::Missing | CodeCheck::Wrong => false,
        };
        if !waits {
            return Ok(see_other(token, ""));
        }
        if confirmed {
            self.record_browser(target, ReturnBrowser::Confirmed).await?;
            return Ok(see_other(token, DONE));
        }
        self.abandon(target, CancelRedirect::WrongCode).await?;
        Ok(see_other(token, DONE))
    }

    /// Abandons the hosted page, so that the customer can choose another payment option.
    ///
    /// Changes nothing unless this prompt was approved and the customer is on the hosted page.
    pub(super) async fn abandon_hosted_page(&self, target: PromptedRequest) -> Result<(), Problem> {
        self.abandon(target, CancelRedirect::Customer).await
    }

    async fn abandon(&self, target: PromptedRequest, by: CancelRedirect) -> Result<(), Problem> {
        let PromptedRequest { loaded, prompt, .. } = target;
        let updated = update(&self.ports, loaded, |request, now| {
            let approved = request.approval().is_some_and(|(consent, _)| consent.prompt == prompt);
            let abandoned = request.abandon(by, now);
            Ok::<_, Problem>(match abandoned.ok().filter(|_| approved) {
                Some(change) => commit(change).then(Step::Fetch).into(),
                None => Decision::Stop(()),
            })
        });
        updated.await.map(|_stored_or_unchanged| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_url_needs_tls_except_locally_in_test_mode() {
        for sound in ["https://checkout.stripe.com/c/pay/cs_1?x=1&y=2", "https://a.example:8443/"] {
            assert!(is_allowed(sound, Mode::Test) && is_allowed(sound, Mode::Live), "{sound}");
        }
        for own in ["http://127.0.0.1:4000/pay", "http://localhost/", "http://[::1]:1/x"] {
            assert!(is_allowed(own, Mode::Test) && !is_allowed(own, Mode::Live), "{own}");
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
            assert!(!is_allowed(bad, Mode::Test), "{bad}");
        }
    }
}
