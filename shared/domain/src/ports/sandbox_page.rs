//! The pages of the sandbox's processor, where customers of test mode pay as they would on a real processor's site.

use async_trait::async_trait;

use super::StoreError;

/// A customer's visit to a page.
#[derive(Clone, Copy, Debug)]
pub struct SandboxVisit<'a> {
    /// The sandbox's id of the object, such as `cs_…`, from the page's address.
    pub id: &'a str,
    /// The form that the customer sent; `None` for a visit without one.
    pub form: Option<&'a [u8]>,
}

/// The answer to a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxPage {
    /// A page to display.
    Html {
        /// The page's HTML.
        html: String,
        /// The page's `Content-Security-Policy`.
        policy: String,
    },
    /// An address to which the browser is redirected.
    Redirect(String),
}

/// Serves the sandbox's pages. Only an installation that opts into the sandbox has them.
#[async_trait]
pub trait SandboxPages: Send + Sync {
    /// Serves a visit; `None` where there is no such page.
    ///
    /// # Errors
    /// [`StoreError`]: the visit may be repeated.
    async fn sandbox_page(
        &self,
        visit: &SandboxVisit<'_>,
    ) -> Result<Option<SandboxPage>, StoreError>;
}
