//! Texts with a number, in the plural forms of each language.

/// A text with `{n}`, in each form that its language has for whole numbers. The rules are those of CLDR.
///
/// Each variant is the rule of some languages, so that a missing form does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluralText {
    /// One text for all numbers: Chinese, Japanese, Korean.
    Same {
        /// Every number.
        other: &'static str,
    },
    /// English, and most languages of Europe.
    One {
        /// 1.
        one: &'static str,
        /// Every other number.
        other: &'static str,
    },
    /// French, Hindi and the Portuguese of Brazil.
    ZeroOne {
        /// 0 and 1.
        one: &'static str,
        /// Every other number.
        other: &'static str,
    },
    /// Polish.
    Polish {
        /// 1.
        one: &'static str,
        /// Numbers that end in 2 to 4, without 12 to 14.
        few: &'static str,
        /// Every other number.
        many: &'static str,
    },
    /// Ukrainian.
    Ukrainian {
        /// Numbers that end in 1, without 11.
        one: &'static str,
        /// Numbers that end in 2 to 4, without 12 to 14.
        few: &'static str,
        /// Every other number.
        many: &'static str,
    },
    /// Czech.
    Czech {
        /// 1.
        one: &'static str,
        /// 2 to 4.
        few: &'static str,
        /// Every other number.
        other: &'static str,
    },
    /// Romanian.
    Romanian {
        /// 1.
        one: &'static str,
        /// 0, and numbers that end in 01 to 19.
        few: &'static str,
        /// Every other number.
        other: &'static str,
    },
    /// Hebrew.
    Hebrew {
        /// 1.
        one: &'static str,
        /// 2.
        two: &'static str,
        /// Every other number.
        other: &'static str,
    },
    /// Arabic.
    Arabic {
        /// 0.
        zero: &'static str,
        /// 1.
        one: &'static str,
        /// 2.
        two: &'static str,
        /// Numbers that end in 03 to 10.
        few: &'static str,
        /// Numbers that end in 11 to 99.
        many: &'static str,
        /// Every other number.
        other: &'static str,
    },
}

impl PluralText {
    /// Returns the category of CLDR for a number, such as `few`, and the text of it.
    #[must_use]
    pub const fn form(&self, n: u64) -> (&'static str, &'static str) {
        match *self {
            Self::Same { other } => ("other", other),
            Self::One { one, other } => {
                if n == 1 {
                    ("one", one)
                } else {
                    ("other", other)
                }
            }
            Self::ZeroOne { one, other } => {
                if n <= 1 {
                    ("one", one)
                } else {
                    ("other", other)
                }
            }
            Self::Polish { one, few, many } => match n {
                1 => ("one", one),
                _ if ends_in_2_to_4(n) => ("few", few),
                _ => ("many", many),
            },
            Self::Ukrainian { one, few, many } => match n {
                _ if n % 10 == 1 && n % 100 != 11 => ("one", one),
                _ if ends_in_2_to_4(n) => ("few", few),
                _ => ("many", many),
            },
            Self::Czech { one, few, other } => match n {
                1 => ("one", one),
                2..=4 => ("few", few),
                _ => ("other", other),
            },
            Self::Romanian { one, few, other } => match (n, n % 100) {
                (1, _) => ("one", one),
                (0, _) | (_, 1..=19) => ("few", few),
                _ => ("other", other),
            },
            Self::Hebrew { one, two, other } => match n {
                1 => ("one", one),
                2 => ("two", two),
                _ => ("other", other),
            },
            Self::Arabic { zero, one, two, few, many, other } => match (n, n % 100) {
                (0, _) => ("zero", zero),
                (1, _) => ("one", one),
                (2, _) => ("two", two),
                (_, 3..=10) => ("few", few),
                (_, 11..=99) => ("many", many),
                _ => ("other", other),
            },
        }
    }

    /// Returns every form with its category of CLDR, which `Intl.PluralRules` of a browser names too.
    #[must_use]
    pub fn forms(&self) -> Vec<(&'static str, &'static str)> {
        let mut forms: Vec<(&'static str, &'static str)> = Vec::new();
        // 100 shows the last form, and 0 to 20 show the others.
        for n in (0..=20).chain([100]) {
            let form = self.form(n);
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        forms
    }
}

const fn ends_in_2_to_4(n: u64) -> bool {
    matches!(n % 10, 2..=4) && !matches!(n % 100, 12..=14)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TextLanguage;

    /// The category of each number from 0, from the table of CLDR.
    fn categories(runs: &str) -> Vec<&str> {
        let runs = runs.split(' ').map(|run| run.split_once('*').unwrap());
        runs.flat_map(|(name, count)| vec![name; count.parse().unwrap()]).collect()
    }

    #[test]
    fn plural_texts_follow_the_rules_of_cldr_in_every_language() {
        let rows = include_str!("cldr/plurals.tsv").lines().filter_map(|row| row.split_once('\t'));
        for (tag, runs) in rows {
            let found = TextLanguage::ALL.into_iter().find(|language| language.tag() == tag);
            let Some(language) = found else { continue };
            let page = language.page();
            for counted in [page.left_minutes, page.left_hours, page.left_days] {
                for (n, expected) in (0..).zip(categories(runs)) {
                    assert_eq!(counted.form(n).0, expected, "{tag} {n}");
                }
            }
        }
    }

    #[test]
    fn every_form_is_listed_once() {
        let arabic =
            PluralText::Arabic { zero: "z", one: "o", two: "t", few: "f", many: "m", other: "x" };
        let names: Vec<&str> = arabic.forms().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["zero", "one", "two", "few", "many", "other"]);
    }
}
