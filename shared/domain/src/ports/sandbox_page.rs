//! The page of the sandbox's own processor, where customers of test mode pay as they would on a real processor's site.

use async_trait::async_trait;

use super::StoreError;

/// Somebody at such a page.
#[derive(Clone, Copy, Debug)]
pub struct SandboxVisit<'a> {
    /// What the page is about: the processor's id of it, such as `cs_…`, as the address names it.
    pub id: &'a str,
    /// The form they sent, where they sent one.
    pub form: Option<&'a [u8]>,
}

/// What they get to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxPage {
    /// This page.
    DisplayText {
        /// HTML.
        html: String,
        /// What the page may do: a `Content-Security-Policy`.
        policy: String,
    },
    /// Another address, where their browser goes on to.
    SentTo(String),
}

/// Where the sandbox's page comes from. A processor that is real has pages of its own elsewhere.
#[async_trait]
pub trait SandboxPages: Send + Sync {
    /// Serves a visit; `None` where there is no such page.
    ///
    /// # Errors
    /// [`StoreError`]: the visit may be repeated.
    async fn sandbox_page(
        &self,
        _visit: &SandboxVisit<'_>,
    ) -> Result<Option<SandboxPage>, StoreError> {
        Ok(None)
    }
}
