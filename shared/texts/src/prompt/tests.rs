//! Tests of the texts of prompts.

use super::*;

const LINK: &str = "https://pay.example.com/c/3vQ8sT0aXb7Zk2LmN5pRwE";

fn payment<'a>(payee: &'a str, money: &'a str, description: &'a str) -> PromptContent<'a> {
    let kind = AskKind::Payment;
    PromptContent {
        payee,
        by_assistant: false,
        money: Some(money),
        card: None,
        description,
        describes: true,
        kind,
        link: LINK,
        code: None,
        picks: false,
    }
}

fn in_english(content: &PromptContent<'_>) -> PromptTexts {
    prompt(&Language::default(), &Language::default(), content)
}

fn fits(text: &str) -> bool {
    gsm7::septets(text).is_some_and(|septets| septets <= gsm7::SEGMENT)
}

/// Returns whether a text has the one segment of a language in the GSM alphabet, or the two of another.
fn fits_in(spoken: TextLanguage, text: &str) -> bool {
    fits_in_segments(spoken, text, 2)
}

fn fits_in_segments(spoken: TextLanguage, text: &str, most: usize) -> bool {
    let is_gsm = gsm7::folded(spoken.prompt().answer).is_some();
    if is_gsm { fits(text) } else { segments(text) <= most }
}

/// A value as a message of the language writes it.
fn shown(spoken: TextLanguage, value: &str) -> String {
    isolated(spoken, value).into_owned()
}

#[test]
fn prompt_fits_one_segment_in_every_language_and_kind() {
    for spoken in TextLanguage::ALL {
        for kind in [AskKind::Payment, AskKind::PaymentMethod, AskKind::Identity] {
            for code in [None, Some("47")] {
                let usual = PromptContent {
                    kind,
                    code,
                    ..payment("Acme Energy Ltd", "1042.50 EUR", "Invoice 4711")
                };
                let language = spoken.tag().parse().unwrap();
                for texts in
                    [prompt(&language, &language, &usual), reminder(&language, &language, &usual)]
                {
                    let text = &texts.text;
                    // A text with a link names no code today.
                    let most = if code.is_some() { 3 } else { 2 };
                    assert!(fits_in_segments(spoken, text, most), "{spoken:?}: {text}");
                    assert!(text.contains("Acme Energy Ltd"), "{text}");
                    let (before, after) = text.split_once(LINK).unwrap();
                    assert!(!before.contains("Invoice"), "{text}");
                    assert!(after.is_empty() || after.contains(": \"Invoice 4"), "{text}");
                    assert!(kind != AskKind::Payment || text.contains("1042.50 EUR"), "{text}");
                    let spoken_code = text.replacen("4711", "", 1);
                    assert!(code.is_none() || spoken_code.contains("47"), "{text}");
                    assert!((1..=60).contains(&texts.title.chars().count()), "{}", texts.title);
                    assert!(texts.body.contains(spoken.page().warning), "{}", texts.body);
                }
            }
        }
    }
}

#[test]
fn prompt_of_an_ai_agent_says_so_in_every_language() {
    for spoken in TextLanguage::ALL {
        let language = spoken.tag().parse().unwrap();
        let content = PromptContent { by_assistant: true, ..payment("Acme", "42.50 EUR", "") };
        let usual = payment("Acme", "42.50 EUR", "");
        for render in [prompt, reminder] {
            let (said, plain) =
                (render(&language, &language, &content), render(&language, &language, &usual));
            let acme = shown(spoken, "Acme");
            let start = filled(spoken.prompt().assistant, &[("payee", &acme)]);
            assert!(start.contains(&acme) && start != acme, "{start}");
            assert_eq!(said.body, plain.body.replacen(&acme, &start, 1));
            let says = said.text.contains(&gsm7::plain(&start));
            assert!(says && fits_in(spoken, &said.text), "{}", said.text);
        }
    }
}

#[test]
fn prompt_in_english_reads_as_expected() {
    let texts = in_english(&payment("Acme Energy Ltd", "42.50 EUR", "Invoice 4711"));
    assert_eq!(texts.title, "Payment of 42.50 EUR");
    assert_eq!(
        texts.body,
        "Acme Energy Ltd asks you to pay 42.50 EUR (For: \"Invoice 4711\"). If you did not expect this, decline."
    );
    assert_eq!(
        texts.text,
        format!(
            "Acme Energy Ltd asks you to pay 42.50 EUR. Not expected? Decline. Your answer: {LINK} (For: \"Invoice 4711\")"
        )
    );
}

#[test]
fn prompt_cuts_descriptions_but_no_payee_amount_or_link() {
    let long = "Electricity from January to March, meter 1EMH0012345678, with the credit of last year taken off";
    let text = in_english(&payment("Acme Energy Ltd", "42.50 EUR", long)).text;
    assert!(
        fits(&text) && text.contains(" (For: \"Electricity") && text.ends_with("...\")"),
        "{text}"
    );
    assert!(text.contains("42.50 EUR") && text.contains(LINK), "{text}");

    let payee = "The Municipal Water, Waste Water and Street Lighting Company";
    let text = in_english(&payment(payee, "99999999 JPY", long)).text;
    assert!(fits(&text) && text.starts_with(payee), "{text}");
    assert!(text.contains("99999999 JPY") && text.ends_with(LINK), "{text}");
}

#[test]
fn prompt_folds_a_description_to_save_segments() {
    let texts = in_english(&payment("Acme Energy Ltd", "42.50 EUR", "Счёт 4711"));
    assert!(fits(&texts.text), "{}", texts.text);
    assert!(texts.body.contains("Счёт 4711"), "{}", texts.body);
    let accents = in_english(&payment("Acme Energy Ltd", "42.50 EUR", "Façade – bill “4711”")).text;
    assert!(fits(&accents) && accents.contains("Facade - bill"), "{accents}");
}

#[test]
fn prompt_keeps_a_payee_in_another_alphabet() {
    let text = in_english(&payment("Энергия", "42.50 EUR", "Счёт 4711")).text;
    assert!(text.starts_with("Энергия asks") && text.ends_with("(For: \"Счёт 4711\")"), "{text}");
}

#[test]
fn a_body_stays_within_400_characters() {
    let body = in_english(&payment("Acme Energy Ltd", "42.50 EUR", &"word ".repeat(200))).body;
    assert!(body.chars().count() <= 400 && body.ends_with("decline."), "{body}");
}

#[test]
fn prompt_with_number_buttons_says_which_to_pick() {
    let long = "word ".repeat(200);
    for spoken in TextLanguage::ALL {
        let language = spoken.tag().parse().unwrap();
        let numbers = PromptContent { picks: true, ..payment("Acme", "42.50 EUR", &long) };
        let texts = prompt(&language, &language, &numbers);
        let page = spoken.page();
        let stop = spoken.prompt().full_stop;
        assert!(texts.body.ends_with(&format!(" {}{stop} {}", page.pick_code, page.warning)));
        assert!(texts.body.chars().count() <= 400, "{}", texts.body);
        assert!(!texts.text.contains(page.pick_code), "a text has no buttons: {}", texts.text);
    }
}

#[test]
fn prompt_without_description_has_no_empty_brackets() {
    let texts = in_english(&payment("Acme", "42.50 EUR", ""));
    assert!(!texts.text.contains('(') && !texts.body.contains('('), "{}", texts.text);
}

#[test]
fn prompt_value_like_a_placeholder_stays_as_it_is() {
    let text = in_english(&payment("{money} {code}", "1.00 EUR", "{payee} x")).text;
    assert!(text.starts_with("{money} {code} asks you to pay 1.00 EUR."), "{text}");
    assert!(text.ends_with(" (For: \"{payee} x\")"), "{text}");
}

#[test]
fn prompt_labels_fit_on_buttons() {
    for spoken in TextLanguage::ALL {
        let language = spoken.tag().parse().unwrap();
        let labels = prompt(&language, &language, &payment("Acme", "1.00 EUR", "x")).labels;
        for label in [labels.approve, labels.deny, labels.not_me, labels.open] {
            assert!((1..=20).contains(&label.chars().count()), "{label}");
        }
    }
}

#[test]
fn prompt_link_is_ours_before_the_words_of_others() {
    let words = "4711\"). Your answer: evil.example/c/1 (\u{201D}";
    let texts = in_english(&payment("Acme", "1.00 EUR", words));
    assert!(texts.text.find(LINK).unwrap() < texts.text.find("4711").unwrap(), "{}", texts.text);
    for text in [&texts.text, &texts.body] {
        assert_eq!(text.matches('"').count(), 2, "{text}");
        assert!(!text.contains('\u{201D}'), "{text}");
    }
}

#[test]
fn prompt_in_a_text_leaves_the_purpose_to_the_page() {
    let content = PromptContent { describes: false, ..payment("Acme", "1.00 EUR", "Invoice 4711") };
    let texts = in_english(&content);
    assert!(!texts.text.contains("4711") && texts.text.ends_with(LINK), "{}", texts.text);
    assert!(texts.body.contains("(For: \"Invoice 4711\")"), "{}", texts.body);
}

#[test]
fn prompt_names_the_card_on_file_in_every_language() {
    let card = CardName { brand: Some("visa".to_owned()), last4: Some("4242".to_owned()) };
    for spoken in TextLanguage::ALL {
        let language = spoken.tag().parse().unwrap();
        let content = PromptContent { card: Some(&card), ..payment("Acme", "19.99 EUR", "") };
        for texts in
            [prompt(&language, &language, &content), reminder(&language, &language, &content)]
        {
            let with = |card: &str| filled(spoken.prompt().with, &[("card", &shown(spoken, card))]);
            let named = with("Visa •••• 4242");
            assert!(texts.body.contains(&named), "{}", texts.body);
            let named = gsm7::plain(&with("Visa 4242"));
            let text = &texts.text;
            assert!(fits_in(spoken, text) && text.contains(&named), "{spoken:?}: {text}");
            assert!(text.contains("19.99 EUR") && texts.body.contains("19.99 EUR"), "{text}");
        }
    }
}

#[test]
fn prompt_in_a_text_leaves_out_a_card_that_costs_a_segment() {
    let card =
        CardName { brand: Some("american_express".to_owned()), last4: Some("4242".to_owned()) };
    let payee = "The Municipal Water, Waste Water and Street Lighting Company";
    let content = PromptContent { card: Some(&card), ..payment(payee, "99999999 JPY", "") };
    let texts = in_english(&content);
    assert!(fits(&texts.text) && !texts.text.contains("4242"), "{}", texts.text);
    assert!(texts.body.contains("4242"), "{}", texts.body);
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is read in the output of the test")]
fn text_messages_cost_few_segments_in_every_language() {
    let mut table = String::from(
        "language: characters and segments of a prompt, a reminder, an assistant's prompt\n",
    );
    for spoken in TextLanguage::ALL {
        let language = spoken.tag().parse().unwrap();
        let money = crate::amount(
            &language,
            &language,
            domain::values::money::Money::new(4250, "EUR".parse().unwrap()).unwrap(),
        );
        let usual = payment("Acme Energy Ltd", &money, "Invoice 4711");
        let assistant = PromptContent { by_assistant: true, ..usual };
        let texts = [
            prompt(&language, &language, &usual).text,
            reminder(&language, &language, &usual).text,
            prompt(&language, &language, &assistant).text,
        ];
        let is_gsm = gsm7::folded(spoken.prompt().answer).is_some();
        table += &format!("{} {}", spoken.tag(), if is_gsm { "GSM-7" } else { "UCS-2" });
        for text in &texts {
            table += &format!(" {}/{}", text.chars().count(), segments(text));
            assert_eq!(gsm7::septets(text).is_some(), is_gsm, "{text}");
            assert!(segments(text) <= if is_gsm { 1 } else { 2 }, "{spoken:?}: {text}");
        }
        table.push('\n');
    }
    println!("{table}");
}

#[test]
fn message_from_right_to_left_isolates_what_is_not_its_own() {
    let arabic = "ar".parse().unwrap();
    let content = payment("Acme Ltd", "42.50 EUR", "Invoice 4711");
    let texts = prompt(&arabic, &arabic, &content);
    for message in [&texts.body, &texts.text] {
        for value in ["\u{2068}Acme Ltd\u{2069}", "\u{2068}42.50 EUR\u{2069}"] {
            assert!(message.contains(value), "{message}");
        }
        let depth = message.chars().try_fold(0_i32, |depth, c| match c {
            '\u{2068}' => Some(depth + 1),
            '\u{2069}' => (depth > 0).then_some(depth - 1),
            _ => Some(depth),
        });
        assert_eq!(depth, Some(0), "{message}");
    }
    assert!(texts.text.contains(&format!(" {LINK}")), "a link stands alone: {}", texts.text);
    // A payee from right to left is isolated in English too, and nothing else is.
    let texts = in_english(&payment("שלום", "42.50 EUR", ""));
    assert!(
        texts.body.starts_with("\u{2068}שלום\u{2069} asks you to pay 42.50 EUR"),
        "{}",
        texts.body
    );
}
