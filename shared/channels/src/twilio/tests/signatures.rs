//! The signatures of callbacks.

use http::{HeaderMap, HeaderValue, Method};
use ports::{CallbackError, UnverifiedCallback};

use super::{FORM, callback, channel, signed, status_url};
use crate::doubles::PHONE;

#[test]
fn signed_call_that_is_no_form_post_is_malformed() {
    let (_, channel) = channel("twilio");
    let mut get = signed(&status_url(), &[]);
    get.method = Method::GET;
    assert_eq!(channel.receive(&get), Err(CallbackError::Malformed));
    let mut empty = signed(&status_url(), &[]);
    empty.headers.insert("content-type", HeaderValue::from_static("application/json"));
    assert_eq!(channel.receive(&empty), Err(CallbackError::Malformed));
}

#[test]
fn signed_callback_with_any_change_is_refused() {
    let (_, channel) = channel("twilio");
    let pairs = [
        ("MessageStatus", "delivered"),
        ("From", "+15005550006"),
        ("Note", "Zoë & co"),
        ("Empty", ""),
        ("To", PHONE),
    ];
    let whole = signed(&status_url(), &pairs);
    let received = channel.receive(&whole).unwrap();
    let read = |body: &[u8]| -> Vec<(String, String)> {
        form_urlencoded::parse(body).into_owned().collect()
    };
    let mut mutations = 0;
    for at in 0..whole.body.len() {
        for byte in (0..=255).filter(|byte| *byte != whole.body[at]) {
            let mut body = whole.body.to_vec();
            body[at] = byte;
            mutations += 1;
            let changed = UnverifiedCallback { body: body.clone().into(), ..whole.clone() };
            match channel.receive(&changed) {
                Err(error) => assert_eq!(error, CallbackError::Forged),
                // Another spelling of the very same form, such as %2b for %2B.
                Ok(again) => {
                    assert!(read(&body) == read(&whole.body) && again == received, "{at} {byte}");
                }
            }
        }
        let body = [&whole.body[..at], &whole.body[at + 1..]].concat();
        assert!(
            channel.receive(&UnverifiedCallback { body: body.into(), ..whole.clone() }).is_err(),
            "{at}"
        );
    }
    for at in 0..whole.url.len() {
        for byte in (0x20..0x7f_u8).filter(|byte| *byte != whole.url.as_bytes()[at]) {
            let mut url = whole.url.clone().into_bytes();
            url[at] = byte;
            let url = String::from_utf8(url).unwrap();
            assert_eq!(
                channel.receive(&UnverifiedCallback { url, ..whole.clone() }),
                Err(CallbackError::Forged),
                "{at}"
            );
        }
    }
    let signature = whole.headers["x-twilio-signature"].as_bytes().to_vec();
    for at in 0..signature.len() {
        for byte in (0x20..=0x7e_u8).filter(|byte| *byte != signature[at]) {
            let mut given = signature.clone();
            given[at] = byte;
            let changed =
                callback(&whole.url, std::str::from_utf8(&given).unwrap(), FORM, &whole.body);
            assert_eq!(channel.receive(&changed), Err(CallbackError::Forged), "{at} {byte}");
        }
    }
    assert!(mutations > 20_000);
}

#[test]
fn missing_doubled_or_misplaced_signature_is_forged() {
    let (_, channel) = channel("twilio");
    let whole = signed(&status_url(), &[("MessageStatus", "delivered")]);
    let with = |change: &dyn Fn(&mut HeaderMap)| {
        let mut callback = whole.clone();
        change(&mut callback.headers);
        channel.receive(&callback)
    };
    assert!(with(&|_| {}).is_ok());
    let charset = HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8");
    assert!(with(&|headers| drop(headers.insert("content-type", charset.clone()))).is_ok());
    let forged = Err(CallbackError::Forged);
    assert_eq!(with(&|headers| drop(headers.remove("x-twilio-signature"))), forged);
    let again = whole.headers["x-twilio-signature"].clone();
    assert_eq!(
        with(&|headers| assert!(headers.append("x-twilio-signature", again.clone()))),
        forged
    );
    assert_eq!(with(&|headers| drop(headers.remove("content-type"))), forged);
    let json = HeaderValue::from_static("application/json");
    assert_eq!(with(&|headers| drop(headers.insert("content-type", json.clone()))), forged);
}
