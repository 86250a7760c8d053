//! Tests of the page's content security policy and of its inventory of scripts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::super::policy::GOOGLE_SCRIPT;
use super::super::*;
use super::{apple, asking, google, offering, tags};
use crate::browser::reports::REPORTS_PATH;

/// Returns the digest of the last such element.
fn digest(html: &str, tag: &str) -> String {
    let text = html.rsplit(&format!("<{tag}>")).next().unwrap();
    STANDARD.encode(Sha256::digest(text.split(&format!("</{tag}>")).next().unwrap().as_bytes()))
}

/// Returns the sources of a directive; nothing where the policy lacks it.
fn sources(policy: &str, directive: &str) -> String {
    let mut parts = policy.split("; ");
    let start = format!("{directive} ");
    parts.find_map(|part| part.strip_prefix(&start)).unwrap_or_default().to_owned()
}

#[test]
fn policy_allows_exactly_what_the_page_contains() {
    let plain = render(&asking()).unwrap();
    let style = format!("'sha256-{}'", digest(&plain, "style"));
    let script = format!("'sha256-{}'", digest(&plain, "script"));
    let wallets = format!("{script} 'sha256-{}'", digest(&offering(&[apple()]), "script"));
    let none = content_security_policy(&[Offer::TestCard, Offer::Hosted], BrandParts::default());
    let with_apple = content_security_policy(&[apple()], BrandParts::default());
    let with_google =
        content_security_policy(&[google(), apple(), Offer::Hosted], BrandParts::default());
    assert_eq!(sources(&none, "style-src"), style);
    assert_eq!(sources(&none, "script-src"), script);
    assert_eq!(sources(&with_apple, "script-src"), wallets);
    for policy in [&none, &with_apple] {
        assert_eq!(sources(policy, "connect-src"), "'self'");
        assert_eq!(sources(policy, "require-trusted-types-for"), "'script'");
        assert_eq!(sources(policy, "trusted-types"), "'none'");
        assert!(!policy.contains("https:"), "{policy}");
    }
    let google_script = "https://pay.google.com/gp/p/js/pay.js";
    assert_eq!(
        sources(&with_google, "script-src"),
        format!("{wallets} 'strict-dynamic' {google_script}")
    );
    assert_eq!(sources(&with_google, "style-src"), format!("{style} 'nonce-n0nce'"));
    let pictures = [&none, &with_apple, &with_google].map(|policy| sources(policy, "img-src"));
    assert_eq!(pictures, ["'none'", "'none'", "https://www.gstatic.com"]);
    let logo = BrandParts { has_logo: true, ..BrandParts::default() };
    let pictures = [apple(), google()].map(|offer| content_security_policy(&[offer], logo));
    let pictures = pictures.map(|policy| sources(&policy, "img-src"));
    assert_eq!(pictures, ["'self'", "'self' https://www.gstatic.com"]);
    for policy in [none, with_apple, with_google] {
        let is_closed = policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe");
        assert!(is_closed, "{policy}");
        for (directive, expected) in [
            ("form-action", "'self'"),
            ("base-uri", "'none'"),
            ("frame-ancestors", "'none'"),
            ("report-uri", REPORTS_PATH),
            ("report-to", "csp"),
        ] {
            assert_eq!(sources(&policy, directive), expected, "{policy}");
        }
    }
}

/// PCI DSS 4.0.1, 6.4.3: the inventory names each script with its reason, and our own with its present digest.
#[test]
fn inventory_lists_every_script_of_the_page() {
    let inventory = include_str!("../../../../scripts.md");
    let rows: Vec<&str> = inventory.lines().filter(|line| line.starts_with("| `")).collect();
    let policy = content_security_policy(
        &[google(), apple(), Offer::TestCard, Offer::Hosted],
        BrandParts::default(),
    );
    let scripts = sources(&policy, "script-src");
    let named: Vec<&str> =
        scripts.split(' ').filter(|source| *source != "'strict-dynamic'").collect();
    assert_eq!(rows.len(), named.len(), "{rows:?} {named:?}");
    for source in named {
        let row = rows.iter().find(|row| row.contains(source.trim_matches('\'')));
        assert!(row.is_some_and(|row| row.split('|').count() >= 6), "{source} is not listed");
    }
    // Our own scripts name one address, and the inventory lists it.
    let addresses = WALLETS.matches("https://").count() + SCRIPT.matches("https://").count();
    assert_eq!((addresses, WALLETS.matches(GOOGLE_SCRIPT).count()), (1, 1));
    for page in [&[google(), apple()][..], &[Offer::TestCard, Offer::Hosted], &[apple()]] {
        let html = offering(page);
        let scripts = tags(&html, "script");
        assert!(scripts.len() <= 2 && scripts.iter().all(|tag| *tag == "<script"), "{scripts:?}");
    }
}
