//! The findings about one channel or processor.

use serde_json::{Value, json};

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It works.
    Works,
    /// It is wrong, and the finding says what mends it.
    Fault,
    /// No call could tell.
    NotChecked,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Fault => "fault",
            Self::NotChecked => "not_checked",
        }
    }
}

/// A check with its result.
#[derive(Debug)]
pub(crate) struct Finding {
    place: String,
    check: &'static str,
    /// The result of the check.
    pub(crate) verdict: Verdict,
    says: String,
    mend: Option<String>,
}

impl Finding {
    /// Returns the finding for a person.
    pub(crate) fn line(&self) -> String {
        let mark = match self.verdict {
            Verdict::Works => "works      ",
            Verdict::Fault => "FAULT      ",
            Verdict::NotChecked => "not checked",
        };
        let mend =
            self.mend.as_ref().map_or(String::new(), |mend| format!("\n             {mend}"));
        format!("{mark}  {}  {}: {}{mend}", self.place, self.check, self.says)
    }

    /// Returns the finding for a program.
    pub(crate) fn json(&self) -> Value {
        json!({
            "place": self.place, "check": self.check, "verdict": self.verdict.as_str(),
            "says": self.says, "mend": self.mend,
        })
    }
}

/// Something that is wrong.
#[derive(Debug)]
pub(crate) struct Fault {
    /// A stable name of the check.
    pub(crate) check: &'static str,
    /// What is wrong. It quotes no secret.
    pub(crate) says: String,
    /// The click or command that mends it.
    pub(crate) mend: String,
}

impl Fault {
    /// Creates a fault of fixed texts.
    pub(crate) fn new(check: &'static str, says: &str, mend: &str) -> Self {
        Self { check, says: says.to_owned(), mend: mend.to_owned() }
    }
}

/// The findings about one place in the brand's settings.
#[derive(Debug)]
pub(crate) struct Report {
    place: String,
    /// The findings so far.
    pub(crate) findings: Vec<Finding>,
}

impl Report {
    /// Opens an empty report.
    pub(crate) const fn new(place: String) -> Self {
        Self { place, findings: Vec::new() }
    }

    fn add(&mut self, check: &'static str, verdict: Verdict, says: String, mend: Option<String>) {
        let place = self.place.clone();
        self.findings.push(Finding { place, check, verdict, says, mend });
    }

    /// Adds what works.
    pub(crate) fn works(&mut self, check: &'static str, says: &str) {
        self.add(check, Verdict::Works, says.to_owned(), None);
    }

    /// Adds what no call could tell.
    pub(crate) fn unchecked(&mut self, check: &'static str, says: &str) {
        self.add(check, Verdict::NotChecked, says.to_owned(), None);
    }

    /// Adds what is wrong.
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.add(fault.check, Verdict::Fault, fault.says, Some(fault.mend));
    }

    /// Adds what a check found: what works, or the fault.
    pub(crate) fn record(&mut self, check: &'static str, found: Result<&str, Fault>) {
        match found {
            Ok(says) => self.works(check, says),
            Err(fault) => self.fault(fault),
        }
    }
}
