//! The released claims, each of the type that OpenID Connect Core 1.0, section 5.1, gives it.
//!
//! A claim of another type is not released, unless it says the same in a text. Providers send truths, times and
//! addresses as texts. <https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims>, read 2026-11-26.

use std::collections::BTreeMap;

use domain::values::phone::Phone;
use domain::values::text::DisplayText;
use domain::values::time::Timestamp;
use serde_json::{Map, Value};

/// The longest line of a claim, in characters.
const LINE_MAX: usize = 512;
/// The most lines of an address.
const LINES_MAX: usize = 12;
/// The longest e-mail address (RFC 5321, section 4.5.3.1.3, without its brackets), in bytes.
const EMAIL_MAX: usize = 254;
/// A time from here on is in milliseconds. In seconds it would be in the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;
/// The members of `address` (OpenID Connect Core 1.0, section 5.1.1).
const ADDRESS: [&str; 6] =
    ["country", "formatted", "locality", "postal_code", "region", "street_address"];

/// Takes these claims from what a provider sent, and drops all others.
///
/// `names` has the provider's own name of a claim, where it differs.
pub(super) fn take<'a>(
    claims: impl IntoIterator<Item = &'a str>,
    sent: &Map<String, Value>,
    names: &BTreeMap<String, String>,
) -> Map<String, Value> {
    let take = |claim: &str| {
        let name = names.get(claim).map_or(claim, String::as_str);
        Some((claim.to_owned(), typed(claim, sent.get(name)?)?))
    };
    claims.into_iter().filter_map(take).collect()
}

/// Returns a claim in its standard type; `None` for an empty claim, and for a value of another type.
fn typed(claim: &str, value: &Value) -> Option<Value> {
    // Azure AD B2C sends `emails`, a list: https://github.com/requarks/wiki/pull/7052, read 2026-11-26. UNVERIFIED: with
    // https://learn.microsoft.com/azure/active-directory-b2c/tokens-overview.
    let value = value.as_array().map_or(Some(value), |list| list.first())?;
    match claim {
        "email_verified" | "phone_number_verified" => truth(value).map(Value::from),
        "updated_at" => time(value).map(Value::from),
        "address" => address(value),
        "birthdate" => birthdate(&line(value)?).map(Value::from),
        "email" => line(value).filter(|text| is_email(text)).map(Value::from),
        "phone_number" => line(value).filter(|text| is_phone_number(text)).map(Value::from),
        _ => line(value).map(Value::from),
    }
}

/// Reads a truth, also as a text. `"false"` is true in most languages of requesters.
fn truth(value: &Value) -> Option<bool> {
    let text = value.as_str().map(str::to_ascii_lowercase);
    match text.as_deref() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) | None => value.as_bool(),
    }
}

/// Reads whole seconds since 1970 from a number with or without a fraction, or from its text.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        format!("{:.0}", number.floor()).parse().ok()
    })
}

/// Reads the time of the last change: seconds, milliseconds, or an ISO 8601 text as Auth0 sends it.
fn time(value: &Value) -> Option<i64> {
    let seconds = seconds(value).or_else(|| {
        let time: Timestamp = value.as_str()?.trim().parse().ok()?;
        Some(time.as_secs())
    })?;
    Some(if seconds >= MILLISECONDS_FROM { seconds.div_euclid(1000) } else { seconds })
}

/// Reads a line of display text. Characters that could disguise it are left out.
pub(super) fn line(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    display(&spaced)
}

/// Returns a text without the characters that [`DisplayText`] refuses; `None` where nothing is left, or too much.
fn display(text: &str) -> Option<String> {
    let shown = |text: &str| DisplayText::<LINE_MAX>::new(text);
    if let Ok(text) = shown(text) {
        return Some(text.as_str().to_owned());
    }
    // A letter on both sides, since a text of a single mark or space may be refused for another reason.
    let is_shown = |c: &char| shown(&format!("a{c}a")).is_ok();
    let text: String = text.chars().filter(is_shown).collect();
    shown(&text).ok().map(|text| text.as_str().to_owned())
}

/// Reads lines of display text, as two members of an address have them.
fn lines(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let lines: Vec<String> = text.lines().filter_map(|line| display(line.trim())).collect();
    (1..=LINES_MAX).contains(&lines.len()).then(|| lines.join("\n"))
}

/// Reads an address: an object, the text of one as Cognito stores it, or a plain text.
fn address(value: &Value) -> Option<Value> {
    if let Some(text) = value.as_str() {
        let parsed = serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
        return match parsed {
            Some(object) => address(&object),
            None => lines(value).map(|formatted| serde_json::json!({ "formatted": formatted })),
        };
    }
    let members = value.as_object()?;
    let read = |name: &&str| {
        let member = members.get(*name)?;
        let text = match *name {
            "formatted" | "street_address" => lines(member),
            _ => line(member),
        }?;
        Some(((*name).to_owned(), Value::from(text)))
    };
    let address: Map<String, Value> = ADDRESS.iter().filter_map(read).collect();
    (!address.is_empty()).then_some(Value::Object(address))
}

/// Reads `YYYY-MM-DD` or `YYYY`. The year `0000` says that it is not told.
///
/// `FranceConnect` sends `00` for an unknown day or month. Then only the year is a date.
fn birthdate(text: &str) -> Option<String> {
    let number = |part: &str, length: usize| {
        let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let mut parts = text.split('-');
    let year = parts.next().filter(|year| number(year, 4).is_some())?;
    let (Some(month), Some(day)) = (parts.next(), parts.next()) else {
        return (text.len() == 4).then(|| year.to_owned());
    };
    let (month, day) = (number(month, 2)?, number(day, 2)?);
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    match (month, day, parts.next()) {
        (0..=12, 0, None) => Some(year.to_owned()),
        (1..=12, day, None) if day <= days => Some(text.to_owned()),
        (_, _, _) => None,
    }
}

fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    text.len() <= EMAIL_MAX
        && !text.contains(char::is_whitespace)
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// Returns whether a text is a number as people or RFC 3966 write one. E.164 is recommended, not required.
fn is_phone_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let known = |c: char| c.is_ascii_digit() || "+ ()-./;=ext:tl".contains(c);
    (3..=20).contains(&digits) && text.chars().all(known)
}

/// Returns the released phone number as E.164; `None` where it has no country code.
pub(super) fn e164(released: &Map<String, Value>) -> Option<Phone> {
    let text = released.get("phone_number")?.as_str()?;
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let (number, _) = text.split_once(';').unwrap_or((text, ""));
    let number: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let number = number.strip_prefix("00").map_or(number.clone(), |rest| format!("+{rest}"));
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(claim: &str, value: &Value) -> Option<Value> {
        let sent = [(claim.to_owned(), value.clone())].into_iter().collect();
        take([claim], &sent, &BTreeMap::new()).remove(claim)
    }

    #[test]
    fn claim_has_its_standard_type_or_is_not_released() {
        for (claim, sent, released) in [
            ("email_verified", json!("false"), Some(json!(false))),
            ("email_verified", json!("True"), Some(json!(true))),
            ("phone_number_verified", json!(true), Some(json!(true))),
            ("email_verified", json!("yes"), None),
            ("email_verified", json!(1), None),
            ("updated_at", json!(1_795_651_200), Some(json!(1_795_651_200))),
            ("updated_at", json!("1795651200"), Some(json!(1_795_651_200))),
            ("updated_at", json!(1_795_651_200.75), Some(json!(1_795_651_200))),
            ("updated_at", json!(1_795_651_200_123_i64), Some(json!(1_795_651_200))),
            ("updated_at", json!("2026-11-26T00:00:00.123Z"), Some(json!(1_795_651_200))),
            ("updated_at", json!("yesterday"), None),
            ("given_name", json!("Zoë"), Some(json!("Zoë"))),
            ("given_name", json!("  "), None),
            ("given_name", json!(7), None),
            ("given_name", json!([["x"]]), None),
            ("given_name", json!({ "first": "Ada" }), None),
            ("name", json!("Ada\u{202E}evoL\nX"), Some(json!("AdaevoL X"))),
            ("birthdate", json!({ "$ne": 1 }), None),
            ("birthdate", json!("1970-01-01"), Some(json!("1970-01-01"))),
            ("birthdate", json!("0000-02-29"), Some(json!("0000-02-29"))),
            ("birthdate", json!("1970"), Some(json!("1970"))),
            ("birthdate", json!("1970-05-00"), Some(json!("1970"))),
            ("birthdate", json!("1970-13-01"), None),
            ("birthdate", json!("1970-02-30"), None),
            ("birthdate", json!("01/02/1970"), None),
            ("birthdate", json!("1970-1-1"), None),
            ("birthdate", json!("1970-01-01T00:00"), None),
            ("email", json!("ada@example.com"), Some(json!("ada@example.com"))),
            ("email", json!(["ada@example.com", "b@example.com"]), Some(json!("ada@example.com"))),
            ("email", json!("ada"), None),
            ("email", json!("a da@example.com"), None),
            ("phone_number", json!("+1 (555) 123-0001"), Some(json!("+1 (555) 123-0001"))),
            ("phone_number", json!("call me"), None),
            ("phone_number", json!(15_551_230_001_i64), None),
            ("given_name", json!(null), None),
            ("address", json!({}), None),
            ("address", json!([]), None),
            ("address", json!({ "country": "", "other": "x" }), None),
        ] {
            assert_eq!(taken(claim, &sent), released, "{claim} {sent}");
        }
    }

    #[test]
    fn address_as_object_or_text_keeps_its_lines() {
        let address = json!({ "formatted": "1 Main St\r\nLondon\u{202E}\n\n", "country": "GB", "planet": "Earth" });
        let expected = json!({ "formatted": "1 Main St\nLondon", "country": "GB" });
        assert_eq!(taken("address", &address), Some(expected.clone()));
        assert_eq!(taken("address", &json!(address.to_string())), Some(expected));
        let plain = json!({ "formatted": "1 Main St" });
        assert_eq!(taken("address", &json!("1 Main St")), Some(plain));
        assert_eq!(taken("address", &json!("x\n".repeat(13))), None);
    }

    #[test]
    fn claim_under_another_name_is_taken_by_the_map() {
        let sent = json!({ "usual_name": "Dubois", "family_name": "other" });
        let names = [("family_name".to_owned(), "usual_name".to_owned())].into();
        let taken = take(["family_name"], sent.as_object().unwrap(), &names);
        assert_eq!(Value::Object(taken), json!({ "family_name": "Dubois" }));
    }

    #[test]
    fn phone_number_is_read_as_e164_however_written() {
        for (text, number) in [
            ("+1 (555) 123-0001", Some("+15551230001")),
            ("tel:+1-555-123-0001;ext=7", Some("+15551230001")),
            ("0015551230001", Some("+15551230001")),
            ("555 1230001", None),
        ] {
            let released = json!({ "phone_number": text }).as_object().unwrap().clone();
            let read = e164(&released).map(|phone| phone.as_str().to_owned());
            assert_eq!(read.as_deref(), number, "{text}");
        }
    }
}
