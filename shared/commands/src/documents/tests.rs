//! Documents in a stand-in for Secrets Manager.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clap::Parser;
use http::{Request, Response};
use ports::{Http, HttpError, Reach};
use serde_json::{Value, json};

use crate::doubles::{CapturedOutput, Line, Machine};
use crate::{Context, Exit, Output};

/// The secrets by name, each with the number of its version, and the error that every call gets.
#[derive(Default)]
struct SecretsManager {
    secrets: Mutex<BTreeMap<String, (u64, String)>>,
    refuses: Mutex<Option<&'static str>>,
    /// Changes the secret between two reads, as another process would.
    is_racing: Mutex<bool>,
}

#[async_trait]
impl Http for SecretsManager {
    async fn call(
        &self,
        request: Request<Bytes>,
        _: Reach,
        _: Duration,
    ) -> Result<Response<Bytes>, HttpError> {
        assert_eq!(request.headers()["authorization"], "signed for secretsmanager in eu-west-1");
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let answer = |status: u16, value: Value| {
            Ok(Response::builder().status(status).body(value.to_string().into()).unwrap())
        };
        if let Some(kind) = *self.refuses.lock().unwrap() {
            return answer(400, json!({ "__type": kind }));
        }
        let mut secrets = self.secrets.lock().unwrap();
        let name = body["SecretId"].as_str().or(body["Name"].as_str()).unwrap().to_owned();
        let known = secrets.get(&name).cloned();
        let is_write = body["SecretString"].is_string();
        assert!(!is_write || body["ClientRequestToken"].as_str().unwrap().len() >= 32);
        let text = body["SecretString"].as_str().unwrap_or_default().to_owned();
        match (request.headers()["x-amz-target"].to_str().unwrap(), known) {
            ("secretsmanager.GetSecretValue", Some((version, text))) => {
                if *self.is_racing.lock().unwrap() {
                    secrets.insert(name, (version + 1, text.clone()));
                }
                answer(200, json!({ "SecretString": text, "VersionId": version.to_string() }))
            }
            ("secretsmanager.PutSecretValue", Some((version, _))) => {
                secrets.insert(name, (version + 1, text));
                answer(200, json!({}))
            }
            ("secretsmanager.CreateSecret", None) => {
                secrets.insert(name, (1, text));
                answer(200, json!({}))
            }
            ("secretsmanager.CreateSecret", Some(_)) => {
                answer(400, json!({ "__type": "ResourceExistsException" }))
            }
            _ => answer(400, json!({ "__type": "com.amazonaws#ResourceNotFoundException" })),
        }
    }
}

/// Runs a command on the brand `acme` in Secrets Manager. Returns the exit code and what it printed.
fn run(http: &Arc<SecretsManager>, arguments: &[&str]) -> (Exit, Value) {
    let printed = CapturedOutput::default();
    let machine = Arc::new(Machine(Mutex::new(u8::try_from(arguments.len()).unwrap())));
    let context = Context {
        http: Arc::<SecretsManager>::clone(http),
        clock: Arc::<Machine>::clone(&machine),
        random: Arc::<Machine>::clone(&machine),
        signer: Some(machine),
        variable: |name| (name == "AWS_REGION").then(|| "eu-west-1".to_owned()),
        adapters: |_, _| Err("no adapters".into()),
        openapi: "",
        command_line: clap::Command::default,
        output: Arc::new(Output::new(true, Box::new(printed.clone()), Box::new(std::io::sink()))),
    };
    let place = ["--secrets", "aws", "--prefix", "shop"];
    let line = Line::parse_from([&["assent"], arguments, &place].concat());
    let exit = pollster::block_on(crate::run(&context, line.command));
    let printed = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
    (exit, serde_json::from_str(&printed).unwrap())
}

#[test]
fn brand_in_secrets_manager_is_made_listed_and_rotated() {
    let aws = Arc::new(SecretsManager::default());
    let (exit, made) = run(&aws, &["brand", "new", "acme"]);
    assert_eq!(exit, Exit::Done, "{made}");
    let names: Vec<String> = aws.secrets.lock().unwrap().keys().cloned().collect();
    let expected = ["brand", "channels", "claims", "consent", "processors"];
    assert_eq!(names, expected.map(|document| format!("shop/{document}/acme")));
    let (exit, again) = run(&aws, &["brand", "new", "acme"]);
    assert_eq!((exit, &again["error"]["code"]), (Exit::Refused, &json!("brand-exists")));
    let (exit, key) = run(&aws, &["key", "new", "--brand", "acme", "--id", "key_two"]);
    assert_eq!(exit, Exit::Done, "{key}");
    let (_, listed) = run(&aws, &["key", "list", "--brand", "acme"]);
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2);
    let text = aws.secrets.lock().unwrap()["shop/brand/acme"].1.clone();
    assert!(!text.contains(key["key"].as_str().unwrap()));
    let (exit, rotated) = run(&aws, &["rotate", "sealing", "--brand", "acme"]);
    assert_eq!(exit, Exit::Done, "{rotated}");
    let versions: Vec<u64> =
        aws.secrets.lock().unwrap().values().map(|(version, _)| *version).collect();
    assert_eq!(versions, [2, 1, 1, 2, 2], "only what changed is written");
    // A brand without webhooks has no secret to rotate.
    let (exit, none) = run(&aws, &["rotate", "webhook", "--brand", "acme"]);
    assert_eq!((exit, &none["error"]["code"]), (Exit::Failed, &json!("no-such-key")));
}

#[test]
fn brand_of_a_known_deployment_has_its_identity_provider() {
    let aws = Arc::new(SecretsManager::default());
    let bad = ["brand", "new", "acme", "--api", "pay.example"];
    assert_eq!(run(&aws, &bad).0, Exit::Usage);
    let (exit, made) = run(&aws, &["brand", "new", "acme", "--api", "https://pay.example/"]);
    assert_eq!(exit, Exit::Done, "{made}");
    let text = aws.secrets.lock().unwrap()["shop/brand/acme"].1.clone();
    let brand: Value = serde_json::from_str(&text).unwrap();
    let identity = &brand["test"]["processors"][1];
    assert_eq!(identity["kind"], "openid");
    assert_eq!(identity["settings"]["issuer"], "https://pay.example/sandbox/identity");
}

#[test]
fn refusals_of_secrets_manager_are_named() {
    let aws = Arc::new(SecretsManager::default());
    let (exit, absent) = run(&aws, &["key", "list", "--brand", "acme"]);
    assert_eq!((exit, &absent["error"]["code"]), (Exit::Refused, &json!("document-missing")));
    let (exit, unnamed) = run(&aws, &["key", "list"]);
    assert_eq!(exit, Exit::Usage, "{unnamed}");
    run(&aws, &["brand", "new", "acme"]);
    *aws.is_racing.lock().unwrap() = true;
    let (exit, raced) = run(&aws, &["rotate", "consent", "--brand", "acme"]);
    assert_eq!((exit, &raced["error"]["code"]), (Exit::Refused, &json!("changed-meanwhile")));
    *aws.refuses.lock().unwrap() = Some("AccessDeniedException");
    let (exit, denied) = run(&aws, &["key", "list", "--brand", "acme"]);
    assert_eq!(exit, Exit::Refused);
    assert!(denied["error"]["remedy"].as_str().unwrap().contains("GetSecretValue"), "{denied}");
}
