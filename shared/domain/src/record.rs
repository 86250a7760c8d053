//! The export of a request's evidence: a consent record, the text of the ask, and the journal with its hashes.
//!
//! The record has the terms of the W3C Data Privacy Vocabulary for ISO/IEC TS 27560:2023
//! (<https://w3id.org/dpv/guides/consent-27560>, read 2026-11-26). It holds what a request knows. The controller's address,
//! contact, jurisdiction and notice are the brand's to add.

use serde_json::{Value, json};

use crate::ask::{Ask, AskHash};
use crate::consent::{ApprovalMethod, Consent};
use crate::journal::{EntryKind, JournalEntry};
use crate::request::Request;
use crate::values::time::Timestamp;

/// Returns the export of a request and its journal, oldest entry first.
///
/// Each `hash` is SHA-256 over the bytes of `text` in UTF-8. The next entry carries it as `previous`, and the last is `head`.
/// A text with the member `erased` has the hash of the text before its members were erased.
#[must_use]
pub fn export(request: &Request, journal: &[JournalEntry]) -> Value {
    let known = journal.iter().filter(|entry| entry.seq <= request.entries);
    let entries: Vec<&JournalEntry> = known.collect();
    let events = entries.iter().map(|entry| json!({ "text": entry.text(), "hash": entry.hash() }));
    let ask = match request.erased_at {
        // The text had the purpose, which is erased. Its hash stays, since the consent is to it.
        Some(at) => json!({ "hash": request.ask_hash, "erased_at": at }),
        None => {
            let text = AskHash::text(request.id, &request.brand, &request.payee, &request.ask);
            json!({ "text": text, "hash": request.ask_hash })
        }
    };
    json!({
        "record": consent_record(request, &entries),
        "ask": ask,
        "events": events.collect::<Vec<Value>>(),
        "head": request.chain,
    })
}

fn consent_record(request: &Request, journal: &[&JournalEntry]) -> Value {
    let mut notice = json!({
        "@type": "dpv:ConsentNotice",
        "dct:identifier": format!("sha256:{}", request.ask_hash.as_str()),
    });
    if let (Some(notice), Some(language)) = (notice.as_object_mut(), &request.customer.language) {
        notice.insert("dct:language".to_owned(), json!(language));
    }
    let keeps = matches!(request.ask, Ask::PaymentMethod { .. });
    let states = journal.iter().filter_map(|entry| state(entry, keeps));
    json!({
        "@context": { "dpv": "https://w3id.org/dpv#", "dct": "http://purl.org/dc/terms/",
            "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#" },
        "@type": "dpv:ConsentRecord",
        "dct:identifier": request.id,
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
        "dpv:hasDataSubject": { "@type": "dpv:DataSubject", "dct:identifier": request.address },
        "dpv:hasDataController": { "@type": "dpv:DataController", "dct:identifier": request.brand,
            "dpv:hasName": request.payee },
        "dpv:hasProcess": [process(request)],
        "dpv:hasNotice": notice,
        "dpv:hasConsentStatus": states.collect::<Vec<Value>>(),
    })
}

fn process(request: &Request) -> Value {
    let purpose = match &request.ask {
        Ask::Payment { .. } | Ask::PaymentMethod { .. } => "dpv:PaymentManagement",
        Ask::Identity { .. } => "dpv:IdentityVerification",
    };
    let data: Vec<&str> = match &request.ask {
        Ask::Payment { .. } | Ask::PaymentMethod { .. } => vec!["payment_credential"],
        Ask::Identity { claims, .. } => claims.iter().map(|claim| claim.as_str()).collect(),
    };
    let data = data.iter().map(|title| {
        json!({ "@type": "dpv:PersonalData", "dct:title": title, "dpv:hasNecessity": "dpv:Required" })
    });
    let retention = format!("PT{}S", request.retention_seconds);
    json!({
        "@type": "dpv:Process",
        "dpv:hasPurpose": purpose,
        "dct:description": request.ask.description(),
        "dpv:hasPersonalData": data.collect::<Vec<Value>>(),
        "dpv:hasRecipient": [request.processor],
        "dpv:hasStorageCondition": [{ "@type": "dpv:StorageDuration", "dpv:hasDuration": retention }],
    })
}

/// Returns the consent's state after an entry; `None` where the entry does not change it.
fn state(entry: &JournalEntry, keeps: bool) -> Option<Value> {
    let at = entry.at;
    let what = &entry.what;
    if let EntryKind::Approved { consent } = what {
        return Some(given(consent, at));
    }
    let (term, by) = if matches!(what, EntryKind::Accepted) {
        ("dpv:ConsentRequested", "dpv:DataController")
    } else if matches!(what, EntryKind::Denied { .. }) {
        ("dpv:ConsentRefused", "dpv:DataSubject")
    } else if matches!(what, EntryKind::Expired) {
        ("dpv:ConsentExpired", "dpv:DataController")
    } else if matches!(
        what,
        EntryKind::Cancelled | EntryKind::Undeliverable { .. } | EntryKind::Failed { .. }
    ) {
        ("dpv:ConsentInvalidated", "dpv:DataController")
    } else if matches!(what, EntryKind::Fulfilled { .. }) && !keeps {
        // The consent was to one payment or one release, which is done. A saved card stays consented to.
        ("dpv:ConsentTerminated", "dpv:DataController")
    } else {
        return None;
    };
    Some(json!({ "@type": [term], "dpv:isIndicatedBy": by, "dpv:isIndicatedAtTime": at }))
}

fn given(consent: &Consent, at: Timestamp) -> Value {
    let method = match consent.method {
        ApprovalMethod::Page => "form on the consent page",
        ApprovalMethod::SandboxTap => "tap on the sandbox phone",
        ApprovalMethod::Tap => "tap on a button of the message",
        ApprovalMethod::Paid => "payment in the channel's own sheet",
        ApprovalMethod::Reply => "written reply",
    };
    let code = if consent.code_matched { ", session code matched" } else { "" };
    json!({
        "@type": ["dpv:ConsentGiven", "dpv:ExpressedConsent"],
        "dct:identifier": consent.id,
        "dpv:isIndicatedBy": "dpv:DataSubject",
        "dpv:isIndicatedAtTime": at,
        "dpv:hasIndicationMethod": format!("{method}, over {}{code}", consent.channel),
        "dpv:hasDuration": { "@type": "dpv:FixedOccurrencesDuration", "rdf:value": "1" },
    })
}
