//! The time that is left, in words. No clock time, as the customer's time zone is unknown.

use std::iter;

use texts::Locale;

/// The minutes at which the words change, below an hour and a little above it.
const MINUTES: [u64; 25] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 25, 30, 35, 40, 45, 50, 60, 75, 90];
/// The hours at which they change before that.
const HOURS: [u64; 8] = [2, 3, 4, 6, 9, 12, 24, 36];

/// Returns the time left in the largest unit of which two are left.
pub(super) fn left(seconds: u64, locale: Locale) -> String {
    let texts = locale.page();
    let rounded = |unit: u64| seconds.saturating_add(unit / 2) / unit;
    let (counted, count) = match seconds {
        0..60 => return texts.left_seconds.to_owned(),
        60..7_200 => (texts.left_minutes, rounded(60)),
        7_200..172_800 => (texts.left_hours, rounded(3_600)),
        172_800.. => (texts.left_days, rounded(86_400)),
    };
    locale.counted(&counted, count)
}

/// Returns the words that follow, as JSON pairs. Each has the seconds left at which it begins, and the longest comes first.
pub(super) fn steps(seconds: u64, locale: Locale) -> String {
    let minutes = MINUTES.map(|minutes| minutes * 60 + 29);
    let hours = HOURS.map(|hours| hours * 3_600 + 1_799);
    let later = hours.into_iter().rev().chain(minutes.into_iter().rev()).chain([59]);
    let later = later.filter(|begin| *begin < seconds);
    let steps: Vec<_> =
        iter::once(seconds).chain(later).map(|begin| (begin, left(begin, locale))).collect();
    serde_json::json!(steps).to_string()
}

#[cfg(test)]
mod tests {
    use domain::values::language::Language;

    use super::*;

    fn english() -> Locale {
        Locale::nearest(&Language::default(), &Language::default())
    }

    #[test]
    fn time_left_is_shown_in_whole_minutes() {
        let shown = |seconds| left(seconds, english());
        assert_eq!(shown(0), "Less than a minute left.");
        assert_eq!(shown(59), "Less than a minute left.");
        assert_eq!(shown(60), "About 1 minute left.");
        assert_eq!(shown(89), "About 1 minute left.");
        assert_eq!(shown(290), "About 5 minutes left.");
        assert_eq!(shown(7_200), "About 2 hours left.");
        assert_eq!(shown(172_799), "About 48 hours left.");
        assert_eq!(shown(7 * 86_400), "About 7 days left.");
    }

    /// The words of each second are those that the server would write then.
    #[test]
    fn steps_count_down_to_the_last_minute() {
        let texts = english();
        let steps: Vec<(u64, String)> = serde_json::from_str(&steps(299, texts)).unwrap();
        for seconds in 0..=299 {
            let words = steps.iter().rfind(|(begin, _)| seconds <= *begin).unwrap();
            assert_eq!(words.1, left(seconds, texts), "{seconds}");
        }
        assert_eq!(steps.len(), 6);
        let long = self::steps(7 * 86_400, texts);
        assert!(long.contains("About 7 days left.") && long.len() < 1_500, "{}", long.len());
    }
}
