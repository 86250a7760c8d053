//! A brand's business at Apple.

use super::token::ProviderTokens;
use crate::settings::BaseUrl;

/// A business whose settings were checked.
pub(super) struct Account {
    pub(super) business_id: String,
    /// The extension that shows interactive messages.
    pub(super) bid: String,
    pub(super) tokens: ProviderTokens,
    pub(super) base: BaseUrl,
}
