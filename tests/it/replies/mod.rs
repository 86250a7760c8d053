//! Texts that customers write: a corpus with the right meaning of each, and the counts of wrong readings.
//!
//! `corpus.tsv` was written before the rules, and `held_out.tsv` after them. The rules were not changed for the second
//! one before its first figures were known.

use domain::values::language::Language;
use tests::targets::budget;
use texts::inbound::{Listener, Meaning};

/// A text of the corpus.
struct Sample {
    language: Language,
    right: Option<Meaning>,
    text: String,
}

/// The wrong readings of a corpus, as lines for a reader of the test's output.
#[derive(Default)]
struct MisreadCounts {
    false_stops: Vec<String>,
    missed_stops: Vec<String>,
    false_approvals: Vec<String>,
    others: Vec<String>,
}

fn read(file: &str) -> Vec<Sample> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let [language, right, text] = line.splitn(3, '\t').collect::<Vec<_>>()[..] else {
            panic!("a line has three parts: {line:?}");
        };
        let right = match right {
            "stop" => Some(Meaning::Stop),
            "start" => Some(Meaning::Start),
            "yes" => Some(Meaning::Yes),
            "no" => Some(Meaning::No),
            "-" => None,
            _ => panic!("{line:?}"),
        };
        Sample { language: language.parse().unwrap(), right, text: text.replace("\\n", "\n") }
    };
    lines.map(sample).collect()
}

/// Reads each text as one of a customer of its language, whose brand is English and is called Demo Shop.
fn judge(samples: &[Sample]) -> MisreadCounts {
    let brand = Language::default();
    let mut wrong = MisreadCounts::default();
    for Sample { language, right, text } in samples {
        let got = Listener::new([language, &brand], "Demo Shop").meaning(text);
        if got == *right {
            continue;
        }
        let line = format!("{language}: {text:?} is {right:?}, read as {got:?}");
        match (got, right) {
            (Some(Meaning::Stop), _) => wrong.false_stops.push(line),
            (_, Some(Meaning::Stop)) => wrong.missed_stops.push(line),
            (Some(Meaning::Yes), _) => wrong.false_approvals.push(line),
            (Some(Meaning::Start | Meaning::No) | None, _) => wrong.others.push(line),
        }
    }
    wrong
}

/// Prints the counts, and returns them in per mille of all texts.
#[expect(clippy::print_stdout, reason = "the counts are read in the output of the test")]
fn counted(name: &str, samples: &[Sample]) -> [usize; 4] {
    let MisreadCounts { false_stops, missed_stops, false_approvals, others } = judge(samples);
    let lists = [
        ("false stops", false_stops),
        ("missed stops", missed_stops),
        ("false approvals", false_approvals),
        ("other wrong readings", others),
    ];
    println!("{name}: {} texts", samples.len());
    lists.map(|(kind, lines)| {
        println!("{name}: {} {kind}", lines.len());
        lines.iter().for_each(|line| println!("  {line}"));
        lines.len() * 1_000 / samples.len()
    })
}

fn all() -> Vec<Sample> {
    read(concat!(include_str!("corpus.tsv"), include_str!("held_out.tsv")))
}

#[test]
fn stops_of_the_corpus_are_read_rightly_in_99_of_100() {
    let samples = all();
    let stops = samples.iter().filter(|sample| sample.right == Some(Meaning::Stop)).count();
    let mut languages: Vec<&str> = samples.iter().map(|sample| sample.language.primary()).collect();
    languages.sort_unstable();
    languages.dedup();
    assert!(samples.len() >= 400 && stops >= 150 && languages.len() >= 8, "{languages:?}");
    let [false_stops, missed_stops, false_approvals, others] = counted("corpus", &samples);
    assert!(false_stops <= 10, "{false_stops} per mille of the texts are false stops");
    // Of the stops alone, one in a hundred may be missed.
    let missed = missed_stops * samples.len() / stops;
    assert!(missed <= 10, "{missed} per mille of the stops are missed");
    assert_eq!(false_approvals, 0);
    assert!(others <= 20, "{others} per mille of the texts are read wrongly otherwise");
}

/// No text that the corpus calls anything else is read as a yes, in any language of the customer.
#[test]
fn text_of_another_language_never_approves_by_accident() {
    let samples = all();
    let brand = Language::default();
    for language in ["de", "en", "es", "fr", "it", "nl", "pl", "pt", "hi"] {
        let language: Language = language.parse().unwrap();
        let listener = Listener::new([&language, &brand], "Demo Shop");
        for sample in samples.iter().filter(|sample| sample.right != Some(Meaning::Yes)) {
            let got = listener.meaning(&sample.text);
            assert_ne!(got, Some(Meaning::Yes), "{language}: {:?}", sample.text);
        }
    }
}

/// Reading a text takes time in proportion to its length, and no more than its longest part that is read.
#[test]
fn long_text_is_read_within_its_budget() {
    let languages: [Language; 2] = ["de".parse().unwrap(), "es".parse().unwrap()];
    let listener = Listener::new(&languages, "Demo Shop");
    assert_eq!(listener.meaning("warm"), None);
    for unit in [
        "not it ",
        "hello there ",
        "don't ",
        "stop ",
        "“",
        "\"stop ",
        ". ",
        "a",
        "no more ",
        "if not ",
        "🛑",
        "\n",
    ] {
        for length in [4_096, 16_384, 262_144] {
            let text: String = unit.chars().cycle().take(length).collect();
            let took = budget::time_of(|| listener.meaning(&text));
            assert!(took.is_none_or(|took| took < budget::BUDGET), "{unit:?} × {length}: {took:?}");
        }
    }
}
