//! Tests of a secret that is split into documents.

use serde_json::json;

use super::*;
use crate::api_key::KeySettings;
use crate::branding::Branding;

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// The document that every function reads.
fn shared() -> Value {
    json!({
        "version": "1", "name": "acme", "display_name": "Acme", "keys": [], "address_key": KEY,
        "test": {
            "channels": [{ "name": "sms", "kind": "sms", "settings": {
                "from": "+15005550006", "auth_token": { "in": "channels" },
            } }],
            "processors": [{ "name": "stripe", "kind": "stripe", "settings": {
                "secret_key": { "in": "processors" }, "webhook_secrets": { "in": "consent" },
                "apple_pay": { "country": "DE", "key": { "in": "consent" } },
            } }],
            "webhooks": { "url": "https://shop.example", "secrets": { "in": "processors" } },
        },
    })
}

fn ring() -> Value {
    json!({ "current": "a", "keys": { "a": KEY } })
}

/// Returns the public half of the private key [`KEY`].
fn public_key() -> String {
    let private = Brand::parse(
        &json!({
            "version": "1", "name": "acme", "display_name": "Acme", "keys": [], "sealing": ring(),
            "address_key": KEY, "link_key": KEY,
        })
        .to_string(),
    );
    STANDARD.encode(private.unwrap().sealing_public.unwrap().keys["a"].bytes())
}

fn other(document: Document) -> Value {
    let mut text = match document {
        Document::Channels => json!({
            "link_key": KEY, "test": { "channels": { "sms": { "auth_token": "tw1l10" } } },
        }),
        Document::Claims => json!({ "claims": ring() }),
        Document::Consent => json!({
            "link_key": KEY, "consent": ring(),
            "sealing_public": { "current": "a", "keys": { "a": public_key() } },
            "test": { "processors": { "stripe": {
                "webhook_secrets": ["whsec_1"], "apple_pay": { "key": "p3m" },
            } } },
        }),
        Document::Processors => json!({
            "sealing": ring(),
            "test": {
                "processors": { "stripe": { "secret_key": "sk_test_s3cret" } },
                "webhooks": { "secrets": ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"] },
            },
        }),
    };
    text["version"] = json!("1");
    text["name"] = json!("acme");
    text
}

fn assemble(documents: &[Document]) -> Result<Brand, InvalidDocuments> {
    assemble_with(&shared(), documents, |_, _| {})
}

fn assemble_with(
    brand: &Value,
    documents: &[Document],
    change: impl Fn(Document, &mut Value),
) -> Result<Brand, InvalidDocuments> {
    let texts = documents.iter().map(|document| {
        let mut text = other(*document);
        change(*document, &mut text);
        (*document, Zeroizing::new(text.to_string()))
    });
    Brand::assemble(&brand.to_string(), &texts.collect())
}

/// Returns a setting of the channel and of the processor as an adapter reads them.
fn settings(brand: &Brand) -> [Value; 2] {
    let setup = &brand.test;
    [&setup.channels[0].settings, &setup.processors[0].settings]
        .map(|settings| settings.read::<Value>().unwrap())
}

#[test]
fn intake_reads_no_credential() {
    let brand = assemble(&[Document::Claims]).unwrap();
    let [sms, stripe] = settings(&brand);
    assert_eq!(sms, json!({ "from": "+15005550006", "auth_token": WITHHELD }));
    assert_eq!(stripe["secret_key"], WITHHELD);
    assert_eq!(stripe["apple_pay"], json!({ "country": "DE", "key": WITHHELD }));
    assert!(brand.test.webhooks.unwrap().secrets.is_empty());
    assert!(brand.claims.is_some() && brand.consent.is_none() && brand.sealing.is_none());
    // A link that intake computes is no customer's.
    assert_ne!(brand.link_key.bytes(), assemble(&[Document::Channels]).unwrap().link_key.bytes());
}

#[test]
fn each_function_reads_the_credentials_of_its_documents() {
    let sending = assemble(&[Document::Channels]).unwrap();
    assert_eq!(settings(&sending)[0]["auth_token"], "tw1l10");
    assert_eq!(settings(&sending)[1]["secret_key"], WITHHELD);
    assert!(sending.sealing_public.is_none() && sending.claims.is_none());
    let answering = assemble(&[Document::Channels, Document::Consent]).unwrap();
    let [sms, stripe] = settings(&answering);
    assert_eq!((&sms["auth_token"], &stripe["secret_key"]), (&json!("tw1l10"), &json!(WITHHELD)));
    assert_eq!(stripe["webhook_secrets"], json!(["whsec_1"]));
    assert!(answering.sealing.is_none() && answering.sealing_public.is_some());
    let fetching = assemble(&[Document::Consent, Document::Processors, Document::Claims]).unwrap();
    let [sms, stripe] = settings(&fetching);
    assert_eq!(
        (&sms["auth_token"], &stripe["secret_key"]),
        (&json!(WITHHELD), &json!("sk_test_s3cret"))
    );
    assert_eq!(stripe["apple_pay"]["key"], "p3m");
    assert!(fetching.sealing.is_some() && fetching.claims.is_some());
    assert_eq!(fetching.test.webhooks.unwrap().secrets.len(), 1);
}

#[test]
fn error_names_the_document_and_the_setting() {
    type Change = fn(Document, &mut Value);
    let all = Document::ALL;
    let cases: [(&str, Change); 7] = [
        (
            "document `channels` has another name or version than the document `brand`",
            |at, text| {
                if at == Document::Channels {
                    text["name"] = json!("other");
                }
            },
        ),
        ("document `consent`: setting `consent` is missing", |at, text| {
            if at == Document::Consent {
                text.as_object_mut().unwrap().remove("consent");
            }
        }),
        (
            "document `claims`: unknown setting beside `version`, `name`, `test`, `live` and its keys",
            |at, text| {
                if at == Document::Claims {
                    text["s3cret"] = json!(1);
                }
            },
        ),
        (
            "document `processors`: setting `test.processors.stripe.secret_key` is missing, to which the document `brand` refers",
            |at, text| {
                if at == Document::Processors {
                    text["test"]["processors"]["stripe"] = json!({});
                }
            },
        ),
        (
            "document `processors`: the document `brand` does not refer to a setting in `test`",
            |at, text| {
                if at == Document::Processors {
                    text["test"]["processors"]["strpie"] = json!({ "secret_key": "s3cret" });
                }
            },
        ),
        (
            "the documents `channels` and `consent` hold different settings `link_key`",
            |at, text| {
                if at == Document::Consent {
                    text["link_key"] = json!("oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8=");
                }
            },
        ),
        ("setting `claims.keys.a` is invalid: a key is 32 bytes in base64", |at, text| {
            if at == Document::Claims {
                text["claims"]["keys"]["a"] = json!("s3cret");
            }
        }),
    ];
    for (expected, change) in cases {
        let error = assemble_with(&shared(), &all, change).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    assert!(assemble(&all).is_ok());
}

#[test]
fn member_that_comes_twice_is_refused() {
    let twice = shared().to_string().replacen('{', r#"{"policy":{},"policy":{},"#, 1);
    let error = Brand::assemble(&twice, &BTreeMap::new()).unwrap_err().to_string();
    assert_eq!(error, "setting `policy` is invalid: expected once");
}

#[test]
fn key_that_few_may_read_is_refused_in_the_shared_document() {
    for key in ["claims", "consent", "link_key", "sealing", "sealing_public"] {
        let mut brand = shared();
        brand[key] = json!(KEY);
        let error = assemble_with(&brand, &Document::ALL, |_, _| {}).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("document `brand`: `{key}` belongs into another document")
        );
    }
    let mut brand = shared();
    brand["test"]["channels"][0]["settings"]["auth_token"]["in"] = json!("somewhere");
    let error = assemble_with(&brand, &Document::ALL, |_, _| {}).unwrap_err();
    let expected =
        "document `brand`: setting `test.channels.sms.auth_token` is in no known document";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn public_key_of_another_pair_is_refused() {
    let other_public = |at: Document, text: &mut Value| {
        if at == Document::Consent {
            text["sealing_public"]["keys"]["a"] = json!(KEY);
        }
    };
    let error = assemble_with(&shared(), &Document::ALL, other_public).unwrap_err().to_string();
    assert_eq!(error, "the public sealing key `a` does not belong to a private key of that id");
}

#[test]
fn documented_example_is_a_brand() {
    let page = include_str!("../../../../functions/brand-secret.md");
    let blocks = page.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap());
    let filled = |block: &str| {
        let block = block.replace("<public key, base64>", &public_key());
        let block = block.replace("<SHA-256 of the whole key's text, in hex>", &"0".repeat(64));
        let key = ["<32 bytes, base64>", "<private key, base64>", "<the same>"];
        key.iter().fold(block, |block, name| block.replace(name, KEY))
    };
    let texts: Vec<String> = blocks.map(filled).collect();
    let [brand, channels, consent, processors, claims, branding, key] = &texts[..] else {
        panic!("{texts:?}")
    };
    assert!(serde_json::from_str::<KeySettings>(key).unwrap().is_restricted());
    let mut branding: Value = serde_json::from_str(branding).unwrap();
    // The example leaves the picture out.
    branding["branding"].as_object_mut().unwrap().remove("logo").unwrap();
    let branding: Branding = serde_json::from_value(branding["branding"].clone()).unwrap();
    assert!(branding.accent.is_some());
    let others = [
        (Document::Channels, channels),
        (Document::Consent, consent),
        (Document::Processors, processors),
        (Document::Claims, claims),
    ];
    let others = others.map(|(document, text)| (document, Zeroizing::new(text.clone())));
    let brand = Brand::assemble(brand, &others.into()).unwrap();
    assert_eq!(brand.name.as_str(), "acme");
}
