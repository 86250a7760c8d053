//! Days in UTC.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::values::time::Timestamp;

const MILLIS: i64 = 86_400_000;

/// A day in UTC, in text as `2026-11-27`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

/// A text that is not a day.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a day is written as 2026-11-27")]
pub struct InvalidDay;

impl Day {
    /// Returns the day of a time.
    #[must_use]
    pub const fn of(time: Timestamp) -> Self {
        Self(time.as_millis().div_euclid(MILLIS))
    }

    /// Returns the first time of the day.
    #[must_use]
    pub const fn begins_at(self) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_mul(MILLIS))
    }

    /// Returns the first time after the day.
    #[must_use]
    pub const fn ends_at(self) -> Timestamp {
        self.after(1).begins_at()
    }

    /// Returns the day that many days later; earlier for a negative number.
    #[must_use]
    pub const fn after(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Returns the days from this one to a later one, both with it; empty where it is not later.
    pub fn to(self, last: Self) -> impl Iterator<Item = Self> {
        (self.0..=last.0).map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.begins_at().to_string();
        f.write_str(text.split('T').next().unwrap_or(&text))
    }
}

impl FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let is_plain = text.len() == 10 && text.parse::<Date>().is_ok();
        let begins_at = is_plain.then(|| format!("{text}T00:00:00Z").parse::<Timestamp>());
        match begins_at {
            Some(Ok(time)) => Ok(Self::of(time)),
            Some(Err(_)) | None => Err(InvalidDay),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_is_read_as_it_is_written() {
        for text in ["2026-11-27", "2024-02-29", "1970-01-01", "1969-12-31"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for wrong in ["", "2026-11-31", "2025-02-29", "2026-1-1", "20261127", "2026-11-27T00:00Z"] {
            assert_eq!(wrong.parse::<Day>(), Err(InvalidDay), "{wrong}");
        }
    }

    #[test]
    fn day_has_its_first_time_and_not_the_next_days() {
        let day: Day = "2026-11-27".parse().unwrap();
        assert_eq!(Day::of(day.begins_at()), day);
        assert_eq!(Day::of(Timestamp::from_millis(day.ends_at().as_millis() - 1)), day);
        assert_eq!(Day::of(day.ends_at()), day.after(1));
        assert_eq!(day.after(-1).to(day.after(1)).count(), 3);
        assert_eq!(day.to(day.after(-1)).count(), 0);
    }
}
