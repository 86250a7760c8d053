//! SMS: a text with a link, through the provider the settings name.

mod aws;
mod twilio;

use domain::ports::{Capability, Channel, ReceiptKinds, Source};
use serde::Deserialize;

use crate::{AdapterConfig, Kind};

/// SMS through Twilio or AWS End User Messaging.
pub(crate) const KIND: Kind = Kind { name: "sms", open };

#[derive(Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case")]
enum Settings {
    Aws(aws::Settings),
    Twilio(twilio::Settings),
}

fn open(opening: &AdapterConfig<'_>) -> Result<Box<dyn Channel>, Source> {
    match opening.setup.settings.read()? {
        Settings::Aws(settings) => Ok(Box::new(aws::Aws::new(settings, opening.outside)?)),
        Settings::Twilio(settings) => Ok(Box::new(twilio::Twilio::new(settings, opening.outside)?)),
    }
}

/// What any phone can do by SMS. Whether the number is a phone at all is known only once a text was tried.
fn capability(receipts: ReceiptKinds) -> Capability {
    Capability {
        reachable: true,
        rich: false,
        wallets: Vec::new(),
        receipts,
        reason: Some("not_checked"),
    }
}
