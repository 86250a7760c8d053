//! SMS: a text with a link, through the provider that the settings name.

mod aws;

use ports::{Channel, Source};
use serde::Deserialize;

use crate::adapter::{AdapterConfig, Kind};
use crate::twilio;

/// SMS through Twilio or AWS End User Messaging.
pub(crate) const KIND: Kind = Kind { name: "sms", open };

#[derive(Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
enum Settings {
    Aws(aws::Settings),
    Twilio(twilio::Settings),
}

fn open(config: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    match config.setup.settings.read()? {
        Settings::Aws(settings) => Ok(Box::new(aws::AwsSms::new(settings, config.deps)?)),
        Settings::Twilio(settings) => Ok(Box::new(twilio::TwilioSms::new(settings, config.deps)?)),
    }
}
