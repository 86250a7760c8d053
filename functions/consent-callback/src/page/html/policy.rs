//! The content security policy of the consent page. `scripts.md` of this crate is its inventory of scripts.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{BrandParts, Offer, SCRIPT, STYLE, WALLETS};
use crate::browser::reports::REPORTS_PATH;

/// The script of Google Pay, which only our own script loads.
pub(super) const GOOGLE_SCRIPT: &str = "https://pay.google.com/gp/p/js/pay.js";
/// The host of the picture in Google Pay's button.
const GOOGLE_PICTURES: &str = "https://www.gstatic.com";

/// Returns the page's content security policy: its own style and script by their digests, one form to itself, nothing else.
///
/// Wallets add their script by its digest. Google Pay adds Google's script and addresses; Apple Pay is part of the browser.
/// `strict-dynamic` allows what the known scripts load, and no script of any host. Browsers without it read the address.
/// Google's script gives the nonce to the styles that it adds
/// (<https://developers.google.com/pay/api/web/support/release-notes>, 2026-11-26). It draws its button with a picture of
/// its own (<https://developers.google.com/pay/api/web/reference/client#createButton>, 2026-11-27).
/// UNVERIFIED: the list of Google's addresses. Before going live, pay once with Google Pay and read the browser's console.
#[must_use]
pub(in crate::page) fn content_security_policy(offers: &[Offer], brand: BrandParts<'_>) -> String {
    static DIGESTS: LazyLock<[String; 3]> = LazyLock::new(|| [STYLE, SCRIPT, WALLETS].map(digest));
    let [style, script, wallets] = &*DIGESTS;
    let nonce = offers.iter().find_map(|offer| match offer {
        Offer::GooglePay { style_nonce, .. } => Some(style_nonce),
        Offer::SavedCard { .. } | Offer::TestCard | Offer::ApplePay { .. } | Offer::Hosted => None,
    });
    let wallets = if offers.iter().any(Offer::is_wallet) {
        format!(" 'sha256-{wallets}'")
    } else {
        String::new()
    };
    let (styles, rest) = match nonce {
        Some(nonce) => (
            format!(" 'nonce-{nonce}'"),
            format!(
                " 'strict-dynamic' {GOOGLE_SCRIPT}; frame-src https://pay.google.com; \
                 connect-src 'self' https://pay.google.com https://google.com/pay https://www.google.com/pay; "
            ),
        ),
        None => (
            String::new(),
            "; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; "
                .to_owned(),
        ),
    };
    let brand_style = match brand.style {
        Some(style) => format!(" 'sha256-{}'", digest(style)),
        None => String::new(),
    };
    let pictures = match (brand.has_logo, nonce.is_some()) {
        (true, true) => format!("'self' {GOOGLE_PICTURES}"),
        (false, true) => GOOGLE_PICTURES.to_owned(),
        (true, false) => "'self'".to_owned(),
        (false, false) => "'none'".to_owned(),
    };
    format!(
        "default-src 'none'; style-src 'sha256-{style}'{brand_style}{styles}; script-src 'sha256-{script}'{wallets}{rest}\
         img-src {pictures}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
         report-uri {REPORTS_PATH}; report-to csp"
    )
}

fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}
