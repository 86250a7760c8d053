//! The numbers of two digits that a listener easily takes for each other.
//!
//! One rule holds for all languages: the agent and the customer may speak another one than the request names. Agents read a
//! code digit by digit, "six, zero". The rule is for those who do not.

/// Languages that say 13 to 19 much as 30 to 90: sixteen and sixty, vierzehn and vierzig, shísì and sìshí.
#[cfg(test)]
const TEENS: &str = "cs da de en nb nl pl sv uk zh";
/// Languages that say the unit before the ten, so that 47 and 74 are mixed up.
#[cfg(test)]
const UNIT_FIRST: &str = "ar cs da de nl";

/// Tens that sound alike before the same unit, with the languages in which they do.
const TENS: [([u8; 2], &str); 5] = [
    ([3, 4], "hi"),
    ([5, 6], "da"),
    ([6, 7], "es fr he hu it pt ro"),
    ([7, 9], "ar da"),
    ([8, 9], "fr"),
];

/// Units that sound alike behind the same ten, such as zwei and drei, hat and hét, shichi and ichi.
const UNITS: [([u8; 2], &str); 5] =
    [([1, 4], "hu"), ([1, 7], "ja ko"), ([2, 3], "de"), ([6, 7], "he hu ro"), ([7, 9], "ar")];

/// Returns whether a listener easily takes two numbers for each other, in one of our languages.
pub(crate) fn sound_alike(one: u8, other: u8) -> bool {
    let parts = |number: u8| (number / 10, number % 10);
    let ((tens, unit), (other_tens, other_unit)) = (parts(one), parts(other));
    let is_teen_of = |(teen, its_unit): (u8, u8), (ty, zero): (u8, u8)| {
        teen == 1 && zero == 0 && its_unit >= 2 && its_unit == ty
    };
    let is_listed = |list: &[([u8; 2], &str)], one: u8, other: u8| {
        list.iter().any(|(pair, _)| *pair == [one.min(other), one.max(other)])
    };
    let is_twisted = tens == other_unit && unit == other_tens;
    one == other
        || is_twisted
        || is_teen_of((tens, unit), (other_tens, other_unit))
        || is_teen_of((other_tens, other_unit), (tens, unit))
        || (unit == other_unit && is_listed(&TENS, tens, other_tens))
        || (tens == other_tens && is_listed(&UNITS, unit, other_unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_each_language_that_sound_alike_are_known() {
        for (language, pairs) in [
            ("en", vec![(13, 30), (16, 60), (19, 90)]),
            ("de", vec![(14, 40), (47, 74), (82, 83)]),
            ("nl", vec![(14, 40), (25, 52)]),
            ("da", vec![(13, 30), (52, 62), (71, 91), (38, 83)]),
            ("sv", vec![(17, 70)]),
            ("nb", vec![(13, 30)]),
            ("fr", vec![(62, 72), (84, 94)]),
            ("es", vec![(61, 71)]),
            ("it", vec![(68, 78)]),
            ("pt", vec![(66, 76)]),
            ("ro", vec![(60, 70), (26, 27)]),
            ("pl", vec![(12, 20), (15, 50), (19, 90)]),
            ("cs", vec![(13, 30), (21, 12)]),
            ("uk", vec![(13, 30), (15, 50)]),
            ("hu", vec![(63, 73), (46, 47), (31, 34)]),
            ("ar", vec![(70, 90), (57, 59), (36, 63)]),
            ("he", vec![(64, 74), (16, 17)]),
            ("ja", vec![(31, 37)]),
            ("ko", vec![(51, 57)]),
            ("zh", vec![(14, 40)]),
            ("hi", vec![(33, 43)]),
        ] {
            for (one, other) in pairs {
                assert!(
                    sound_alike(one, other) && sound_alike(other, one),
                    "{language} {one} {other}"
                );
            }
            let lists = TENS.iter().chain(&UNITS).map(|(_, languages)| *languages);
            let mut lists = lists.chain([TEENS, UNIT_FIRST]);
            assert!(lists.any(|list| list.split(' ').any(|tag| tag == language)), "{language}");
        }
        for (one, other) in [(16, 62), (10, 2), (0, 90), (21, 31), (46, 56), (25, 26)] {
            assert!(!sound_alike(one, other) && !sound_alike(other, one), "{one} {other}");
        }
    }

    #[test]
    fn each_number_leaves_most_others_to_draw() {
        for number in 0..100 {
            let alike = (0..100).filter(|other| sound_alike(number, *other)).count();
            assert!(alike <= 8, "{number}: {alike}");
        }
    }
}
