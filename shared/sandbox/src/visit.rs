//! The hosted page of the sandbox processor, for test mode.

use domain::branding::Branding;

/// A visit of the sandbox's hosted page.
#[derive(Clone, Copy, Debug)]
pub struct SandboxVisit<'a> {
    /// The processor's id of the page, such as `cs_…`, from its URL.
    pub id: &'a str,
    /// The posted form; `None` for a `GET`.
    pub form: Option<&'a [u8]>,
    /// The branding of the brand whose customer visits, where it is known.
    pub branding: Option<&'a Branding>,
}

/// The response to a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxPage {
    /// A page with its security policy.
    Html {
        /// HTML.
        html: String,
        /// The `Content-Security-Policy`.
        policy: String,
    },
    /// A redirect to another URL.
    Redirect(String),
}
