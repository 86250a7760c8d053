//! The table that an installation stores in.

use std::fmt;

use aws_sdk_dynamodb::Client;
use aws_types::SdkConfig;

/// One table, as the store of an installation.
///
/// ```
/// let config = aws_types::SdkConfig::builder()
///     .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
///     .build();
/// let store: Box<dyn ports::Store> =
///     Box::new(dynamodb::Table::new(&config, "assent".to_owned()));
/// ```
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Table {
    /// Opens `table` in the region of `config`, with the HTTP client of `config`. It makes no call.
    #[must_use]
    pub fn new(config: &SdkConfig, table: String) -> Self {
        Self { client: Client::new(config), name: table }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("name", &self.name).finish_non_exhaustive()
    }
}
