//! The content security policy of the consent page. `scripts.md` of this crate is its inventory of scripts.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{Offer, STYLE, WALLETS};
use crate::browser::reports::REPORTS_PATH;

/// The script of Google Pay, which only our own script loads.
pub(super) const GOOGLE_SCRIPT: &str = "https://pay.google.com/gp/p/js/pay.js";

/// Returns the page's content security policy: its own style by its digest, one form to itself, nothing else.
///
/// Wallets add the script by its digest. Google Pay adds Google's script and addresses; Apple Pay is part of the browser.
/// `strict-dynamic` allows what the one known script loads, and no script of any host. Browsers without it read the address.
/// Google's script gives the nonce to the styles that it adds
/// (<https://developers.google.com/pay/api/web/support/release-notes>, read 2026-11-26).
/// UNVERIFIED: the list of Google's addresses. Before going live, pay once with Google Pay and read the browser's console.
#[must_use]
pub(in crate::page) fn content_security_policy(offers: &[Offer]) -> String {
    static DIGESTS: LazyLock<[String; 2]> = LazyLock::new(|| {
        [STYLE, WALLETS].map(|text| STANDARD.encode(Sha256::digest(text.as_bytes())))
    });
    let [style, script] = &*DIGESTS;
    let nonce = offers.iter().find_map(|offer| match offer {
        Offer::GooglePay { style_nonce, .. } => Some(style_nonce),
        Offer::SavedCard { .. } | Offer::TestCard | Offer::ApplePay { .. } | Offer::Hosted => None,
    });
    let (styles, wallets) = match (nonce, offers.iter().any(Offer::is_wallet)) {
        (Some(nonce), _) => (
            format!(" 'nonce-{nonce}'"),
            format!(
                "script-src 'sha256-{script}' 'strict-dynamic' {GOOGLE_SCRIPT}; \
                 frame-src https://pay.google.com; \
                 connect-src 'self' https://pay.google.com https://google.com/pay https://www.google.com/pay; "
            ),
        ),
        (None, true) => {
            let apple = format!(
                "script-src 'sha256-{script}'; connect-src 'self'; \
                 require-trusted-types-for 'script'; trusted-types 'none'; "
            );
            (String::new(), apple)
        }
        (None, false) => (String::new(), String::new()),
    };
    format!(
        "default-src 'none'; style-src 'sha256-{style}'{styles}; {wallets}img-src 'none'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'; report-uri {REPORTS_PATH}; report-to csp"
    )
}
