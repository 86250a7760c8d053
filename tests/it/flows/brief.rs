//! The brief answer: a flat object with a sentence for each state.

use domain::digest::digest_hex;
use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{RESTRICTED_KEY, TEST_KEY};
use tests::world::{CreatedRequest, PHONE, World};

fn brief(world: &World, asked: &CreatedRequest) -> Value {
    let shown = world.get(&format!("{}?view=brief", asked.path)).ok(200).json();
    let fields = shown.as_object().unwrap();
    assert_eq!(fields.len(), 11, "{shown}");
    assert!(fields.values().all(|value| value.is_string() || value.is_boolean()), "{shown}");
    let say = shown["say"].as_str().unwrap();
    let personal = ["Ada", "Byron", "Invoice", "4711", "42", PHONE, "Demo"];
    assert!(!personal.iter().any(|text| say.contains(text)), "{say}");
    shown
}

#[test]
fn brief_answer_follows_a_payment_to_its_end() {
    let world = World::new();
    let body = world.payment(PHONE, 4250);
    let asked = world.accepted(&body);
    let pending = brief(&world, &asked);
    assert_eq!(pending["say"], "I am sending a message to your phone now.");
    world.run_until_idle();
    let code = asked.answer["session_code"].as_str().unwrap();
    let apart = code.chars().map(String::from).collect::<Vec<_>>().join(" ");
    let waiting = brief(&world, &asked);
    let version = world.reads(&asked)["version"].to_string();
    let say =
        format!("Please open the message on your phone and answer it with the number {apart}.");
    let expected = json!({
        "id": asked.id, "state": "prompted", "over": false, "version": version, "say": say,
        "say_language": "en", "code": code, "reason": "", "transaction_code": "", "last4": "",
        "next_wait": "6",
    });
    assert_eq!(waiting, expected);
    world.customer().approves().ok(200);
    world.run_until_idle();
    let (whole, paid) = (world.reads(&asked), brief(&world, &asked));
    let expected = json!({
        "id": asked.id, "state": "fulfilled", "over": true,
        "version": whole["version"].to_string(), "say": "Thank you, your payment went through.",
        "say_language": "en", "code": "", "reason": "",
        "transaction_code": whole["outcome"]["transaction_code"], "last4": "4242", "next_wait": "0",
    });
    assert_eq!(paid, expected);
}

#[test]
fn brief_answer_says_why_a_request_ended() {
    let world = World::new();
    let asked = world.asks(4250);
    world.customer().approves_with_a_wrong_code().ok(200);
    let denied = brief(&world, &asked);
    assert_eq!(
        (&denied["state"], &denied["reason"]),
        (&json!("denied"), &json!("wrong_session_code"))
    );
    assert!(denied["say"].as_str().unwrap().starts_with("The number on your phone did not match"));
    let world = World::new();
    let asked = world.asks(4250);
    world.acts(&asked, "cancel", &json!({})).ok(200);
    let cancelled = brief(&world, &asked);
    assert_eq!((&cancelled["over"], &cancelled["reason"]), (&json!(true), &json!("")));
    let mut later = world.payment(PHONE, 4250);
    later["expires_in"] = json!(60);
    let asked = world.asks_for(&later);
    world.time_passes(61);
    assert_eq!(brief(&world, &asked)["state"], "expired");
}

/// A card that is declined once leaves the request open. On the hosted page, the customer has given the code.
#[test]
fn brief_answer_tells_a_second_try_and_the_hosted_page() {
    let world = World::new();
    let asked = world.asks(4202);
    let hosted = World::new();
    let on_page = hosted.asks(4250);
    hosted.customer().approves_hosted();
    let shown = brief(&hosted, &on_page);
    assert_eq!(shown["code"], "");
    assert!(shown["say"].as_str().unwrap().contains("secure page"), "{shown}");
    world.customer().approves().ok(200);
    world.run_until_idle();
    let again = brief(&world, &asked);
    assert_eq!(again["state"], "prompted");
    assert!(again["say"].as_str().unwrap().starts_with("That did not work, so please try again"));
}

#[test]
fn brief_answer_speaks_the_customers_or_the_brands_language() {
    for (language, tag, begins) in [
        (json!("de-AT"), "de", "Bitte"),
        (json!("fr"), "fr", "Veuillez"),
        (json!("es-419"), "es", "Por favor"),
        (json!("pl-PL"), "pl", "Proszę"),
        (json!("sw"), "en", "Please"),
    ] {
        let world = World::new();
        let mut body = world.payment(PHONE, 4250);
        body["customer"]["language"] = language;
        let shown = brief(&world, &world.asks_for(&body));
        assert_eq!(shown["say_language"], tag);
        assert!(shown["say"].as_str().unwrap().starts_with(begins), "{shown}");
    }
}

#[test]
fn brief_answer_is_read_with_a_restricted_key_and_a_token() {
    let digest = |text: &str| digest_hex(text.as_bytes());
    let usual = json!({ "mode": "test", "sha256": digest(TEST_KEY) });
    let reader = json!({ "id": "key_reader", "mode": "test", "sha256": digest(RESTRICTED_KEY), "may": ["read"] });
    let world = World::builder().with("/keys", &json!([usual, reader])).build();
    let asked = world.asks(4250);
    let path = format!("{}?view=brief&wait=1&after=0", asked.path);
    let shown = world.call(Method::GET, &path).key(RESTRICTED_KEY).send().ok(200).json();
    assert_eq!((&shown["id"], &shown["next_wait"]), (&json!(asked.id), &json!("1")));
    let origin = "https://crm.example.com";
    let body = json!({ "request": asked.id, "origin": origin });
    let made = world.post("/v1/client_tokens", &body).ok(201).json();
    let call = world.call(Method::GET, &path).header("origin", origin);
    let shown = call.key(made["client_token"].as_str().unwrap()).send().ok(200).json();
    assert_eq!(shown["state"], "prompted");
}

#[test]
fn view_of_another_name_is_refused() {
    let world = World::new();
    let asked = world.asks(4250);
    for query in ["view=", "view=whole", "view=brief&view=brief"] {
        let refused = world.get(&format!("{}?{query}", asked.path));
        let problem = refused.problem(400, "invalid-request").json();
        assert_eq!(problem["errors"][0]["parameter"], "view");
    }
}
