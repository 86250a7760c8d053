//! The counters of prose, on small snippets.

use super::source::{Kind, of_lines, of_markdown, of_rust};
use super::{Rule, offences};

/// The rules that a Rust source breaks, with the line of each.
fn broken(source: &str) -> Vec<(usize, Rule)> {
    offences(&of_rust(source)).into_iter().map(|offence| (offence.line, offence.rule)).collect()
}

/// The word that rule 7 puts first, kept out of this file's own prose.
fn banned() -> &'static str {
    include_str!("words.txt").lines().next().unwrap()
}

fn numbered(words: usize) -> String {
    let words: Vec<String> = (0..words).map(|n| format!("word{n}")).collect();
    words.join(" ")
}

#[test]
fn word_in_comment_text_or_name_is_counted() {
    let word = banned();
    for source in [
        format!("// A {word} here."),
        format!("/// Loads what {word} wrote."),
        format!("let a = \"it is {word}'s\";"),
        format!("let a = r#\"it is \"{word}\"\"#;"),
        format!("fn a_{word}_b() {{}}"),
        format!("fn a_{word}s_b() {{}}"),
    ] {
        assert_eq!(broken(&source), [(1, Rule::Word)], "{source}");
    }
    let value = "None";
    assert_eq!(broken(&format!("// The limit is {value}. `{value}` is {value}: none.")), []);
    assert_eq!(broken("const A: &str = \"Option::is_none\";"), []);
    assert_eq!(broken("const A: &str = \"if main.is_none()\";"), []);
    assert_eq!(broken(&["fn limit_is", "none() {}"].join("_")), [(1, Rule::Word)]);
    assert_eq!(broken(&format!("let {word} = '\"'; let b = '\\''; // plain")), []);
}

#[test]
fn phrase_over_two_lines_is_counted_once() {
    let source = "fn a() {}\n// What became\n// of it.\nfn became_new() {}";
    assert_eq!(broken(source), [(2, Rule::Word)]);
}

#[test]
fn mark_in_comment_is_counted_but_not_in_code() {
    let mark = ["[", "M", "]"].concat();
    assert_eq!(broken(&format!("// So it is {mark}.\nlet a = b{mark};")), [(1, Rule::Mark)]);
}

#[test]
fn name_of_sixty_characters_is_the_longest() {
    let name = "n".repeat(60);
    assert_eq!(broken(&format!("async fn {name}() {{}}")), []);
    assert_eq!(broken(&format!("async fn {name}n() {{}}")), [(1, Rule::LongName)]);
}

#[test]
fn summary_of_article_and_noun_says_nothing() {
    for empty in ["When.", "The table.", "How much.", "A card.", "Who."] {
        let source = format!("/// {empty}\nconst A: u8 = 1;");
        assert_eq!(broken(&source), [(1, Rule::EmptySummary)], "{empty}");
    }
    for useful in ["Returns it.", "The brand's table.", "Seconds since the epoch."] {
        assert_eq!(broken(&format!("/// {useful}\nconst A: u8 = 1;")), [], "{useful}");
    }
    assert_eq!(broken("/// Loads the row.\n///\n/// When.\nconst A: u8 = 1;\n// Why."), []);
}

#[test]
fn sentence_of_twenty_words_is_the_longest() {
    let (twenty, more) = (numbered(20), numbered(21));
    assert_eq!(broken(&format!("// {twenty}. {}", twenty.to_uppercase())), []);
    assert_eq!(broken(&format!("// Short.\n// {more}.")), [(1, Rule::LongSentence)]);
    let capital = more.replacen('w', "W", 1);
    assert_eq!(broken(&format!("// Short.\n// {capital}.")), [(2, Rule::LongSentence)]);
    assert_eq!(broken(&format!("//! ```\n//! {more}\n//! ```")), []);
    assert_eq!(broken(&format!("let a = \"{more}\";")), []);
}

#[test]
fn second_colon_or_semicolon_is_counted() {
    assert_eq!(broken("// One: two, `a::b: c; d` at 10:30."), []);
    assert_eq!(broken("// One: two; three."), [(1, Rule::Joints)]);
}

#[test]
fn comment_after_code_stands_alone() {
    let kinds: Vec<Kind> =
        of_rust("let a = 1; // Some.\n// Other.\n").iter().map(|p| p.kind).collect();
    assert_eq!(kinds, [Kind::Comment, Kind::Comment]);
    assert_eq!(of_rust("let a = \"http://example\";")[0].kind, Kind::Text);
}

#[test]
fn document_and_script_are_counted_by_paragraph() {
    let (word, more) = (banned(), numbered(21));
    let count = |prose: &[_]| offences(prose).len();
    assert_eq!(
        count(&of_markdown(&format!("# {word}\n\n- {more}\n- short\n\n| {word} | {more} |"))),
        3
    );
    assert_eq!(count(&of_markdown(&format!("```sh\n{word} {more}\n```"))), 0);
    assert_eq!(count(&of_lines(&format!("# {more}\nprint('{word}')"), "#")), 2);
}
