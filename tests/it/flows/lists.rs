//! `GET /v1/requests`: each filter alone and in pairs, its pages, and what stays unseen.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::digest::digest_hex;
use domain::request::LIFETIME_MAX;
use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{LIVE_KEY, OTHER_KEY, RESTRICTED_KEY, TEST_KEY};
use tests::world::{CreatedRequest, PHONE, World};

const OTHER_PHONE: &str = "+15551230002";

/// A request with what its view hides or leaves out.
struct RequestWithView {
    phone: &'static str,
    view: Value,
}

struct ListFixture {
    world: World,
    /// Newest first.
    requests: Vec<RequestWithView>,
}

fn begun() -> World {
    let digest = |text: &str| digest_hex(text.as_bytes());
    let keys = json!([
        { "id": "key_whole", "mode": "test", "sha256": digest(TEST_KEY) },
        { "id": "key_live", "mode": "live", "sha256": digest(LIVE_KEY) },
        { "id": "key_own", "mode": "test", "sha256": digest(RESTRICTED_KEY),
            "may": ["request", "read"], "sessions": "own" },
    ]);
    let often = json!({ "open_max": 20, "prompts_per_ten_minutes": 100, "prompts_per_day": 1000 });
    World::builder().with("/keys", &keys).with("/policy", &often).build()
}

fn body(world: &World, phone: &str, session: &str, agent: Option<&str>) -> Value {
    let mut body = world.payment(phone, 4250);
    body["session"] = json!({ "kind": "voice", "id": session });
    if let Some(agent) = agent {
        body["session"]["agent"] = json!(agent);
    }
    body
}

/// Requests of two customers, sessions, agents and keys, of which some ended.
fn story() -> ListFixture {
    let world = begun();
    let mut asked: Vec<(CreatedRequest, &'static str)> = Vec::new();
    let mut asks = |body: &Value, phone: &'static str| asked.push((world.asks_for(body), phone));
    asks(&body(&world, PHONE, "CA123", Some("a17")), PHONE);
    world.customer().approves().ok(200);
    world.run_until_idle();
    world.time_passes(60);
    asks(&body(&world, OTHER_PHONE, "CA124", Some("a18")), OTHER_PHONE);
    world.customer_at(OTHER_PHONE).denies().ok(200);
    world.run_until_idle();
    world.time_passes(60);
    let mut card = body(&world, PHONE, "CA123", Some("a17"));
    card["ask"] = json!({ "kind": "payment_method", "description": "Card on file" });
    asks(&card, PHONE);
    world.time_passes(60);
    asks(&body(&world, "+15551239003", "CA124", None), "+15551239003");
    let call = world.call(Method::POST, "/v1/requests").key(RESTRICTED_KEY);
    let own = call.json(&body(&world, PHONE, "CA125", Some("a17"))).send().ok(201).json();
    world.run_until_idle();
    let id = own["id"].as_str().unwrap().to_owned();
    asked.push((CreatedRequest { path: format!("/v1/requests/{id}"), id, answer: own }, PHONE));
    let entry = |(asked, phone): &(CreatedRequest, &'static str)| RequestWithView {
        phone,
        view: world.reads(asked),
    };
    let requests = asked.iter().rev().map(entry).collect();
    ListFixture { world, requests }
}

fn text<'a>(view: &'a Value, pointer: &str) -> Option<&'a str> {
    view.pointer(pointer).and_then(Value::as_str)
}

/// Returns whether a request passes a filter, as its view says.
fn passes(entry: &RequestWithView, name: &str, value: &str) -> bool {
    let (view, ended) = (&entry.view, text(&entry.view, "/ended_at"));
    match name {
        "state" if value == "open" => ended.is_none(),
        "state" => text(view, "/state") == Some(value),
        "kind" => text(view, "/ask/kind") == Some(value),
        "phone" => entry.phone == value,
        "session" => text(view, "/session/id") == Some(value),
        "agent" => text(view, "/session/agent") == Some(value),
        "key" => text(view, "/key/id") == Some(value),
        "transaction_code" => text(view, "/outcome/transaction_code") == Some(value),
        "reference" => text(view, "/outcome/reference") == Some(value),
        // Times of one form have the order of their texts.
        "created_from" => text(view, "/created_at").unwrap() >= value,
        "created_before" => text(view, "/created_at").unwrap() < value,
        "ended_from" => ended.is_some_and(|at| at >= value),
        "ended_before" => ended.is_some_and(|at| at < value),
        _ => panic!("{name}"),
    }
}

/// Returns filters that some requests pass and some do not.
fn filters(story: &ListFixture) -> Vec<(&'static str, String)> {
    let paid = story.requests.last().unwrap();
    let middle = text(&story.requests[2].view, "/created_at").unwrap();
    let denied = text(&story.requests[3].view, "/ended_at").unwrap();
    let one = |name: &'static str, value: &str| (name, value.to_owned());
    vec![
        one("state", "open"),
        one("state", "prompted"),
        one("state", "fulfilled"),
        one("state", "denied"),
        one("state", "undeliverable"),
        one("state", "expired"),
        one("kind", "payment"),
        one("kind", "payment_method"),
        one("kind", "identity"),
        one("phone", PHONE),
        one("phone", OTHER_PHONE),
        one("session", "CA123"),
        one("session", "CA124"),
        one("agent", "a17"),
        one("agent", "a18"),
        one("key", "key_whole"),
        one("key", "key_own"),
        one("transaction_code", text(&paid.view, "/outcome/transaction_code").unwrap()),
        one("transaction_code", "AAAA-AAAA"),
        one("reference", text(&paid.view, "/outcome/reference").unwrap()),
        one("created_from", middle),
        one("created_before", middle),
        one("ended_from", denied),
        one("ended_before", denied),
    ]
}

fn path(filters: &[&(&'static str, String)], more: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in filters {
        query.append_pair(name, value);
    }
    format!("/v1/requests?{}{more}", query.finish())
}

fn ids(page: &Value) -> Vec<String> {
    let requests = page["requests"].as_array().unwrap().iter();
    requests.map(|request| request["id"].as_str().unwrap().to_owned()).collect()
}

/// Returns the ids of all pages of a list.
fn listed(world: &World, filters: &[&(&'static str, String)], limit: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let more = format!("&limit={limit}&cursor={cursor}");
        let page = world.get(&path(filters, &more)).ok(200).json();
        assert!(page["requests"].as_array().unwrap().len() <= limit);
        found.extend(ids(&page));
        let Some(next) = page["next_cursor"].as_str() else { return found };
        cursor = next.to_owned();
    }
}

fn expected(story: &ListFixture, filters: &[&(&'static str, String)]) -> Vec<String> {
    let all =
        |entry: &&RequestWithView| filters.iter().all(|(name, value)| passes(entry, name, value));
    story
        .requests
        .iter()
        .filter(all)
        .map(|entry| entry.view["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn list_has_what_passes_each_filter_and_each_pair() {
    let story = story();
    let filters = filters(&story);
    assert_eq!(listed(&story.world, &[], 100), expected(&story, &[]));
    let mut sizes = BTreeSet::new();
    for (at, one) in filters.iter().enumerate() {
        let found = listed(&story.world, &[one], 100);
        assert_eq!(found, expected(&story, &[one]), "{one:?}");
        sizes.insert(found.len());
        for other in filters.iter().skip(at).filter(|other| other.0 != one.0) {
            let pair = [one, other];
            assert_eq!(listed(&story.world, &pair, 100), expected(&story, &pair), "{pair:?}");
        }
    }
    assert!(sizes.is_superset(&[0, 1, 2, 3].into()), "{sizes:?}");
}

#[test]
fn pages_of_a_list_have_each_request_once() {
    let story = story();
    let filters = filters(&story);
    for limit in [1, 2] {
        assert_eq!(listed(&story.world, &[], limit), expected(&story, &[]));
        for one in &filters {
            assert_eq!(listed(&story.world, &[one], limit), expected(&story, &[one]), "{one:?}");
        }
    }
}

#[test]
fn open_request_leaves_the_open_list_when_it_ends() {
    let world = begun();
    let asked = world.asks(4250);
    let open = || ids(&world.get("/v1/requests?state=open").ok(200).json());
    assert_eq!(open(), std::slice::from_ref(&asked.id));
    world.acts(&asked, "cancel", &json!({})).ok(200);
    assert!(open().is_empty());
    let lists = world.items().into_iter().filter(|item| item.key.pk.starts_with("LIST#"));
    let names: Vec<String> =
        lists.map(|item| item.key.pk.splitn(4, '#').last().unwrap().to_owned()).collect();
    let [agent, rest @ ..] = &names[..] else { panic!("{names:?}") };
    assert!(agent.starts_with("agent#"), "{names:?}");
    assert_eq!(rest, ["all", "ended#cancelled", "key#key_whole"]);
    let end_of = |sk: &str| {
        let found = world.items().into_iter().filter(|item| item.key.sk == sk);
        found.map(|item| item.expires_at.unwrap()).collect::<BTreeSet<_>>()
    };
    let request = end_of("REQ").pop_first().unwrap();
    let longest = request.after(LIFETIME_MAX).after(Duration::from_secs(30 * 86_400));
    for listed in end_of(&asked.id) {
        assert!(request <= listed && listed <= longest, "{request} {listed}");
    }
}

#[test]
fn transaction_code_is_found_in_small_letters() {
    let story = story();
    let code = text(&story.requests.last().unwrap().view, "/outcome/transaction_code").unwrap();
    let found = listed(&story.world, &[&("transaction_code", code.to_ascii_lowercase())], 20);
    assert_eq!(found.len(), 1);
}

#[test]
fn list_shows_nothing_to_another_brand_or_mode() {
    let story = story();
    let all = filters(&story);
    for key in [OTHER_KEY, LIVE_KEY] {
        for one in all.iter().map(|one| vec![one]).chain([Vec::new()]) {
            let page =
                story.world.call(Method::GET, &path(&one, "")).key(key).send().ok(200).json();
            assert_eq!(page, json!({ "requests": [], "next_cursor": null }), "{one:?}");
        }
    }
}

#[test]
fn key_of_own_sessions_lists_its_own_requests_only() {
    let story = story();
    let own = |entry: &&RequestWithView| entry.view["key"]["id"] == "key_own";
    for one in filters(&story).iter().map(|one| vec![one]).chain([Vec::new()]) {
        let call = story.world.call(Method::GET, &path(&one, "")).key(RESTRICTED_KEY);
        let page = call.send().ok(200).json();
        let passes =
            |entry: &&RequestWithView| one.iter().all(|(name, value)| passes(entry, name, value));
        let expected = story.requests.iter().filter(own).filter(passes);
        let expected: Vec<&str> =
            expected.map(|entry| entry.view["id"].as_str().unwrap()).collect();
        assert_eq!(ids(&page), expected, "{one:?}");
    }
}

#[test]
fn client_token_lists_its_request_or_session_alone() {
    let story = story();
    let newest = &story.requests[2].view;
    let id = newest["id"].as_str().unwrap();
    let origin = "https://crm.example.com";
    let lists = |scope: Value, query: &str| {
        let mut body = json!({ "origin": origin });
        body.as_object_mut().unwrap().extend(scope.as_object().unwrap().clone());
        let made = story.world.post("/v1/client_tokens", &body).ok(201).json();
        let token = made["client_token"].as_str().unwrap();
        let call = story.world.call(Method::GET, &format!("/v1/requests?{query}")).key(token);
        ids(&call.header("origin", origin).send().ok(200).json())
    };
    assert_eq!(lists(json!({ "request": id }), ""), [id]);
    assert_eq!(lists(json!({ "request": id }), "state=open"), [id]);
    assert!(lists(json!({ "request": id }), "state=denied").is_empty());
    let session = ("session", "CA123".to_owned());
    assert_eq!(lists(json!({ "session": "CA123" }), ""), expected(&story, &[&session]));
    assert!(lists(json!({ "session": "CA123" }), "session=CA124").is_empty());
}

#[test]
fn erased_customer_is_in_no_list() {
    let story = story();
    let world = &story.world;
    let erased = ("phone", OTHER_PHONE.to_owned());
    let [id] = &expected(&story, &[&erased])[..] else { panic!("one request of the customer") };
    let customer = format!("/v1/customers/{OTHER_PHONE}");
    world.call(Method::DELETE, &customer).send().ok(202);
    world.run_until_idle();
    assert_eq!(world.get(&customer).json()["erasure"]["state"], "done");
    for one in filters(&story).iter().map(|one| vec![one]).chain([Vec::new()]) {
        let found = listed(world, &one, 100);
        let mut expected = expected(&story, &one);
        expected.retain(|other| other != id);
        assert_eq!(found, expected, "{one:?}");
    }
    assert!(world.items().iter().all(|item| item.key.sk != *id), "an item still lists it");
}

#[test]
fn cursor_of_other_filters_is_refused() {
    let story = story();
    let world = &story.world;
    let page = world.get("/v1/requests?state=open&kind=payment&limit=1").ok(200).json();
    let none = world.get("/v1/requests?limit=1").ok(200).json();
    let cursors = [&page, &none].map(|page| page["next_cursor"].as_str().unwrap_or_default());
    assert!(!cursors[1].is_empty());
    for query in [
        format!("state=open&cursor={}", cursors[1]),
        format!("session=CA123&cursor={}", cursors[1]),
        format!("phone=%2B15551230001&cursor={}", cursors[1]),
        format!("created_from=2026-01-01T00:00:00Z&cursor={}", cursors[1]),
    ] {
        let problem = world.get(&format!("/v1/requests?{query}")).problem(400, "invalid-request");
        assert_eq!(problem.json()["errors"][0]["parameter"], "cursor", "{query}");
    }
    let live = world.call(Method::GET, &format!("/v1/requests?cursor={}", cursors[1]));
    live.key(LIVE_KEY).send().problem(400, "invalid-request");
}

#[test]
fn invalid_filter_names_its_parameter() {
    let world = World::new();
    for (query, parameter) in [
        ("state=paid", "state"),
        ("state=", "state"),
        ("kind=card", "kind"),
        ("phone=5551230001", "phone"),
        // A plus that is not escaped is a space.
        ("phone=+15551230001", "phone"),
        ("agent=a%20b", "agent"),
        ("key=desk", "key"),
        ("transaction_code=", "transaction_code"),
        ("reference=a%20b", "reference"),
        ("created_from=yesterday", "created_from"),
        ("created_before=2026-11-26", "created_before"),
        ("ended_from=2026-11-26T10:00:00+01:00", "ended_from"),
        ("ended_before=x", "ended_before"),
        ("customer=1", "customer"),
        ("kind=payment&kind=payment", "kind"),
    ] {
        let problem = world.get(&format!("/v1/requests?{query}")).problem(400, "invalid-request");
        assert_eq!(problem.json()["errors"][0]["parameter"], parameter, "{query}");
    }
    world.get("/v1/requests?ended_from=2026-11-26T10:00:00%2B01:00").ok(200);
}

/// The hash of an address is no secret of the customer, and a key never holds more.
#[test]
fn keys_of_lists_hold_no_number_and_no_callers_text() {
    let story = story();
    for item in
        story.world.all_written_items().iter().filter(|item| item.key.pk.starts_with("LIST#"))
    {
        for text in ["5551230001", "5551230002", "a17", "CA123", "pi_"] {
            assert!(!item.key.pk.contains(text), "{:?}", item.key);
        }
        assert!(!item.body.contains("555123"), "{}", item.body);
    }
}
