//! The reports of browsers about content that the consent page's policy blocked: a sign of a changed page or script.
//!
//! Any caller can send a report, so a report changes nothing. Its address is the customer's secret and is never logged.

use std::sync::{Mutex, PoisonError};

use domain::problem::{Code, Problem};
use domain::values::time::Timestamp;
use http::header::HeaderName;
use http::uri::Uri;
use serde::Deserialize;

/// The path to which browsers send reports.
pub(crate) const REPORTS_PATH: &str = "/reports/csp";
/// The header that names the group of the policy's `report-to` (Reporting API, <https://www.w3.org/TR/reporting-1/>).
pub(crate) const REPORTING_ENDPOINTS: HeaderName = HeaderName::from_static("reporting-endpoints");
/// The group, whose address is relative to the page.
pub(crate) const REPORTING_GROUP: &str = r#"csp="/reports/csp""#;
/// The largest body of a call with reports. A browser sends a few kilobytes.
pub(crate) const REPORTS_MAX: usize = 16 * 1024;
/// The most reports that are read of one call.
const REPORTS_OF_A_CALL: usize = 8;
/// The most lines that one process logs in a minute.
const LINES_OF_A_MINUTE: u32 = 30;

/// The lines that were logged in the current minute.
#[derive(Default)]
pub(crate) struct ReportLimit(Mutex<(i64, u32)>);

impl ReportLimit {
    /// Returns whether one more line may be logged now.
    fn has_room(&self, now: Timestamp) -> bool {
        let minute = now.as_secs().div_euclid(60);
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != minute {
            *counted = (minute, 0);
        }
        counted.1 = counted.1.saturating_add(1);
        counted.1 <= LINES_OF_A_MINUTE
    }
}

/// A report in either of its formats: the body of the Reporting API, or that of `report-uri`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Violation {
    #[serde(alias = "effectiveDirective", alias = "effective-directive")]
    effective: String,
    #[serde(rename = "violated-directive")]
    violated: String,
    #[serde(alias = "blockedURL", alias = "blocked-uri")]
    blocked: String,
}

#[derive(Deserialize)]
struct Report {
    #[serde(rename = "type")]
    kind: String,
    body: Violation,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Reports {
    Many(Vec<Report>),
    One {
        #[serde(rename = "csp-report")]
        report: Violation,
    },
}

/// Logs what a browser reports: the directive and the host, and no address.
///
/// # Errors
/// A [`Problem`] when the body is no report.
pub(crate) fn record(limit: &ReportLimit, body: &[u8], now: Timestamp) -> Result<(), Problem> {
    let reports: Reports = serde_json::from_slice(body).map_err(|_not_a_report| {
        Problem::new(Code::InvalidRequest, "the body is not a report of a browser")
    })?;
    let violations: Vec<Violation> = match reports {
        Reports::One { report } => vec![report],
        Reports::Many(reports) => {
            let known = reports.into_iter().filter(|report| report.kind == "csp-violation");
            known.map(|report| report.body).take(REPORTS_OF_A_CALL).collect()
        }
    };
    for violation in violations {
        if limit.has_room(now) {
            let directive = [&violation.effective, &violation.violated].map(|text| directive(text));
            let directive = directive.into_iter().flatten().next().unwrap_or("other");
            let blocked = blocked(&violation.blocked);
            tracing::warn!(
                target: ports::AUDIT, event = "content_blocked", directive, blocked,
                "browser blocked content of a consent page"
            );
        }
    }
    Ok(())
}

/// Returns the name of a directive; `None` for any other text.
fn directive(text: &str) -> Option<&str> {
    let name = text.split(' ').next().unwrap_or_default();
    is_keyword(name).then_some(name)
}

/// Returns the host of a blocked address, or a keyword such as `inline`. A path or a query may hold anything.
fn blocked(text: &str) -> String {
    let known = text.parse::<Uri>().ok().and_then(|uri| {
        let (scheme, host) = (uri.scheme_str()?, uri.host()?);
        (host.len() <= 100).then(|| format!("{scheme}://{host}"))
    });
    let scheme = text.split(':').next().unwrap_or_default();
    known.unwrap_or_else(|| if is_keyword(scheme) { scheme } else { "other" }.to_owned())
}

fn is_keyword(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_694_400_000);

    #[test]
    fn blocked_address_is_shown_by_its_host_alone() {
        for (text, shown) in [
            ("inline", "inline"),
            ("eval", "eval"),
            ("data:text/html;base64,secret", "data"),
            ("https://evil.example/c/secret?secret=1", "https://evil.example"),
            ("https://user:secret@evil.example:8443/secret", "https://evil.example"),
            ("Secret text", "other"),
            ("", "other"),
        ] {
            assert_eq!(blocked(text), shown, "{text}");
        }
        assert_eq!(directive("script-src-elem 'self'"), Some("script-src-elem"));
        assert_eq!(directive("Secret\n"), None);
    }

    #[test]
    fn lines_of_a_minute_are_bounded() {
        let limit = ReportLimit::default();
        let logged = (0..1_000).filter(|_| limit.has_room(NOW)).count();
        assert_eq!(logged, 30);
        assert!(limit.has_room(NOW.after(std::time::Duration::from_secs(60))));
    }

    #[test]
    fn report_in_either_format_is_read_and_others_refused() {
        let limit = ReportLimit::default();
        for (body, taken) in [
            (r#"{"csp-report":{"violated-directive":"script-src","blocked-uri":"inline"}}"#, true),
            (
                r#"[{"type":"csp-violation","age":1,"url":"https://a/c/x","body":{"blockedURL":"x"}}]"#,
                true,
            ),
            (r#"[{"type":"deprecation","body":{}}]"#, true),
            ("[]", true),
            ("{}", false),
            ("x", false),
            (r#"{"csp-report":{"blocked-uri":7}}"#, false),
        ] {
            assert_eq!(record(&limit, body.as_bytes(), NOW).is_ok(), taken, "{body}");
        }
    }
}
