//! Numbers, dates and times as each language and region writes them, from tables of the Unicode CLDR.

use domain::values::time_zone::CalendarMinute;

const FORMATS: &str = include_str!("formats.tsv");
const MONTHS: &str = include_str!("months.tsv");

/// The formats of one locale, a line of `formats.tsv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Formats {
    /// Whether digits are Arabic-Indic.
    arabic_digits: bool,
    decimal: &'static str,
    group: &'static str,
    /// The digits of the last group, and of the groups before it: 3 and 2 in India.
    sizes: (usize, usize),
    /// The fewest digits before the last group for which groups are written.
    min_group: usize,
    date: &'static str,
    time: &'static str,
    /// The order of date, `{1}`, and time, `{0}`.
    joined: &'static str,
    /// The words of the half of the day, before and after noon.
    day_periods: [&'static str; 2],
    /// The short names of the months; empty where dates are numbers.
    months: &'static str,
}

impl Formats {
    /// Returns the formats of the first of the locales that the table has.
    pub(crate) fn of(locales: &[&str]) -> Option<Self> {
        let lines = FORMATS.lines().filter(|line| !line.starts_with('#'));
        let rows = lines.filter_map(|line| line.split_once('\t'));
        let find = |locale: &&str| {
            let mut rows = rows.clone();
            rows.find(|(tags, _)| tags.split(' ').any(|tag| tag == *locale)).map(|(_, row)| row)
        };
        let mut row = locales.iter().find_map(find)?.split('\t');
        let mut next = || row.next().unwrap_or_default();
        let (digits, decimal, group) = (next(), next(), next());
        let (first, rest) = next().split_once(';')?;
        Some(Self {
            arabic_digits: digits == "arab",
            decimal,
            group,
            sizes: (first.parse().ok()?, rest.parse().ok()?),
            min_group: next().parse().ok()?,
            date: next(),
            time: next(),
            joined: next(),
            day_periods: [next(), next()],
            months: months(next()),
        })
    }

    /// Writes a number of digits and at most one point, such as `1042.50`, with this locale's marks and groups.
    pub(crate) fn number(&self, plain: &str) -> String {
        let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
        let (first, rest) = self.sizes;
        let grouped = whole.len() >= first + self.min_group;
        let mut text = String::with_capacity(plain.len() + 8);
        for (place, digit) in whole.chars().enumerate() {
            let left = whole.len() - place;
            let ends_group = left == first || (left > first && (left - first) % rest.max(1) == 0);
            if place > 0 && grouped && ends_group {
                text.extend(self.group.chars().map(shown));
            }
            text.push(self.digit(digit));
        }
        if !part.is_empty() {
            text.extend(self.decimal.chars().map(shown));
            text.extend(part.chars().map(|digit| self.digit(digit)));
        }
        text
    }

    /// Writes a date and a time to the minute.
    pub(crate) fn date_time(&self, at: CalendarMinute) -> String {
        let joined = self.pattern(self.joined, at);
        let (date, time) = (self.pattern(self.date, at), self.pattern(self.time, at));
        joined.replace("{1}", &date).replace("{0}", &time)
    }

    /// Fills a pattern of CLDR (UTS 35, 4). Quoted letters and every other character stand as they are.
    fn pattern(&self, pattern: &str, at: CalendarMinute) -> String {
        let mut text = String::new();
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            if first == '\'' {
                let (quoted, after) =
                    rest.trim_start_matches('\'').split_once('\'').unwrap_or_default();
                text.push_str(quoted);
                rest = after;
                continue;
            }
            let end = rest.find(|c| c != first).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            match self.field(run, at) {
                Some(field) => text.push_str(&field),
                None => text.extend(run.chars().map(shown)),
            }
            rest = after;
        }
        text
    }

    /// Writes a field of a pattern; `None` for characters that are none.
    fn field(&self, run: &str, at: CalendarMinute) -> Option<String> {
        let hour_of_12 = if at.hour.is_multiple_of(12) { 12 } else { at.hour % 12 };
        let number = |value: u16| {
            let plain = format!("{value:0width$}", width = run.len());
            plain.chars().map(|digit| self.digit(digit)).collect()
        };
        Some(match run {
            "y" => number(at.year),
            "MMM" => {
                let name = self.months.split(' ').nth(usize::from(at.month).saturating_sub(1))?;
                name.chars().map(shown).collect()
            }
            "M" | "MM" => number(at.month.into()),
            "d" | "dd" => number(at.day.into()),
            "H" | "HH" => number(at.hour.into()),
            "h" => number(hour_of_12.into()),
            "mm" => number(at.minute.into()),
            "a" => {
                let [am, pm] = self.day_periods;
                let period = if at.hour < 12 { am } else { pm };
                period.chars().map(shown).collect()
            }
            _ => return None,
        })
    }

    /// Returns the digit as this locale writes it, and every other character as it is.
    pub(crate) fn digit(&self, c: char) -> char {
        let value = if self.arabic_digits { c.to_digit(10) } else { None };
        value.and_then(|value| char::from_u32(0x0660 + value)).unwrap_or(c)
    }
}

/// Returns the names of the months by their key in `months.tsv`.
fn months(key: &str) -> &'static str {
    let rows = MONTHS.lines().filter_map(|line| line.split_once('\t'));
    rows.into_iter().find(|(tag, _)| *tag == key).map(|(_, names)| names).unwrap_or_default()
}

/// Returns the character for which one of the tables has a visible one.
const fn shown(c: char) -> char {
    match c {
        '_' => '\u{A0}',
        '~' => '\u{202F}',
        '^' => '\u{200F}',
        _ => c,
    }
}

#[cfg(test)]
mod tests;
