//! Finds the characters of a text that no reader sees, by their Unicode properties.

use icu_properties::props::{
    CanonicalCombiningClass, DefaultIgnorableCodePoint, EmojiModifier, ExtendedPictographic,
    GeneralCategory, JoiningType, Script, UnifiedIdeograph,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// The most marks on one letter. Tibetan stacks and pointed Hebrew have up to five.
const MARKS_MAX: usize = 5;
/// The most spaces in a row. More push the rest of a text out of sight.
const SPACES_MAX: usize = 3;

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
/// The tag sequences of the flags of England, Scotland and Wales, which follow a black flag.
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_mark(c: char) -> bool {
    let kind = category(c);
    [GeneralCategory::NonspacingMark, GeneralCategory::SpacingMark].contains(&kind)
}

fn combining_class(c: char) -> CanonicalCombiningClass {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c)
}

fn is_pictographic(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

/// Returns whether a text has a letter or a digit, so that a reader sees something.
pub(super) fn has_letter_or_digit(text: &str) -> bool {
    text.chars().any(|c| c.is_alphanumeric() && !is_hidden(c))
}

/// Returns whether a text could be read as another one than it is.
pub(super) fn is_disguised(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let (mut marks, mut spaces) = (0_usize, 0_usize);
    let mut place = 0;
    while let Some(c) = chars.get(place).copied() {
        let (before, after) = chars.split_at(place);
        if let Some(length) = flag_length(before, after) {
            place += length;
            continue;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        spaces = if c.is_whitespace() { spaces + 1 } else { 0 };
        let bare = before.is_empty() && is_mark(c);
        if bare || marks > MARKS_MAX || spaces > SPACES_MAX {
            return true;
        }
        if is_hidden(c) && !is_needed(before, c, after.get(1..).unwrap_or_default()) {
            return true;
        }
        place += 1;
    }
    false
}

/// Returns whether no reader sees a character, or whether it changes what its neighbours look like.
fn is_hidden(c: char) -> bool {
    let hidden = [
        GeneralCategory::Control,
        GeneralCategory::Format,
        GeneralCategory::PrivateUse,
        GeneralCategory::Unassigned,
        GeneralCategory::Surrogate,
        GeneralCategory::LineSeparator,
        GeneralCategory::ParagraphSeparator,
        GeneralCategory::EnclosingMark,
    ];
    hidden.contains(&category(c))
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || combining_class(c) == CanonicalCombiningClass::Overlay
        // A blank of Braille, an object that is missing, a character that was damaged.
        || ['\u{2800}', '\u{FFFC}', '\u{FFFD}'].contains(&c)
}

/// Returns whether the spelling needs a hidden character where it stands.
fn is_needed(before: &[char], c: char, after: &[char]) -> bool {
    let Some(previous) = before.last().copied() else { return false };
    match c {
        ZERO_WIDTH_NON_JOINER => {
            combining_class(previous) == CanonicalCombiningClass::Virama || joins(before, after)
        }
        ZERO_WIDTH_JOINER => {
            combining_class(previous) == CanonicalCombiningClass::Virama
                || joins_emoji(before, after)
        }
        '\u{FE0E}' | '\u{FE0F}' => is_pictographic(previous),
        '\u{180B}'..='\u{180D}' | '\u{180F}' => {
            CodePointMapData::<Script>::new().get(previous) == Script::Mongolian
        }
        '\u{E0100}'..='\u{E01EF}' => CodePointSetData::new::<UnifiedIdeograph>().contains(previous),
        _ => false,
    }
}

/// Returns whether a non-joiner stands between two letters that would join (RFC 5892, appendix A.1).
fn joins(before: &[char], after: &[char]) -> bool {
    let kind = |c: &char| CodePointMapData::<JoiningType>::new().get(*c);
    let solid = |c: &&char| kind(c) != JoiningType::Transparent;
    let left = before.iter().rev().find(solid).map(kind);
    let right = after.iter().find(solid).map(kind);
    let joins_on = [JoiningType::LeftJoining, JoiningType::DualJoining];
    let joins_back = [JoiningType::RightJoining, JoiningType::DualJoining];
    left.is_some_and(|kind| joins_on.contains(&kind))
        && right.is_some_and(|kind| joins_back.contains(&kind))
}

/// Returns whether a joiner stands between two emoji, such as those of a family.
fn joins_emoji(before: &[char], after: &[char]) -> bool {
    let is_style = |c: char| {
        ['\u{FE0E}', '\u{FE0F}'].contains(&c)
            || CodePointSetData::new::<EmojiModifier>().contains(c)
    };
    let base = before.iter().rev().copied().find(|c| !is_style(*c));
    base.is_some_and(is_pictographic) && after.first().copied().is_some_and(is_pictographic)
}

/// Returns the number of tags that follow a black flag; `None` where it is no known flag.
fn flag_length(before: &[char], after: &[char]) -> Option<usize> {
    if before.last() != Some(&'\u{1F3F4}') {
        return None;
    }
    FLAGS.iter().find_map(|flag| {
        let tags = flag.chars().filter_map(|c| char::from_u32(u32::from(c) + 0xE_0000));
        let tags: Vec<char> = tags.chain(['\u{E007F}']).collect();
        after.starts_with(&tags).then_some(tags.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_found_by_property() {
        for code in [
            0x202E, 0x202D, 0x2066, 0x2069, 0x200E, 0x200F, 0x061C, 0x200B, 0x200C, 0x200D, 0x2060,
            0xFEFF, 0x00AD, 0x180E, 0x034F, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x17B4, 0x17B5,
            0xFE0F, 0xE0101, 0x1_D173, 0x206A, 0xE_0041, 0xFFFC, 0x1_3430, 0x1_BCA0, 0xE000,
            0xFDD0, 0x0335, 0x0338, 0x20E0, 0x85, 0x2028, 0x2029, 0x0B, 0x7F, 0x1B, 0, 0x10_FFFF,
            0xFFFD, 0x20DD, 0x1D17A, 0xE_0001, 0xF_0000, 0x2064, 0x206F,
        ] {
            let text = format!("Invoice 47{}11", char::from_u32(code).unwrap());
            assert!(is_disguised(&text), "U+{code:04X}");
        }
    }

    #[test]
    fn joiners_and_selectors_stay_where_scripts_need_them() {
        for text in [
            "\u{0DC1}\u{0DCA}\u{200D}\u{0DBB}\u{0DD3} \u{0DBD}\u{0D82}\u{0D9A}\u{0DCF}",
            "\u{0639}\u{0644}\u{06CC}\u{200C}\u{0631}\u{0636}\u{0627}",
            "\u{0915}\u{094D}\u{200D}\u{0937}\u{0924}\u{094D}\u{0930}\u{093F}\u{092F}",
            "\u{0995}\u{09CD}\u{200C}\u{09B7}",
            "Gift \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
            "Gift \u{1F469}\u{1F3FD}\u{200D}\u{1F680}",
            "Love \u{2764}\u{FE0F}",
            "Cup \u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "\u{845B}\u{E0100}\u{57CE}",
            "Zoe\u{0308} Nguye\u{0302}\u{0303}n",
            "\u{05E9}\u{05C1}\u{05B8}\u{05DC}\u{05D5}\u{05B9}\u{05DD}",
            "\u{0F56}\u{0F66}\u{0F92}\u{0FB2}\u{0F74}\u{0F56}\u{0F66}",
            "Price\u{00A0}list",
        ] {
            assert!(!is_disguised(text), "{text}");
        }
        for text in [
            "Ac\u{200D}me",
            "Ac\u{200C}me",
            "\u{200D}Acme",
            "Acme\u{200D}",
            "4\u{FE0F}2",
            "x\u{200D}\u{1F467}",
            "\u{1F467}\u{200D}x",
            "a\u{E0067}\u{E0062}\u{E007F}",
            "a\u{E0100}",
            "\u{0301}x",
            "Z\u{0300}\u{0301}\u{0302}\u{0303}\u{0304}\u{0305}",
            "a    b",
            "a\u{A0}\u{A0}\u{A0}\u{A0}b",
        ] {
            assert!(is_disguised(text), "{text}");
        }
    }
}
