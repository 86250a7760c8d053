//! The weight of the consent page on its way to a phone, in each language and for each ask.

use std::io::Read;

use domain::ask::CLAIMS;
use flate2::read::GzDecoder;
use http::Method;
use serde_json::json;
use tests::world::{Answer, BROWSER, PHONE, World};
use texts::TextLanguage;

/// The most bytes of a page that is sent, without a logo.
const WEIGHT_MAX: usize = 14_000;

fn opens(world: &World, page: &str, codings: &str) -> Answer {
    let call = world.call(Method::GET, page).key(None).header("user-agent", BROWSER);
    call.header("accept-encoding", codings).send().ok(200)
}

/// A world whose page offers every payment option and shows all of a brand but its logo.
fn heaviest() -> World {
    let policy = json!({ "open_max": 99, "prompts_per_ten_minutes": 999, "prompts_per_day": 999 });
    let branding = json!({
        "accent": { "light": "#003366", "dark": "#6fa8ff" }, "support_phone": "+4930123456",
        "support_url": "https://help.demo.example/pay", "terms_url": "https://demo.example/terms",
        "privacy_url": "https://demo.example/privacy", "statement_descriptor": "DEMO BOOKS",
    });
    World::builder()
        .with_fake_processor(&["google_pay", "apple_pay", "hosted", "nothing"])
        .with("/policy", &policy)
        .with("/branding", &branding)
        .build()
}

#[test]
#[expect(clippy::print_stderr, reason = "the measurement is a result of this test")]
fn compressed_page_stays_below_its_weight() {
    let world = heaviest();
    let asks = [
        json!({ "kind": "payment", "amount": 4250, "currency": "EUR", "description": "Invoice 4711" }),
        json!({ "kind": "payment_method", "description": "Card for later" }),
        json!({ "kind": "identity", "claims": CLAIMS, "description": "Opening an account" }),
    ];
    let mut heaviest = (0, String::new());
    for language in TextLanguage::ALL {
        for ask in &asks {
            let mut body = world.payment(PHONE, 4250);
            body["customer"]["language"] = json!(language.tag());
            body["ask"] = ask.clone();
            world.asks_for(&body);
            let page = world.customer().newest().page;
            let sent = opens(&world, &page, "gzip, deflate, br");
            assert_eq!(sent.header("content-encoding"), "gzip");
            assert_eq!(sent.header("vary"), "accept-encoding");
            let mut html = String::new();
            GzDecoder::new(&*sent.body).read_to_string(&mut html).unwrap();
            assert!(
                html.contains(&format!("lang=\"{}\"", language.tag()))
                    && html.trim_end().ends_with("</html>")
            );
            let name = format!("{} in {}", ask["kind"], language.tag());
            assert!(sent.body.len() < WEIGHT_MAX, "{name}: {}", sent.body.len());
            heaviest = heaviest.max((sent.body.len(), name));
        }
    }
    eprintln!("the heaviest page: {heaviest:?}");
    world.run_until_idle();
}

#[test]
fn page_is_plain_for_a_browser_without_gzip() {
    let world = World::new();
    world.asks(4250);
    let page = world.customer().newest().page;
    for codings in ["identity", "br", "gzip;q=0"] {
        let sent = opens(&world, &page, codings);
        assert!(!sent.headers.contains_key("content-encoding"), "{codings}");
        assert!(sent.text().contains("Demo Books"));
    }
    world.run_until_idle();
}
