//! RCS: a card with buttons, through the provider that the settings name.

mod aws;
mod google;

use domain::brand::Mode;
use ports::{Channel, Source};
use serde::Deserialize;

use crate::adapter::{AdapterConfig, Kind};

/// RCS through AWS End User Messaging or Google's own API.
pub(crate) const KIND: Kind = Kind { name: "rcs", open };

#[derive(Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
enum Settings {
    Aws(aws::Settings),
    Google(google::Settings),
}

fn open(config: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    match config.setup.settings.read()? {
        Settings::Aws(settings) => Ok(Box::new(aws::AwsRcs::new(settings, config.deps)?)),
        Settings::Google(settings) => {
            let test = test_channel(config);
            Ok(Box::new(google::GoogleRcs::new(settings, test.as_ref(), config)?))
        }
    }
}

/// Returns the settings of the test mode's channel of this name, for a live channel: one webhook may serve both.
fn test_channel(config: &AdapterConfig<'_>) -> Option<google::Settings> {
    match config.mode {
        Mode::Test => return None,
        Mode::Live => {}
    }
    let channels = &config.brand.setup(Mode::Test).channels;
    let namesake = channels
        .iter()
        .find(|setup| setup.name == config.setup.name && setup.kind == config.setup.kind)?;
    match namesake.settings.read().ok()? {
        Settings::Google(settings) => Some(settings),
        Settings::Aws(_) => None,
    }
}
