//! RCS: a card with buttons, through the provider that the settings name.

mod aws;
mod google;

use ports::{Channel, Source};
use serde::Deserialize;

use crate::adapter::{AdapterConfig, Kind};
use crate::twilio::{self, ChatKind};

/// RCS through AWS End User Messaging, Google's own API or Twilio.
pub(crate) const KIND: Kind = Kind { name: "rcs", open };

#[derive(Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
enum Settings {
    Aws(aws::Settings),
    Google(google::Settings),
    Twilio(twilio::ChatSettings),
}

fn open(config: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    match config.setup.settings.read()? {
        Settings::Aws(settings) => Ok(Box::new(aws::AwsRcs::new(settings, config.deps)?)),
        Settings::Google(settings) => Ok(Box::new(google::GoogleRcs::new(settings, config)?)),
        Settings::Twilio(settings) => {
            Ok(Box::new(twilio::TwilioChat::new(ChatKind::Rcs, settings, config)?))
        }
    }
}
