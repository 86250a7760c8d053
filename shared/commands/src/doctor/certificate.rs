//! The dates of the certificates in the settings of Apple Pay. No call is made.
//!
//! Only the validity is read (RFC 5280, section 4.1.2.5), so that no decoder of certificates is linked.

use std::time::Duration;

use domain::values::time::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::Connection;
use super::calls::ProviderCalls;
use super::report::{Fault, Report};

/// A certificate is named before it ends, as a new one takes days.
const NOTICE: Duration = Duration::from_secs(20 * 86_400);

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Examines the certificate of `apple_pay`, where the settings have one.
pub(super) fn examine(calls: &ProviderCalls<'_>, connection: &Connection, report: &mut Report) {
    let Some(pem) = connection.text("apple_pay/certificate") else { return };
    let now = calls.context.clock.now();
    let mend = "make a new merchant identity certificate at developer.apple.com, and enter it with its key";
    let says = match ends_at(pem) {
        None => "`apple_pay.certificate` is no certificate in PEM".to_owned(),
        Some(end) if end <= now => format!("the certificate of Apple Pay ended at {end}"),
        Some(end) if end <= now.after(NOTICE) => {
            format!("the certificate of Apple Pay ends at {end}")
        }
        Some(_) => return report.works("certificate", "the certificate of Apple Pay is valid"),
    };
    report.fault(Fault { check: "certificate", says, mend: mend.to_owned() });
}

/// Returns when the first certificate of a PEM text ends; `None` where it cannot be read.
fn ends_at(pem: &str) -> Option<Timestamp> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let (_, certificate, _) = element(&certificate)?;
    let (_, mut body, _) = element(certificate)?;
    // The version is optional. Serial number, algorithm and issuer follow.
    let (tag, _, rest) = element(body)?;
    if tag == VERSION {
        body = rest;
    }
    for _ in 0..3 {
        body = element(body)?.2;
    }
    let (tag, validity, _) = element(body)?;
    if tag != SEQUENCE {
        return None;
    }
    let (_, _, rest) = element(validity)?;
    let (tag, end, _) = element(rest)?;
    time(tag, std::str::from_utf8(end).ok()?)
}

/// Splits the first element off: its tag, its content and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(*first & 0x7F))?;
        let add = |sum: Option<usize>, digit: &u8| {
            sum?.checked_mul(256)?.checked_add(usize::from(*digit))
        };
        (digits.iter().fold(Some(0), add)?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    let full = match tag {
        // RFC 5280: a year from 50 on is of the last century.
        UTC_TIME if digits.get(..2)? >= "50" => format!("19{digits}"),
        UTC_TIME => format!("20{digits}"),
        GENERALIZED_TIME => digits.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| full.get(from..to);
    let date = format!("{}-{}-{}", part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let time = format!("{}:{}:{}", part(8, 10)?, part(10, 12)?, part(12, 14)?);
    format!("{date}T{time}Z").parse().ok()
}
