//! Every credential meets every described operation. A new operation fails here until it has a row.

use std::collections::BTreeSet;

use domain::api_key::Right;
use domain::digest::digest_hex;
use http::Method;
use serde_json::{Value, json};
use tests::openapi::operations;
use tests::world::brand::{LIVE_KEY, OTHER_KEY, RESTRICTED_KEY, TEST_KEY};
use tests::world::{Answer, CreatedRequest, PHONE, World};

const CARD: &str = "crd_01M844DZG03XCBJ52V4K8GHNXC";
const ORIGIN: &str = "https://crm.example.com";

/// A row of the table.
struct Row {
    operation: &'static str,
    /// The right that a key needs.
    right: Right,
    /// Whether a client token of the request or its session may do it.
    is_for_clients: bool,
    /// Whether the answer to an empty body names the open request.
    shows_request: bool,
}

const fn row(
    operation: &'static str,
    right: Right,
    is_for_clients: bool,
    shows_request: bool,
) -> Row {
    Row { operation, right, is_for_clients, shows_request }
}

const ROWS: [Row; 23] = [
    row("cancelRequest", Right::Request, true, true),
    row("checkCapabilities", Right::Capability, false, false),
    row("createClientToken", Right::Request, false, false),
    row("createRequest", Right::Request, false, false),
    row("endPaymentMethod", Right::Erase, false, false),
    row("eraseCustomer", Right::Erase, false, false),
    row("exportEvidence", Right::Read, false, true),
    row("extendRequest", Right::Request, true, false),
    row("listEvents", Right::Read, false, true),
    row("listRequests", Right::Read, true, true),
    row("previewRequest", Right::Request, false, false),
    row("readBrand", Right::Read, false, false),
    row("readCustomer", Right::Read, false, true),
    row("readEvent", Right::Read, false, true),
    row("readHealth", Right::Read, false, false),
    row("readPaymentMethod", Right::Read, false, false),
    row("readRequest", Right::Read, true, true),
    row("readStatistics", Right::Statistics, false, false),
    row("redeliverEvent", Right::Request, false, true),
    row("redeliverEvents", Right::Request, false, false),
    row("refundRequest", Right::Refund, false, false),
    row("resendPrompt", Right::Request, true, true),
    row("testWebhook", Right::Request, false, false),
];

/// The operations that are about what comes from all sessions.
const OF_ALL_SESSIONS: [&str; 6] = [
    "endPaymentMethod",
    "eraseCustomer",
    "readCustomer",
    "readPaymentMethod",
    "readStatistics",
    "readHealth",
];

/// The credentials of the table.
#[derive(Clone, Copy, Debug)]
enum Credential {
    None,
    Whole,
    OnlyRight(Right),
    OwnSessions,
    Expired,
    OtherBrand,
    OtherMode,
    ClientOfRequest,
    ClientOfSession,
    ClientOfOtherSession,
    ClientElsewhere,
}

/// The answer that a credential gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// The call is handled.
    Handled,
    /// 401.
    Unauthenticated,
    /// 403 `not-allowed-for-key`.
    NotAllowed,
    /// Nothing of the demo brand's request is found.
    Blind,
}

fn credentials() -> Vec<Credential> {
    let mut all = vec![
        Credential::None,
        Credential::Whole,
        Credential::OwnSessions,
        Credential::Expired,
        Credential::OtherBrand,
        Credential::OtherMode,
        Credential::ClientOfRequest,
        Credential::ClientOfSession,
        Credential::ClientOfOtherSession,
        Credential::ClientElsewhere,
    ];
    all.extend(Right::ALL.iter().copied().map(Credential::OnlyRight));
    all
}

fn expected(credential: Credential, row: &Row) -> Access {
    let for_client = |access| if row.is_for_clients { access } else { Access::NotAllowed };
    match credential {
        Credential::None | Credential::Expired | Credential::ClientElsewhere => {
            Access::Unauthenticated
        }
        Credential::Whole => Access::Handled,
        Credential::OnlyRight(right) if right != row.right => Access::NotAllowed,
        // The token reads, so its key must read too.
        Credential::OnlyRight(_) if row.operation == "createClientToken" => Access::NotAllowed,
        Credential::OnlyRight(_) => Access::Handled,
        Credential::OwnSessions if OF_ALL_SESSIONS.contains(&row.operation) => Access::NotAllowed,
        Credential::OwnSessions | Credential::OtherBrand | Credential::OtherMode => Access::Blind,
        Credential::ClientOfRequest | Credential::ClientOfSession => for_client(Access::Handled),
        Credential::ClientOfOtherSession => for_client(Access::Blind),
    }
}

impl Credential {
    /// Returns the restricted key's rights, the requests that it sees, and its end.
    fn restricted(self) -> (Vec<&'static str>, &'static str, Value) {
        let all: Vec<&str> = Right::ALL.iter().map(|right| right.as_str()).collect();
        if let Self::OnlyRight(right) = self {
            (vec![right.as_str()], "all", Value::Null)
        } else if matches!(self, Self::OwnSessions) {
            (all, "own", Value::Null)
        } else {
            (all, "all", json!("2026-12-01T00:00:00.000Z"))
        }
    }

    /// Returns the credential's text.
    fn text(self, world: &World, asked: &CreatedRequest) -> Option<String> {
        let token = |mut body: Value| {
            body["origin"] = json!(ORIGIN);
            let made = world.post("/v1/client_tokens", &body).ok(201).json();
            made["client_token"].as_str().unwrap().to_owned()
        };
        match self {
            Self::None => None,
            Self::Whole => Some(TEST_KEY.to_owned()),
            Self::OnlyRight(_) | Self::OwnSessions | Self::Expired => {
                Some(RESTRICTED_KEY.to_owned())
            }
            Self::OtherBrand => Some(OTHER_KEY.to_owned()),
            Self::OtherMode => Some(LIVE_KEY.to_owned()),
            Self::ClientOfRequest | Self::ClientElsewhere => {
                Some(token(json!({ "request": asked.id })))
            }
            Self::ClientOfSession => Some(token(json!({ "session": "CA123" }))),
            Self::ClientOfOtherSession => Some(token(json!({ "session": "CA999" }))),
        }
    }
}

/// A world with an open request of a whole key.
fn begun(credential: Credential) -> (World, CreatedRequest) {
    let (may, sessions, end) = credential.restricted();
    let digest = |text: &str| digest_hex(text.as_bytes());
    let keys = json!([
        { "mode": "test", "sha256": digest(TEST_KEY) },
        { "mode": "live", "sha256": digest(LIVE_KEY) },
        { "mode": "test", "sha256": digest(RESTRICTED_KEY), "may": may, "sessions": sessions,
            "expires_at": end },
    ]);
    let world = World::builder().with("/keys", &keys).build();
    let asked = world.asks(4250);
    (world, asked)
}

fn answer(world: &World, asked: &CreatedRequest, name: &str, credential: Credential) -> Answer {
    let all = operations();
    let operation = all.into_iter().find(|one| one.value["operationId"] == name).unwrap();
    let id = match operation.path.split('/').nth(2) {
        Some("payment_methods") => CARD.to_owned(),
        Some("events") => {
            let events = world.get("/v1/events").ok(200).json();
            events["events"][0]["id"].as_str().unwrap().to_owned()
        }
        _ => asked.id.clone(),
    };
    let path = operation.path.replace("{id}", &id).replace("{phone}", PHONE);
    let method: Method = operation.method.to_uppercase().parse().unwrap();
    let text = credential.text(world, asked);
    let elsewhere = matches!(credential, Credential::ClientElsewhere);
    let origin = if elsewhere { "https://evil.example.com" } else { ORIGIN };
    let call = world.call(method.clone(), &path).key(text.as_deref()).header("origin", origin);
    let answer = if method == Method::POST { call.json(&json!({})).send() } else { call.send() };
    world.run_until_idle();
    answer
}

/// Returns how a call was answered.
fn access(answer: &Answer, asked: &CreatedRequest) -> Access {
    match answer.status {
        401 => Access::Unauthenticated,
        403 => {
            assert_eq!(answer.json()["code"], "not-allowed-for-key");
            Access::NotAllowed
        }
        200 | 202 if answer.text().contains(&asked.id) => Access::Handled,
        200 | 201 | 202 | 400 | 404 | 409 | 422 => Access::Blind,
        other => panic!("{other}: {}", answer.text()),
    }
}

#[test]
fn every_credential_meets_every_operation_as_listed() {
    let described: BTreeSet<&str> =
        operations().iter().map(|one| one.value["operationId"].as_str().unwrap()).collect();
    let listed: BTreeSet<&str> = ROWS.iter().map(|row| row.operation).collect();
    assert_eq!(described, listed, "each operation has a row");
    for credential in credentials() {
        for row in &ROWS {
            let (world, asked) = begun(credential);
            let answer = answer(&world, &asked, row.operation, credential);
            let shown = access(&answer, &asked);
            let listed = expected(credential, row);
            // Let in, some calls name no request, or its state refuses them.
            let is_bare = listed == Access::Handled && !row.shows_request;
            let expected = if is_bare { Access::Blind } else { listed };
            assert_eq!(shown, expected, "{credential:?} at {}: {}", row.operation, answer.text());
        }
    }
}
