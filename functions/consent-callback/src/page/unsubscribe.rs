//! The page that ends a brand's mail to one address, and begins it again. A `GET` shows a button, and only a `POST` unsubscribes.
//!
//! Mail programs send that `POST` by themselves, without a page (RFC 8058). So it needs no form, no cookie and no nonce.
//! The token in the address proves that the mail was the brand's.

use std::sync::Arc;

use bytes::Bytes;
use domain::brand::{Brand, BrandScope, Mode};
use domain::email_channel::Unsubscription;
use domain::guards;
use domain::guards::Guard;
use domain::problem::Problem;
use http::{HeaderMap, Response, StatusCode};
use records::authentication;
use records::opt_outs::{self, OptOutKeyword, Statement};
use texts::Locale;

use super::handlers::page;
use super::html::{self, BrandParts, PageView, Stage};
use super::link::accepts;
use super::{ConsentPage, unknown, view};

/// The field of the button that takes the wish back.
const BACK: (&str, &str) = ("action", "resubscribe");

impl ConsentPage {
    /// Serves `GET /u/{token}`: the page with a button. It changes nothing, as scanners follow every link of a mail.
    ///
    /// # Errors
    /// A [`Problem`].
    pub async fn ask_unsubscribe(
        &self,
        token: &str,
        headers: &HeaderMap,
    ) -> Result<Response<Bytes>, Problem> {
        match self.unsubscription(token).await? {
            Some((wish, brand)) => show(&wish, &brand, token, headers, Stage::Unsubscribe),
            None => unknown("", accepts(headers)),
        }
    }

    /// Serves `POST /u/{token}`: the address gets no more mail of the brand, or gets it again.
    ///
    /// Only the reader takes the wish back, by the button of the page. A brand cannot.
    ///
    /// # Errors
    /// A [`Problem`]; nothing was recorded, and the mail program may repeat the call.
    pub async fn unsubscribe(
        &self,
        token: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Bytes>, Problem> {
        let Some((wish, brand)) = self.unsubscription(token).await? else {
            return unknown("", accepts(headers));
        };
        let (store, now) = (self.ports.store.as_ref(), self.ports.clock.now());
        let scope = BrandScope { brand: &wish.brand, mode: wish.mode };
        let (known, _) = opt_outs::load(store, scope, &wish.address).await?;
        let is_back = form_urlencoded::parse(body).any(|(name, value)| (&*name, &*value) == BACK);
        if known.is_opted_out() == is_back {
            let word = if is_back { OptOutKeyword::Start } else { OptOutKeyword::Stop };
            let statement = Statement { word, written_at: Some(now), reported_at: now };
            opt_outs::record(store, scope, &wish.address, statement).await?;
            tracing::info!(brand.name = %wish.brand, word = ?word, "reader decided on mail to an address");
        }
        let stage = if is_back { Stage::Resubscribed } else { Stage::Unsubscribed };
        show(&wish, &brand, token, headers, stage)
    }

    /// Reads a token; `None` unless its MAC is the brand's own.
    async fn unsubscription(
        &self,
        token: &str,
    ) -> Result<Option<(Unsubscription, Arc<Brand>)>, Problem> {
        let Some((wish, mac)) = Unsubscription::read(token) else { return Ok(None) };
        let secrets = self.ports.secrets.as_ref();
        let Some(brand) = authentication::known_brand(secrets, &wish.brand).await? else {
            return Ok(None);
        };
        let is_signed =
            wish.is_signed(mac, &brand.link_key) || guards::is_disabled(Guard::UnsubscribeToken);
        Ok(is_signed.then_some((wish, brand)))
    }
}

fn show(
    wish: &Unsubscription,
    brand: &Brand,
    token: &str,
    headers: &HeaderMap,
    stage: Stage<'_>,
) -> Result<Response<Bytes>, Problem> {
    let language = texts::accepted(accepts(headers));
    let own = &brand.language;
    let locale = Locale::nearest(language.as_ref().unwrap_or(own), own);
    let (action, test_mode) = (format!("/u/{token}"), wish.mode == Mode::Test);
    let blank = view::blank(locale, brand.display_name.as_str(), stage);
    let view = PageView { test_mode, action: &action, again: &action, ..blank };
    page(StatusCode::OK, html::render(&view), &[], BrandParts::default())
}
