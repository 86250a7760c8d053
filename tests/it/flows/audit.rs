//! The caller, the source and each refusal, in the journal, the audit stream and the reports of browsers.

use std::net::IpAddr;

use domain::digest::digest_hex;
use http::Method;
use serde_json::{Value, json};
use tests::world::brand::{OTHER_KEY, TEST_KEY};
use tests::world::{CreatedRequest, PHONE, World};

const REQUESTER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 24));
const CUSTOMER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 77));

/// Returns the caller in the first journal entry of a kind.
fn caller(world: &World, asked: &CreatedRequest, kind: &str) -> Value {
    let export = world.get(&format!("{}/record", asked.path)).ok(200).json();
    let entries = export["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| serde_json::from_str::<Value>(event["text"].as_str().unwrap()).unwrap());
    let mut entries = entries.filter(|entry| entry["what"]["kind"] == kind);
    entries.next().unwrap_or_else(|| panic!("{kind}"))["caller"].clone()
}

/// Returns the lines of the audit stream so far.
fn stream(world: &World) -> Vec<String> {
    let logs = world.logs();
    logs.lines().filter(|line| line.contains(" audit: ")).map(str::to_owned).collect()
}

/// Returns how many lines of the stream have all these parts.
fn count(world: &World, parts: &[&str]) -> usize {
    stream(world).iter().filter(|line| parts.iter().all(|part| line.contains(part))).count()
}

fn code(asked: &CreatedRequest) -> String {
    asked.answer["session_code"].as_str().unwrap().to_owned()
}

#[test]
fn every_answer_carries_the_id_of_its_call() {
    let world = World::new();
    let paths = [
        "/v1/requests?session=x",
        "/v1/nothing",
        "/v1/requests/%ff",
        "/c/AAAAAAAAAAAAAAAAAAAAAA",
        "/callbacks/demo/x",
    ];
    let mut ids = Vec::new();
    for path in paths {
        let answer = world.call(Method::GET, path).header("x-request-id", "chosen").send();
        ids.push(answer.header("x-request-id").to_owned());
        let known = world.call(Method::GET, path).from("JKJaXmPLvHcESHA=", REQUESTER).send();
        assert_eq!(known.header("x-request-id"), "JKJaXmPLvHcESHA=", "{path}");
    }
    assert!(ids.iter().all(|id| !id.is_empty() && id != "chosen"), "{ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), paths.len());
}

#[test]
fn journal_names_the_call_and_source_of_each_command() {
    let world = World::new();
    let create = world.call(Method::POST, "/v1/requests").json(&world.payment(PHONE, 4250));
    let created = create.header("x-assent-source", "192.0.2.1").from("call-1", REQUESTER).send();
    let created = created.ok(201).json();
    world.run_until_idle();
    let id = created["id"].as_str().unwrap().to_owned();
    let asked = CreatedRequest { path: format!("/v1/requests/{id}"), id, answer: created };
    for (action, body) in
        [("extend", json!({ "expires_in": 400 })), ("resend", json!({})), ("cancel", json!({}))]
    {
        let call = world.call(Method::POST, &format!("{}/{action}", asked.path)).json(&body);
        call.from(&format!("call-{action}"), REQUESTER).send().ok(200);
        world.run_until_idle();
    }
    let key = format!("key_{}", &digest_hex(TEST_KEY.as_bytes())[..16]);
    for (kind, call) in [
        ("accepted", "call-1"),
        ("extended", "call-extend"),
        ("resent", "call-resend"),
        ("cancelled", "call-cancel"),
    ] {
        let expected = json!({ "key": key, "call": call, "source": REQUESTER.to_string() });
        assert_eq!(caller(&world, &asked, kind), expected, "{kind}");
    }
    assert_eq!(caller(&world, &asked, "sending"), Value::Null);
    for (event, call) in [("asked", "call-1"), ("cancelled", "call-cancel")] {
        let parts = [format!("event=\"{event}\""), format!("call=\"{call}\"")];
        let who = format!("key={key}");
        let source = format!("source={REQUESTER}");
        assert_eq!(
            count(&world, &[&parts[0], &parts[1], &who, &source]),
            1,
            "{:#?}",
            stream(&world)
        );
    }
}

/// The address is evidence of a reply. It is in the journal, and in no log.
#[test]
fn approval_and_denial_keep_the_visitor_and_log_none() {
    let world = World::new();
    for (action, kind, event) in [("approve", "approved", "approved"), ("deny", "denied", "denied")]
    {
        let asked = world.asks(4250);
        let page = world.customer().newest().page;
        let nonce = world.customer().nonce(&page);
        let code = code(&asked);
        let form = [("nonce", nonce.as_str()), ("action", action), ("session_code", &code)];
        let post = world.call(Method::POST, &page).key(None).idempotency(None).form(&form);
        let post = post.header("user-agent", "Mozilla/5.0 (visitor)").from("visit-1", CUSTOMER);
        post.send().ok(303);
        world.run_until_idle();
        let seen = caller(&world, &asked, kind);
        let expected = json!({
            "call": "visit-1", "source": CUSTOMER.to_string(), "user_agent": "Mozilla/5.0 (visitor)",
        });
        assert_eq!(seen, expected);
        let event = format!("event=\"{event}\"");
        assert_eq!(count(&world, &[&event, "call=\"visit-1\""]), 1, "{:#?}", stream(&world));
        world.time_passes(3_600);
    }
    assert!(!world.logs().contains(&CUSTOMER.to_string()));
    assert!(!world.logs().contains("(visitor)"));
}

#[test]
fn refusals_are_audited_by_status_call_and_source() {
    let world = World::builder().with("/policy", &json!({ "prompts_per_ten_minutes": 1 })).build();
    let body = world.payment(PHONE, 4250);
    let send = |key: &str, body: &Value, call: &str| {
        let create = world.call(Method::POST, "/v1/requests").key(key).json(body);
        create.from(call, REQUESTER).send().status
    };
    let strange = format!("{TEST_KEY}x");
    assert_eq!(send(&strange, &body, "bad-key"), 401);
    assert_eq!(send("sk_test_absent_0123456789abcdef", &body, "no-brand"), 401);
    let mut premium = body.clone();
    premium["customer"]["phone"] = json!("+9791234567");
    assert_eq!(send(TEST_KEY, &premium, "premium"), 403);
    assert_eq!(send(TEST_KEY, &body, "first"), 201);
    assert_eq!(send(TEST_KEY, &body, "too-often"), 429);
    assert_eq!(send(OTHER_KEY, &json!({}), "invalid"), 400);
    let forged = world.call(Method::POST, "/callbacks/demo/sms").key(None).body("From=%2B1555");
    let forged = forged.from("forged", REQUESTER).send().status;
    assert_eq!(forged, 403);
    let source = format!("source={REQUESTER}");
    for (call, status) in
        [("bad-key", 401), ("no-brand", 401), ("premium", 403), ("too-often", 429), ("forged", 403)]
    {
        let (status, call) = (format!("status={status}"), format!("call=\"{call}\""));
        let parts = ["event=\"refused\"", &status, &call, &source];
        assert_eq!(count(&world, &parts), 1, "{call} {:#?}", stream(&world));
    }
    world.run_until_idle();
    let digest = format!("key_digest=\"{}\"", &digest_hex(strange.as_bytes())[..16]);
    assert_eq!(count(&world, &["brand=\"demo\"", &digest]), 1, "{:#?}", stream(&world));
    for call in ["invalid", "first"] {
        assert_eq!(count(&world, &["refused", &format!("call=\"{call}\"")]), 0, "{call}");
    }
    assert!(stream(&world).iter().all(|line| !line.contains("5551230001")));
}

#[test]
fn money_is_audited_once_for_each_act() {
    let world = World::new();
    let asked = world.asks(4250);
    world.customer().approves().ok(200);
    world.run_until_idle();
    world.post(&format!("{}/refund", asked.path), &json!({})).ok(202);
    world.run_until_idle();
    for event in ["asked", "approved", "fulfilled", "refund_asked", "refunded"] {
        let parts = [format!("event=\"{event}\""), format!("request={}", asked.id)];
        assert_eq!(count(&world, &[&parts[0], &parts[1], "mode=\"test\""]), 1, "{event}");
    }
}

#[test]
fn report_of_a_browser_is_logged_without_its_address() {
    let world = World::new();
    world.asks(4250);
    let page = world.customer().newest().page;
    let answer = world.customer().opens(&page);
    let policy = answer.header("content-security-policy").to_owned();
    let path = policy.split("report-uri ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(answer.header("reporting-endpoints"), format!("csp=\"{path}\""));
    let reports = json!([{ "type": "csp-violation", "url": format!("https://pay.example{page}"), "body": {
        "documentURL": format!("https://pay.example{page}"), "effectiveDirective": "script-src-elem",
        "blockedURL": "https://evil.example/steal.js?card=4242424242424242",
    } }]);
    let send = |body: String| {
        let post = world.call(Method::POST, &path).key(None).idempotency(None);
        post.header("content-type", "application/reports+json").body(body).send().status
    };
    assert_eq!(send(reports.to_string()), 204);
    let parts = ["content_blocked", "script-src-elem", "https://evil.example"];
    assert_eq!(count(&world, &parts), 1, "{:#?}", stream(&world));
    assert!(!world.logs().contains("steal.js") && !world.logs().contains("4242424242"));
    assert_eq!(send("{}".to_owned()), 400);
    assert_eq!(send("x".repeat(17 * 1024)), 413);
    for _ in 0..100 {
        assert_eq!(send(reports.to_string()), 204);
    }
    assert_eq!(count(&world, &parts), 30);
    world.run_until_idle();
}
