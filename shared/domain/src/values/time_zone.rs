//! Time zones of the IANA database. The database is built in, so that no function needs the host's.

use std::fmt;
use std::str::FromStr;

use jiff::tz::{TimeZone as Rules, TimeZoneDatabase};

use super::json_text::parse_from_json;
use super::time::Timestamp;

/// A minute on the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarMinute {
    /// The year, 0 to 9999.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// The minute, 0 to 59.
    pub minute: u8,
}

impl fmt::Display for CalendarMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
    }
}

/// A time as the clocks of a zone show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The minute there.
    pub minute: CalendarMinute,
    /// The short name of the time there, such as `CET`, or its distance from Greenwich, such as `GMT+3`.
    pub zone: String,
}

/// A time zone of a place, such as `Europe/Berlin`.
#[derive(Clone, PartialEq, Eq)]
pub struct TimeZone(Rules);

impl TimeZone {
    /// Returns the name in the database.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or_default()
    }

    /// Returns what the clocks there show; `None` before the year 0 and after 9999.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> Option<LocalTime> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
        let info = self.0.to_offset_info(at);
        let time = info.offset().to_datetime(at);
        let minute = CalendarMinute {
            year: u16::try_from(time.year()).ok()?,
            month: u8::try_from(time.month()).ok()?,
            day: u8::try_from(time.day()).ok()?,
            hour: u8::try_from(time.hour()).ok()?,
            minute: u8::try_from(time.minute()).ok()?,
        };
        Some(LocalTime { minute, zone: short_name(info.abbreviation()) })
    }
}

/// Returns the short name of a time. The database writes `+03` and `+0545` where a place has no name of its own.
fn short_name(abbreviation: &str) -> String {
    let Some(sign) = abbreviation.chars().next().filter(|first| matches!(first, '+' | '-')) else {
        return abbreviation.to_owned();
    };
    let digits = abbreviation.trim_start_matches(sign);
    let (hours, minutes) = digits.split_at_checked(2).unwrap_or((digits, ""));
    let hours = hours.trim_start_matches('0');
    let hours = if hours.is_empty() { "0" } else { hours };
    let minutes = if minutes.is_empty() { String::new() } else { format!(":{minutes}") };
    format!("GMT{sign}{hours}{minutes}")
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimeZone").field(&self.name()).finish()
    }
}

/// A text that names no place's time zone.
#[derive(Debug, thiserror::Error)]
#[error("not the name of a place's time zone, such as `Europe/Berlin` or `America/New_York`")]
pub struct InvalidTimeZone;

impl FromStr for TimeZone {
    type Err = InvalidTimeZone;

    /// Reads a name such as `Europe/Berlin`, in any case.
    ///
    /// `UTC`, `CET` and `Etc/GMT-1` name no place: their clocks never change, or hang in no town.
    fn from_str(text: &str) -> Result<Self, InvalidTimeZone> {
        let is_place =
            text.split_once('/').is_some_and(|(area, _)| !area.eq_ignore_ascii_case("etc"));
        let found = if is_place { TimeZoneDatabase::bundled().get(text).ok() } else { None };
        found.map(Self).ok_or(InvalidTimeZone)
    }
}

parse_from_json!(TimeZone);

#[cfg(test)]
mod tests {
    use super::*;

    fn local(zone: &str, at: &str) -> String {
        let zone: TimeZone = zone.parse().unwrap();
        let LocalTime { minute, zone } = zone.local(at.parse().unwrap()).unwrap();
        format!("{minute} {zone}")
    }

    #[test]
    fn time_is_that_of_the_clocks_there() {
        for (zone, at, shown) in [
            ("Europe/Berlin", "2026-12-01T23:30:00Z", "2026-12-02 00:30 CET"),
            ("Europe/Berlin", "2026-07-01T23:30:59Z", "2026-07-02 01:30 CEST"),
            // The hour that the clocks show twice.
            ("America/New_York", "2026-11-01T05:30:00Z", "2026-11-01 01:30 EDT"),
            ("America/New_York", "2026-11-01T06:30:00Z", "2026-11-01 01:30 EST"),
            ("asia/kolkata", "2026-12-31T18:30:00Z", "2027-01-01 00:00 IST"),
            ("Asia/Kathmandu", "2026-12-01T00:00:00Z", "2026-12-01 05:45 GMT+5:45"),
            ("Europe/Istanbul", "2026-12-01T00:00:00Z", "2026-12-01 03:00 GMT+3"),
            ("America/Sao_Paulo", "2026-12-01T00:00:00Z", "2026-11-30 21:00 GMT-3"),
            ("Pacific/Kiritimati", "2026-12-01T12:00:00Z", "2026-12-02 02:00 GMT+14"),
        ] {
            assert_eq!(local(zone, at), shown);
        }
    }

    #[test]
    fn only_a_place_is_a_time_zone() {
        for name in [
            "",
            "UTC",
            "CET",
            "Etc/GMT-1",
            "etc/UTC",
            "Europe",
            "Europe/Atlantis",
            "Europe/../Berlin",
            "/",
        ] {
            assert!(name.parse::<TimeZone>().is_err(), "{name}");
        }
        assert_eq!("europe/berlin".parse::<TimeZone>().unwrap().name(), "Europe/Berlin");
    }
}
