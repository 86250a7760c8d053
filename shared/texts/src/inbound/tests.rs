//! Texts that customers write, and what they mean. The corpus of the package `tests` has many more.

use super::lexicon::Keyword;
use super::{Listener, Meaning, lexicon};
use crate::TextLanguage;

/// Reads a text of a customer of that language, whose brand is English.
fn meaning(text: &str, language: &str) -> Option<Meaning> {
    let (customer, brand) = (language.parse().unwrap(), "en".parse().unwrap());
    Listener::new([&customer, &brand], "Acme Shop").meaning(text)
}

fn english(text: &str) -> Option<Meaning> {
    meaning(text, "en")
}

#[test]
fn keyword_in_any_spelling_stops() {
    for word in ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"] {
        let upper = word.to_uppercase();
        for text in [
            word.to_owned(),
            upper.clone(),
            format!("  {}{}!! ", word[..1].to_uppercase(), &word[1..]),
            format!("“{word}.”"),
            format!("{word} please"),
            format!("pls {word} now"),
            format!("{word}\n"),
            format!("{upper} 🛑"),
        ] {
            assert_eq!(english(&text), Some(Meaning::Stop), "{text:?}");
        }
    }
    for text in [
        "STOPPP",
        "Stopp",
        "S T O P",
        "s.t.o.p.",
        "s-t-o-p",
        "ＳＴＯＰ",
        "ST0P",
        "STОP",
        "st\u{200b}op",
        "stop stop STOP",
        "Opt_Out",
        "OPTOUT",
        "stopall",
        "Stop, all.",
        "s t o p !",
    ] {
        assert_eq!(english(text), Some(Meaning::Stop), "{text:?}");
    }
}

#[test]
fn keyword_stops_in_the_customers_language() {
    for (language, text) in [
        ("fr", "ARRE\u{302}T"),
        ("es", "¡ALTO!"),
        ("tr", "İPTAL"),
        ("tr", "iptal"),
        ("ru", "СТОП!"),
        ("uk", "відписатися"),
        ("el", "ΔΙΑΚΟΠΉ"),
        ("ar", "توقف"),
        ("ar", "الغاء"),
        ("he", "הסר"),
        ("hi", "रोकें"),
        ("hi", "बंद करो"),
        ("bn", "বন্ধ"),
        ("ta", "நிறுத்து"),
        ("zh", "停止"),
        ("zh-Hant", "請取消"),
        ("ja", "ストップ"),
        ("ja", "ｽﾄｯﾌﾟ"),
        ("ko", "중지"),
        ("th", "หยุด"),
        ("vi", "dừng"),
        ("id", "berhenti"),
        ("cs", "přestaňte"),
        ("sw", "acha"),
        ("sv", "sluta"),
    ] {
        assert_eq!(meaning(text, language), Some(Meaning::Stop), "{text:?}");
    }
    for text in ["acha", "fin", "ret", "dost", "baja", "dur", "alto", "parar"] {
        assert_eq!(english(text), None, "{text:?} is a word of another language");
    }
}

/// A word that only ever ends messages counts in each language.
#[test]
fn unmistakable_keyword_stops_in_any_language() {
    for text in ["désabonner", "Abmelden", "退订", "стоп", "unsubscribe", "TD"] {
        for language in ["en", "de", "sv", "xx"] {
            assert_eq!(meaning(text, language), Some(Meaning::Stop), "{text:?}");
        }
    }
}

#[test]
fn brands_name_beside_a_keyword_changes_nothing() {
    for text in ["STOP Acme", "Acme stop", "Stop Acme Shop!", "unsubscribe acme"] {
        assert_eq!(english(text), Some(Meaning::Stop), "{text:?}");
    }
    assert_eq!(english("Acme"), None);
    assert_eq!(english("stop Globex"), None);
}

/// A weak keyword, such as "cancel", ends messages only as a whole text.
#[test]
fn weak_keyword_among_other_sentences_is_no_stop() {
    assert_eq!(english("Cancel\n\nSent from my iPhone"), Some(Meaning::Stop));
    assert_eq!(english("I will be late. Cancel."), None);
    assert_eq!(english("Cancel! Cancel!"), Some(Meaning::Stop));
}

#[test]
fn quotation_is_not_the_customers_own_word() {
    for text in [
        "Liked “STOP”",
        "Me gusta “STOP”",
        "Odottaa ”STOP”",
        "„STOP“ gefällt mir",
        "«STOP» нравится",
        "👍 “STOP”",
        "「STOP」にいいね",
        "Liked \"reply \"STOP\" to opt out\"",
        "Liked “reply “STOP” to opt out”",
        "Liked 'STOP'",
        "> STOP\nwhat is this",
        "Loved “Acme: reply STOP to",
    ] {
        for language in ["en", "de", "fr"] {
            assert_eq!(meaning(text, language), None, "{text:?}");
        }
    }
    for text in [
        "“STOP”",
        "\"STOP\" please",
        "I said \"stop\"!",
        "stop sending \"special offers\" messages",
        "“Stop",
        "stop\"",
    ] {
        assert_eq!(english(text), Some(Meaning::Stop), "{text:?}");
    }
}

#[test]
fn negated_stop_counts_only_where_it_repeats_the_demand() {
    for text in
        ["please don't stop texting me", "never stop sending these", "I do not want to unsubscribe"]
    {
        assert_eq!(english(text), None, "{text:?}");
    }
    for text in ["if you don't stop texting me I will sue", "why won't you stop messaging me"] {
        assert_eq!(english(text), Some(Meaning::Stop), "{text:?}");
    }
}

#[test]
fn stop_of_a_payment_denies_and_stops_no_messages() {
    for text in [
        "stop the payment",
        "Please stop this charge, I did not order that",
        "please stop my card",
        "do not charge me",
    ] {
        assert_eq!(english(text), Some(Meaning::No), "{text:?}");
    }
    assert_eq!(english("stop the payment reminders"), Some(Meaning::Stop));
}

#[test]
fn answer_yes_or_no_counts_in_any_spelling() {
    for text in ["yes", " Yes. ", "YES!!", "\"yes\"", "Yes,  please", "I agree", "approve"] {
        assert_eq!(english(text), Some(Meaning::Yes), "{text}");
    }
    for text in ["no", "No.", "no, thanks!", "I DON’T agree", "No\n\nSent from my iPhone", "No 👎"]
    {
        assert_eq!(english(text), Some(Meaning::No), "{text}");
    }
    assert_eq!(meaning("¡Sí!", "es-419"), Some(Meaning::Yes));
    assert_eq!(meaning("D’accord.", "fr-CA"), Some(Meaning::Yes));
    assert_eq!(meaning("Nein, danke", "de-AT"), Some(Meaning::No));
    assert_eq!(meaning("yes", "nl"), Some(Meaning::Yes), "asked in the brand's language");
    assert_eq!(meaning("No.", "pl"), None, "means yes in Polish");
}

#[test]
fn text_that_is_no_plain_answer_means_nothing() {
    for text in [
        "",
        "   ",
        "?",
        "...",
        "yes?",
        "yes but why",
        "yes no",
        "yes 👎",
        "no 👍",
        "no, yes",
        "ok",
        "not yes",
        "yesyes",
        "ja",
        "1",
        "no problem",
        "Liked “yes”",
        &"yes ".repeat(40),
    ] {
        assert_eq!(english(text), None, "{text:?}");
    }
}

#[test]
fn button_labels_are_answers_and_no_keyword_means_two_things() {
    for spoken in TextLanguage::ALL {
        let (tag, page) = (spoken.tag(), spoken.page());
        assert_eq!(meaning(page.approve, tag), Some(Meaning::Yes), "{tag}");
        assert_eq!(meaning(page.deny, tag), Some(Meaning::No), "{tag}");
    }
    for (tag, lexicon) in lexicon::all() {
        let expected = [
            (Keyword::Stop, Meaning::Stop),
            (Keyword::Alone, Meaning::Stop),
            (Keyword::Start, Meaning::Start),
            (Keyword::No, Meaning::No),
        ];
        for (keyword, right) in expected {
            for words in lexicon.keywords_of(keyword) {
                let text = words.join(" ");
                let ambiguous = lexicon.neither.contains(&text);
                assert_eq!(meaning(&text, tag), (!ambiguous).then_some(right), "{tag} {text}");
            }
        }
        for text in &lexicon.yes {
            assert_eq!(meaning(text, tag), Some(Meaning::Yes), "{tag} {text}");
        }
    }
}

#[test]
fn word_lists_have_known_sections_and_classes_only() {
    assert_eq!(lexicon::unknown_entries(), Vec::<String>::new());
}

/// A stop at the end of a text counts, however long the text is.
#[test]
fn stop_at_either_end_of_a_long_text_stops() {
    let long = "hello there. ".repeat(100_000);
    assert_eq!(english(&format!("Stop. {long}")), Some(Meaning::Stop));
    assert_eq!(english(&format!("{long}\nStop.")), Some(Meaning::Stop));
    assert_eq!(english(&long), None);
}
