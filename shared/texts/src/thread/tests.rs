//! Tests of the texts in a thread.

use super::*;

const LINK: &str = "https://pay.example.com/c/3vQ8sT0aXb7Zk2LmN5pRwE";

fn visa() -> CardName {
    CardName { brand: Some("visa".to_owned()), last4: Some("4242".to_owned()) }
}

/// A message with everything that its fact can have.
fn content<'a>(kind: ThreadMessageKind, payee: &'a str, card: &'a CardName) -> ThreadContent<'a> {
    let goes_on = matches!(kind, ThreadMessageKind::CardDeclined | ThreadMessageKind::NotConfirmed);
    let done = matches!(
        kind,
        ThreadMessageKind::Paid | ThreadMessageKind::CardKept | ThreadMessageKind::ClaimsShared
    );
    let has_card = matches!(kind, ThreadMessageKind::Paid | ThreadMessageKind::CardKept);
    ThreadContent {
        kind,
        asked: "Payment of 1042.50 EUR",
        payee,
        money: Some("1042.50 EUR"),
        card: has_card.then_some(card),
        claims: if kind == ThreadMessageKind::ClaimsShared { &["name", "birthdate"] } else { &[] },
        code: done.then_some("7F3K-92QD"),
        time: done.then_some("2026-11-26 15:04 CET"),
        link: goes_on.then_some(LINK),
        asks_not_me: kind == ThreadMessageKind::Denied,
    }
}

/// Returns whether the language's words are in the GSM alphabet, but for accents.
fn is_gsm(spoken: TextLanguage) -> bool {
    crate::gsm7::folded(spoken.page().paid).is_some()
}

#[test]
fn message_fits_one_segment_in_every_language_and_fact() {
    let card = visa();
    for spoken in TextLanguage::ALL {
        let language = spoken.tag().parse().unwrap();
        for kind in ThreadMessageKind::ALL {
            // A payee in another alphabet makes it UCS-2, of which 70 characters fit.
            for payee in ["Acme Energy Ltd", "Энергия", &"M".repeat(80)] {
                let texts = thread(&language, &language, &content(kind, payee, &card));
                let text = &texts.text;
                let has_link = text.contains(LINK);
                let goes_on = matches!(
                    kind,
                    ThreadMessageKind::CardDeclined | ThreadMessageKind::NotConfirmed
                );
                // A link leaves 18 characters of a segment in UCS-2.
                let most = if goes_on && !is_gsm(spoken) { 2 } else { 1 };
                assert!(segments(text) <= most, "{spoken:?} {kind:?}: {text}");
                assert_eq!(has_link, goes_on, "{text}");
                assert!((1..=60).contains(&texts.title.chars().count()), "{}", texts.title);
                assert!(!texts.body.contains(['{', '}']) && !text.contains(['{', '}']), "{text}");
            }
        }
    }
}

#[test]
fn receipt_says_all_that_was_paid_in_every_language() {
    let card = visa();
    for spoken in TextLanguage::ALL {
        let language = spoken.tag().parse().unwrap();
        let texts =
            thread(&language, &language, &content(ThreadMessageKind::Paid, "Acme Ltd", &card));
        let rich = format!("{}\n{}", texts.title, texts.body);
        for part in
            ["1042.50 EUR", "Acme Ltd", "Visa •••• 4242", "7F3K-92QD", "2026-11-26 15:04 CET"]
        {
            assert!(rich.contains(part), "{part} in {rich}");
        }
        let all = ["1042.50 EUR", "7F3K-92QD", "Acme Ltd", "Visa 4242", "2026-11-26 15:04 CET"];
        // Seventy characters hold what was paid, and the code.
        for part in all.into_iter().take(if is_gsm(spoken) { 5 } else { 2 }) {
            assert!(texts.text.contains(part), "{part} in {}", texts.text);
        }
    }
}

#[test]
fn messages_in_english_read_as_expected() {
    let (card, english) = (visa(), Language::default());
    let reads = |kind| thread(&english, &english, &content(kind, "Acme Ltd", &card));
    let shown = ThreadMessageKind::ALL.map(|kind| {
        let ThreadTexts { title, body, text } = reads(kind);
        format!("{kind:?}\n{title}\n{body}\n{text}\n")
    });
    assert_eq!(shown.join("\n"), include_str!("english.txt"));
}

#[test]
fn message_texts_differ_between_facts_and_languages() {
    let mut all = std::collections::BTreeSet::new();
    let card = visa();
    for spoken in TextLanguage::ALL {
        let language = spoken.tag().parse().unwrap();
        for kind in ThreadMessageKind::ALL {
            let texts = thread(&language, &language, &content(kind, "Acme Ltd", &card));
            // The two Portugueses share some sentences.
            let shared = if spoken == TextLanguage::PtBr { "pt-BR" } else { "" };
            let message = format!("{shared}{}\n{}", texts.title, texts.body);
            assert!(all.insert(message), "{spoken:?} {kind:?}");
        }
    }
}

#[test]
fn receipt_without_a_card_has_no_empty_part() {
    let card = visa();
    let content =
        ThreadContent { card: None, ..content(ThreadMessageKind::Paid, "Acme Ltd", &card) };
    let texts = thread(&Language::default(), &Language::default(), &content);
    assert_eq!(
        texts.text,
        "Acme Ltd: Paid: 1042.50 EUR, 2026-11-26 15:04 CET. Transaction code: 7F3K-92QD"
    );
}
