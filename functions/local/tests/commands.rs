//! Runs the real program for each command, and checks what it prints and the code that it exits with.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::fs;

use serde_json::{Value, json};

use crate::program::{RunningProgram, assent, assent_with, folder};

/// Makes a brand in a folder, and returns its key.
fn brand(data: &str) -> String {
    let made =
        assent(&["brand", "new", "acme", "--display-name", "Acme Ltd", "--data", data, "--json"]);
    assert_eq!(made.code, 0, "{made:?}");
    made.json()["key"].as_str().unwrap().to_owned()
}

fn document(data: &str, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(format!("{data}/{name}.json")).unwrap()).unwrap()
}

#[test]
fn brand_new_serves_the_first_paid_request() {
    let folder = folder();
    let data = folder.path().to_str().unwrap();
    let key = brand(data);
    for name in ["brand", "channels", "claims", "consent", "processors"] {
        let text = fs::read_to_string(format!("{data}/{name}.json")).unwrap();
        assert!(!text.contains(&key), "{name} holds the key itself");
    }
    let again = assent(&["brand", "new", "acme", "--data", data, "--json"]);
    assert_eq!((again.code, &again.json()["error"]["code"]), (1, &json!("brand-exists")));
    let served = RunningProgram::start(data);
    assert_eq!(served.key, key);
    let access = ["--api", served.api.as_str(), "--data", data, "--json"];
    let with_access = |arguments: &[&str]| assent(&[arguments, &access].concat());
    let paid = with_access(&["trigger", "request.fulfilled"]);
    assert_eq!(paid.code, 0, "{paid:?}");
    assert_eq!(paid.json()["request"]["state"], "fulfilled");
    let id = paid.json()["request"]["id"].as_str().unwrap().to_owned();
    let got = with_access(&["request", "get", &id]);
    assert_eq!((got.code, &got.json()["outcome"]["kind"]), (0, &json!("fulfilled")));
    let watched = with_access(&["request", "watch", &id]);
    assert_eq!((watched.code, &watched.json()["state"]), (0, &json!("fulfilled")));
    let well = assent(&["doctor", "--public-url", &served.api, "--data", data, "--json"]);
    assert_eq!((well.code, &well.json()["ok"]), (0, &json!(true)), "{well:?}");
    let findings = well.json()["findings"].as_array().unwrap().clone();
    let client = findings.iter().find(|finding| finding["check"] == "client").unwrap();
    assert_eq!(client["verdict"], "works", "{client}");
    assert!(well.err.contains("-> GET") && well.err.contains("/openapi.json"), "{well:?}");
}

#[test]
fn request_commands_create_watch_and_cancel() {
    let folder = folder();
    let data = folder.path().to_str().unwrap();
    brand(data);
    let served = RunningProgram::start(data);
    let access = ["--api", served.api.as_str(), "--data", data, "--json"];
    let with_access = |arguments: &[&str]| assent(&[arguments, &access].concat());
    let ask = ["request", "create", "--phone", "+15551230001", "--amount", "4250"];
    let repeatable = [&ask[..], &["--session", "call-1", "--idempotency-key", "k1"]].concat();
    let made = with_access(&repeatable);
    assert_eq!(made.code, 0, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(with_access(&repeatable).json()["id"], id.as_str());
    let twice = with_access(&ask);
    assert_eq!((twice.code, &twice.json()["error"]["code"]), (4, &json!("duplicate-open-request")));
    let allowed = with_access(&[&ask[..], &["--allow-duplicate"]].concat());
    assert_eq!(allowed.code, 0, "{allowed:?}");
    let open = with_access(&["request", "watch", &id, "--seconds", "0"]);
    assert_eq!(open.code, 7, "{open:?}");
    let cancelled = with_access(&["request", "cancel", &id]);
    assert_eq!((cancelled.code, &cancelled.json()["state"]), (0, &json!("cancelled")));
    assert_eq!(with_access(&["request", "watch", &id]).code, 6);
    let refused = with_access(&["request", "create", "--phone", "0", "--amount", "1"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("/customer/phone"));
    let absent = with_access(&["request", "get", "req_01JBCDEFGHJKMNPQRSTVWXYZ01"]);
    assert_eq!((absent.code, &absent.json()["error"]["code"]), (4, &json!("not-found")));
    assert_eq!(with_access(&["request", "get", "../keys"]).code, 2);
}

#[test]
fn each_listed_event_is_made_at_the_sandbox() {
    let folder = folder();
    let data = folder.path().to_str().unwrap();
    brand(data);
    let served = RunningProgram::start(data);
    let listed = assent(&["trigger", "--list", "--json"]).json();
    let events: Vec<&str> =
        listed["events"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()).collect();
    assert!(events.len() >= 16, "{events:?}");
    let mut runs = Vec::new();
    for (number, event) in events.iter().enumerate() {
        // A number of its own, as a customer is not asked without limit.
        let phone = format!("+1555123{:04}", 100 + number);
        let arguments =
            ["trigger", event, "--phone", &phone, "--api", &served.api, "--data", data, "--json"];
        runs.push((event, program::begin(&arguments)));
    }
    for (event, run) in runs {
        let made = program::end(run);
        assert_eq!(made.code, 0, "{event}: {made:?}");
        assert_eq!(made.json()["event"], **event);
    }
    let webhooks = served.webhooks();
    for event in events {
        assert!(webhooks.iter().any(|webhook| webhook == event), "{event} of {webhooks:?}");
    }
    let unknown = assent(&["trigger", "request.lost", "--data", data, "--json"]);
    assert_eq!(unknown.code, 2);
}

#[test]
fn key_commands_make_list_and_revoke() {
    let folder = folder();
    let data = folder.path().to_str().unwrap();
    let first = brand(data);
    let desk = [
        "key",
        "new",
        "--id",
        "key_madrid",
        "--label",
        "desk Madrid",
        "--kind",
        "human",
        "--may",
        "request,read",
        "--amount-max",
        "EUR=50000",
        "--own-sessions",
        "--data",
        data,
        "--json",
    ];
    let made = assent(&desk);
    assert_eq!(made.code, 0, "{made:?}");
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("rk_test_acme_"), "{key}");
    assert_eq!(assent(&desk).code, 1, "an id names one key");
    let listed = assent(&["key", "list", "--data", data, "--json"]);
    assert!(!listed.out.contains(&key) && !listed.out.contains("sha256"), "{listed:?}");
    let keys = listed.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2);
    assert_eq!(
        (&keys[1]["id"], &keys[1]["may"]),
        (&json!("key_madrid"), &json!(["request", "read"]))
    );
    let served = RunningProgram::start(data);
    let create = |key: &str, amount: &str| {
        let arguments = [
            "request",
            "create",
            "--phone",
            "+15551230001",
            "--amount",
            amount,
            "--api",
            &served.api,
            "--json",
        ];
        assent_with(&arguments, &[("ASSENT_KEY", key)], "").code
    };
    assert_eq!((create(&key, "4250"), create(&first, "4300")), (0, 0));
    let revoked = assent(&["key", "revoke", "key_madrid", "--data", data, "--json"]);
    assert_eq!((revoked.code, &revoked.json()["keys_left"]), (0, &json!(1)));
    assert_eq!((create(&key, "4350"), create(&first, "4400")), (4, 0));
    assert_eq!(assent(&["key", "revoke", "key_madrid", "--data", data]).code, 1);
    let right = assent(&["key", "new", "--may", "everything", "--data", data, "--json"]);
    let message = right.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(right.code == 1 && message.contains("keys[1].may[0]"), "{right:?}");
}

#[test]
fn rotation_keeps_the_old_keys_until_they_are_retired() {
    let folder = folder();
    let data = folder.path().to_str().unwrap();
    brand(data);
    let before = ["processors", "consent", "claims"].map(|name| document(data, name));
    for what in ["sealing", "consent", "claims", "webhook"] {
        let done = assent(&["rotate", what, "--data", data, "--json"]);
        assert_eq!((done.code, &done.json()["old"]), (0, &json!(1)), "{what}: {done:?}");
    }
    let [processors, consent, claims] =
        ["processors", "consent", "claims"].map(|name| document(data, name));
    for (document, old, ring) in [
        (&processors, &before[0], "sealing"),
        (&consent, &before[1], "sealing_public"),
        (&consent, &before[1], "consent"),
        (&claims, &before[2], "claims"),
    ] {
        assert_eq!(document[ring]["keys"]["k1"], old[ring]["keys"]["k1"], "{ring}");
        let current = document[ring]["current"].as_str().unwrap();
        assert!(current != "k1" && document[ring]["keys"][current].is_string(), "{ring}");
    }
    assert_eq!(processors["sealing"]["current"], consent["sealing_public"]["current"]);
    let secrets = processors["test"]["webhooks"]["secrets"].as_array().unwrap();
    assert_eq!((secrets.len(), &secrets[1]), (2, &before[0]["test"]["webhooks"]["secrets"][0]));
    assert_eq!(assent(&["brand", "check", "--data", data]).code, 0);
    assert_eq!(assent(&["rotate", "sealing", "--retire-old", "--data", data]).code, 2);
    for arguments in [&["sealing", "--yes"][..], &["consent"], &["claims"], &["webhook"]] {
        let arguments =
            [&["rotate"], arguments, &["--retire-old", "--data", data, "--json"]].concat();
        let done = assent(&arguments);
        assert_eq!((done.code, &done.json()["old"]), (0, &json!(0)), "{done:?}");
    }
    let processors = document(data, "processors");
    assert_eq!(processors["sealing"]["keys"].as_object().unwrap().len(), 1);
    assert_eq!(processors["test"]["webhooks"]["secrets"][0], secrets[0]);
    assert_eq!(assent(&["brand", "check", "--data", data]).code, 0);
}

#[test]
fn brand_check_names_the_field_and_quotes_nothing() {
    let folder = folder();
    let data = folder.path().to_str().unwrap();
    brand(data);
    let path = format!("{data}/brand.json");
    let good = document(data, "brand");
    let check_with = |change: &dyn Fn(&mut Value)| {
        let mut changed = good.clone();
        change(&mut changed);
        fs::write(&path, changed.to_string()).unwrap();
        let checked = assent(&["brand", "check", "--data", data, "--json"]);
        assert_eq!(checked.code, 5, "{checked:?}");
        assert!(!checked.out.contains("s3cret") && !checked.err.contains("s3cret"), "{checked:?}");
        checked.json()
    };
    let misspelt = check_with(&|brand| brand["displayname"] = json!("s3cret"));
    assert!(
        misspelt["error"]["message"].as_str().unwrap().contains("unknown setting"),
        "{misspelt}"
    );
    let sms = json!({ "name": "sms", "kind": "sms", "settings": {
        "provider": "twilio", "account_sid": "AC0", "auth_token": "s3cret", "form": "+15005550006",
    } });
    let channel = check_with(&|brand| brand["test"]["channels"][3] = sms.clone());
    assert_eq!(channel["faults"][0]["place"], "test.channels.sms", "{channel}");
    let stripe = json!([{ "name": "stripe", "kind": "stripe", "settings": { "secret_key": "sk_live_s3cret" } }]);
    let processor = check_with(&|brand| brand["test"]["processors"] = stripe.clone());
    let fault = &processor["faults"][0];
    assert_eq!(fault["place"], "test.processors.stripe", "{processor}");
    assert!(
        fault["message"].as_str().unwrap().contains("secret_key is not one of this mode"),
        "{fault}"
    );
    let absent = assent(&["brand", "check", "--data", "/nonexistent/assent", "--json"]);
    assert_eq!(absent.code, 1);
}

#[test]
fn openapi_completions_and_help_are_printed() {
    let printed = assent(&["openapi"]);
    assert_eq!((printed.code, &printed.json_document()["openapi"]), (0, &json!("3.1.1")));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let printed = assent(&["completions", shell]);
        assert!(printed.code == 0 && printed.out.contains("assent"), "{shell}");
        assert!(printed.out.contains("rotate"), "{shell}");
    }
    let help = assent(&["--help"]);
    for word in ["brand", "key", "rotate", "trigger", "request", "openapi", "Exit codes"] {
        assert!(help.out.contains(word), "{word}: {}", help.out);
    }
    assert_eq!(assent(&["reqest"]).code, 2);
}

#[test]
fn key_is_read_from_a_file_or_standard_input_only() {
    let folder = folder();
    let data = folder.path().to_str().unwrap();
    let none = assent(&["request", "get", "req_1", "--data", data, "--json"]);
    assert_eq!((none.code, &none.json()["error"]["code"]), (2, &json!("no-key")));
    let dead = ["request", "get", "req_1", "--api", "http://127.0.0.1:9", "--data", data, "--json"];
    let from_input = [&dead[..], &["--key-file", "-"]].concat();
    let called = assent_with(&from_input, &[], "sk_test_acme_0123456789abcdef\n");
    assert_eq!((called.code, &called.json()["error"]["code"]), (3, &json!("no-answer")));
    assert!(!called.out.contains("0123456789abcdef"), "{called:?}");
    assert_eq!(assent(&["request", "get", "req_1", "--key", "sk_test_acme_0"]).code, 2);
}

/// The instance of Connect and the bot of Lex in the events of `events/agents`.
const CALLERS: [&str; 2] = [
    "arn:aws:connect:eu-west-1:123456789012:instance/0c3e1f6a-6a1b-4d2f-9d1e-1f2a3b4c5d6e",
    "arn:aws:lex:eu-west-1:123456789012:bot-alias/BOTID12345/ALIASID123",
];

#[test]
fn invoke_hands_a_contact_flows_event_to_the_machine() {
    let folder = folder();
    let data = folder.path().to_str().unwrap();
    brand(data);
    let served = RunningProgram::start(data);
    let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/agents");
    let invoke = |name: &str| {
        let event = format!("{events}/{name}.json");
        assent(&["invoke", &event, "--api", &served.api, "--data", data, "--json"])
    };
    let unknown = invoke("connect-ask");
    assert_eq!((unknown.code, &unknown.json()["error"]), (0, &json!("unauthenticated")));
    let path = format!("{data}/brand.json");
    let mut listed = document(data, "brand");
    let flow = json!({ "id": "key_flow", "mode": "test", "kind": "ivr", "may": ["request", "read"], "callers": CALLERS });
    listed["keys"].as_array_mut().unwrap().push(flow);
    fs::write(&path, listed.to_string()).unwrap();
    let asked = invoke("connect-ask");
    assert_eq!((asked.code, &asked.json()["ok"]), (0, &json!("true")), "{asked:?}");
    let again = invoke("connect-ask");
    assert_eq!(again.json()["id"], asked.json()["id"], "a repeated step asks nothing again");
    let spoken = invoke("lex-ask");
    assert_eq!(spoken.code, 0, "{spoken:?}");
    assert!(spoken.json()["sessionState"].is_object(), "{spoken:?}");
    let none = assent_with(
        &["invoke", "-", "--api", &served.api, "--data", data, "--json"],
        &[],
        "{\"Records\": []}",
    );
    assert_eq!((none.code, &none.json()["error"]["code"]), (4, &json!("invalid-request")));
    let stranger = assent_with(
        &["invoke", "-", "--api", &served.api, "--data", data, "--json"],
        &[("ASSENT_KEY", "sk_test_acme_wrong")],
        "{}",
    );
    assert_eq!((stranger.code, &stranger.json()["error"]["code"]), (4, &json!("unauthenticated")));
}
