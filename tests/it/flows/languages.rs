//! The language in which a customer reads, and how the requester learns it.

use http::Method;
use serde_json::{Value, json};
use tests::world::{BROWSER, CreatedRequest, PHONE, World};

/// A world whose customer is asked for 1,234.56 dollars in a language; `null` names none.
fn asked(language: Value) -> (World, CreatedRequest) {
    let world = World::new();
    let mut body = world.payment(PHONE, 123_456);
    body["ask"]["currency"] = json!("USD");
    body["customer"]["language"] = language;
    let asked = world.asks_for(&body);
    (world, asked)
}

/// The consent page in a browser that accepts these languages.
fn page(world: &World, accepts: &str) -> String {
    let path = world.customer().newest().page;
    let call = world.call(Method::GET, &path).key(None).header("user-agent", BROWSER);
    call.header("accept-language", accepts).send().ok(200).text()
}

#[test]
fn page_follows_the_browser_where_no_language_is_named() {
    let (world, _) = asked(Value::Null);
    for (accepts, html, amount) in [
        ("es-MX,es;q=0.9,en;q=0.8", "<html lang=\"es\" dir=\"ltr\">", "1,234.56 USD"),
        ("sw, de-AT;q=0.5", "<html lang=\"de\" dir=\"ltr\">", "1.234,56 USD"),
        ("ar-EG", "<html lang=\"ar\" dir=\"rtl\">", "١٬٢٣٤٫٥٦ USD"),
        ("zh-TW", "<html lang=\"zh-Hant\" dir=\"ltr\">", "1,234.56 USD"),
        ("sw", "<html lang=\"en\" dir=\"ltr\">", "1,234.56 USD"),
        ("", "<html lang=\"en\" dir=\"ltr\">", "1,234.56 USD"),
    ] {
        let shown = page(&world, accepts);
        assert!(shown.contains(html) && shown.contains(amount), "{accepts}: {shown}");
    }
    world.run_until_idle();
}

#[test]
fn page_keeps_the_language_that_the_request_names() {
    let (world, _) = asked(json!("de-CH"));
    let shown = page(&world, "fr,en;q=0.5");
    assert!(shown.contains("<html lang=\"de\"") && shown.contains("1&#39;234.56 USD"), "{shown}");
    world.run_until_idle();
}

#[test]
fn unknown_link_answers_in_the_browsers_language() {
    let world = World::new();
    let call = world.call(Method::GET, "/c/").key(None).header("user-agent", BROWSER);
    let shown = call.header("accept-language", "he-IL").send().ok(404).text();
    assert!(shown.contains("<html lang=\"he\" dir=\"rtl\">"), "{shown}");
}

#[test]
fn request_shows_the_language_of_its_messages() {
    for (language, used) in [
        (json!("pt-AO"), "pt"),
        (json!("zh-HK"), "zh-Hant"),
        (json!("no"), "nb"),
        (json!("sw-KE"), "en"),
        (Value::Null, "en"),
    ] {
        let (world, asked) = asked(language.clone());
        assert_eq!(asked.answer["language"], used, "{language}");
        assert_eq!(world.reads(&asked)["language"], used, "{language}");
        world.run_until_idle();
    }
}
