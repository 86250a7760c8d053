//! RCS: a card with buttons, through the provider the settings name.

mod aws;
mod google;

use domain::ports::{Channel, Source};
use serde::Deserialize;

use crate::{AdapterConfig, Kind};

/// RCS through AWS End User Messaging or Google's own API.
pub(crate) const KIND: Kind = Kind { name: "rcs", open };

#[derive(Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
enum Settings {
    Aws(aws::Settings),
    Google(google::Settings),
}

fn open(opening: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    match opening.setup.settings.read()? {
        Settings::Aws(settings) => Ok(Box::new(aws::Aws::new(settings, opening.outside)?)),
        Settings::Google(settings) => Ok(Box::new(google::Google::new(settings, opening)?)),
    }
}
