//! Finds texts that read as a link, an e-mail address or a phone number.
//!
//! A message of the brand's own sender must not lead to a stranger. What a requester's program writes may be the words of the
//! person on the line.

use std::fmt;

/// Top-level domains, and the reserved ones.
const TOP_LEVEL_DOMAINS: &str = include_str!("tlds.txt");
/// Words after which a bare number is a number to call.
const CALL_WORDS: &str = "call phone tel telephone telefon ring dial text sms whatsapp mobile contact anrufen rufen \
    ruf telefonnummer appelez appeler llame llama llamar telefono teléfono téléphone chiama";
/// The fewest and the most digits of a phone number (E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// From this many digits on, a grouped number without a prefix reads as a phone number.
const GROUPED_DIGITS: usize = 10;

/// The kind of contact detail that a text reads as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactDetail {
    /// A link, or a name that phones turn into one.
    Link,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A bracket without its partner, which ends the brackets that a message puts around the text.
    Brackets,
}

impl fmt::Display for ContactDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "the text reads as a link; remove it, or allow `description_links`",
            Self::Email => "the text reads as an e-mail address; remove it",
            Self::Phone => "the text reads as a phone number; remove it",
            Self::Brackets => "a bracket of the text has no partner",
        })
    }
}

/// Returns what a text reads as; `None` for plain words.
#[must_use]
pub fn contact_detail(text: &str) -> Option<ContactDetail> {
    let text: String = text.chars().map(plain).collect();
    if text.split(|c: char| c.is_whitespace()).any(is_email) {
        return Some(ContactDetail::Email);
    }
    if text.split(|c: char| c.is_whitespace()).any(is_link) {
        return Some(ContactDetail::Link);
    }
    if has_phone(&text) {
        return Some(ContactDetail::Phone);
    }
    (!is_balanced(&text)).then_some(ContactDetail::Brackets)
}

/// Returns the character that phones and browsers read: wide forms are the usual ones.
fn plain(c: char) -> char {
    match c {
        '\u{3002}' | '\u{FF61}' | '\u{2024}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

fn is_email(token: &str) -> bool {
    token.split_once('@').is_some_and(|(name, host)| {
        name.ends_with(char::is_alphanumeric) && host.starts_with(char::is_alphanumeric)
    })
}

fn is_link(token: &str) -> bool {
    let schemes = ["://", "mailto:", "tel:", "sms:", "javascript:", "www."];
    if schemes.iter().any(|scheme| token.contains(scheme)) {
        return true;
    }
    // A label has letters, digits and hyphens. Everything else ends a name.
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '.' || is_mark(c);
    let mut rest = token;
    while let Some(begin) = rest.find(is_part) {
        let (_, name) = rest.split_at(begin);
        let end = name.find(|c| !is_part(c)).unwrap_or(name.len());
        let (name, after) = name.split_at(end);
        if is_domain(name.trim_matches('.'), after.starts_with('/') || after.starts_with(':')) {
            return true;
        }
        rest = after;
    }
    false
}

/// Returns whether a character is part of a letter in scripts that write vowels as marks.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0900}'..='\u{0DFF}' | '\u{0E00}'..='\u{0E7F}')
}

fn is_domain(name: &str, has_path: bool) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let [.., _, last] = labels.as_slice() else { return false };
    if labels.iter().any(|label| label.is_empty()) {
        return false;
    }
    let has_letters = last.chars().count() > 1 && last.chars().all(char::is_alphabetic);
    let is_address = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
    let is_known = || TOP_LEVEL_DOMAINS.split_whitespace().any(|known| known == *last);
    is_address || (has_letters && (has_path || is_known())) || last.starts_with("xn--")
}

/// Returns whether a run of digits and separators reads as a phone number.
fn has_phone(text: &str) -> bool {
    let mut called = false;
    for run in runs(text) {
        match run {
            Run::Word(word) => {
                called = CALL_WORDS.split_whitespace().any(|known| known == word);
            }
            Run::Number(number) => {
                if is_phone(number, called) {
                    return true;
                }
            }
        }
    }
    false
}

enum Run<'a> {
    Word(&'a str),
    Number(&'a str),
}

/// Splits a text into words and numbers. A number goes on over spaces, brackets, points, hyphens and slashes.
fn runs(text: &str) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| !(c.is_alphanumeric() || c == '+' || c == '('));
        let Some(first) = rest.chars().next() else { return runs };
        if first.is_alphabetic() {
            // Digits inside a word belong to it, as those of a meter or an order do.
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '-')).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            runs.push(Run::Word(word));
            rest = after;
            continue;
        }
        let is_part = |c: char| c.is_ascii_digit() || " \u{A0}+()./-".contains(c);
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end.max(first.len_utf8()));
        // Letters right behind digits make one word of both.
        let glued = number.ends_with(|c: char| c.is_ascii_digit())
            && after.starts_with(char::is_alphabetic);
        let kept =
            if glued { number.trim_end_matches(|c: char| c.is_ascii_digit()) } else { number };
        runs.push(Run::Number(kept));
        rest = if glued { after.trim_start_matches(char::is_alphanumeric) } else { after };
    }
}

fn is_phone(number: &str, called: bool) -> bool {
    let number = number.trim_matches(|c: char| !(c.is_ascii_digit() || c == '+' || c == '('));
    let digits = number.chars().filter(char::is_ascii_digit).count();
    if !PHONE_DIGITS.contains(&digits) {
        return false;
    }
    let groups: Vec<&str> =
        number.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    if number.starts_with('+') || number.starts_with("(+") || called {
        return true;
    }
    if is_date(&groups) || is_amount(&groups) {
        return false;
    }
    let grouped = groups.len() > 1;
    let has_prefix = number.trim_start_matches('(').starts_with('0');
    (grouped && has_prefix && digits >= 9) || (groups.len() > 2 && digits >= GROUPED_DIGITS)
}

/// Returns whether the groups begin with a date, such as 26.11.2026 or 2026-11-26.
fn is_date(groups: &[&str]) -> bool {
    let [first, second, third, ..] = groups else { return false };
    let short = |group: &str| group.len() <= 2;
    let year = |group: &str| group.starts_with("19") || group.starts_with("20");
    (short(first) && short(second) && third.len() == 4 && year(third))
        || (first.len() == 4 && year(first) && short(second) && short(third))
}

/// Returns whether the groups are thousands, such as 10 000 000 000.
fn is_amount(groups: &[&str]) -> bool {
    let Some((first, rest)) = groups.split_first() else { return false };
    first.len() <= 3
        && !first.starts_with('0')
        && rest.iter().all(|group| group.len() == 3)
        && rest.len() > 2
}

fn is_balanced(text: &str) -> bool {
    let pairs = [('(', ')'), ('[', ']'), ('{', '}')];
    let mut open = Vec::new();
    for c in text.chars() {
        if let Some((_, close)) = pairs.iter().find(|(begin, _)| *begin == c) {
            open.push(*close);
        } else if pairs.iter().any(|(_, close)| *close == c) && open.pop() != Some(c) {
            return false;
        }
    }
    open.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_lead_elsewhere_are_found() {
        use ContactDetail::{Brackets, Email, Link, Phone};
        for (text, found) in [
            ("see https://evil.example/pay", Link),
            ("Pay at HTTP://evil.example/x", Link),
            ("evil.example/pay", Link),
            ("Invoice 4711 evil.example/pay", Link),
            ("go to evil.com", Link),
            ("go to (evil.com)", Link),
            ("evil.co.uk.", Link),
            ("evil\u{FF0E}com", Link),
            ("evil\u{3002}com", Link),
            ("ｅｖｉｌ.ｃｏｍ", Link),
            ("банк.рф", Link),
            ("xn--80ak6aa92e.xn--p1ai", Link),
            ("www.evil", Link),
            ("evil.unknown:8080/x", Link),
            ("http 192.168.1.1", Link),
            ("tel:+19005550100", Link),
            ("write to ada@evil.com", Email),
            ("ada@bank", Email),
            ("4711. Questions? Call +1 900 555 0100", Phone),
            ("+19005550100", Phone),
            ("(900) 555-0100", Phone),
            ("1-900-555-0100", Phone),
            ("0900 555 0100", Phone),
            ("01 23 45 67 89", Phone),
            ("0800/1234567", Phone),
            ("call 9005550100", Phone),
            ("4711). Your answer", Brackets),
            ("4711 (ref", Brackets),
            ("x)(", Brackets),
            ("a [b", Brackets),
        ] {
            assert_eq!(contact_detail(text), Some(found), "{text}");
        }
    }

    #[test]
    fn everyday_purposes_are_plain_words() {
        for text in [
            "Invoice 4711",
            "Order 12.50 of 3.4.2026",
            "Order 20261126001",
            "Visit on 26.11.2026 14:30",
            "Visit on 01.12.2026 10:00",
            "Stay 2026-11-26 - 2026-11-29",
            "Electricity, meter 1EMH0012345678 (January)",
            "IBAN DE89370400440532013000",
            "z.B. Zoë's bill, i.e. tax",
            "U.S.A tour, 3 x 4.50 EUR",
            "Rent: 10 000 000 000 IDR",
            "Acme Co. Ltd. invoice",
            "Size 3/4, room 12-14",
            "2 @ 5.00 EUR each",
            "Version 1.2.3",
            "Счёт 4711 [копия]",
            "請求書 4711",
            "Tickets 1-4, row 12",
        ] {
            assert_eq!(contact_detail(text), None, "{text}");
        }
    }
}
