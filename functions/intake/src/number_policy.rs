//! The numbers that a brand may ask. A text to a premium number or to a far country costs the brand money.

use std::collections::BTreeSet;

use domain::brand::{ChannelSetup, Countries};
use domain::problem::{Code, FieldError, Problem};
use domain::values::numbering::{NumberFacts, number_facts};
use domain::values::phone::Phone;
use records::authentication::Requester;
use serde::Deserialize;

/// The country of the sandbox's channels, whose numbers begin with +1 555.
const SANDBOX_REGION: &str = "US";

/// The settings of a channel that may hold the brand's own number.
#[derive(Deserialize)]
struct OwnNumber {
    from: Option<String>,
    origination_identity: Option<String>,
}

/// Refuses a number that the brand's policy does not let it ask.
pub(crate) fn require_allowed(requester: &Requester, phone: &Phone) -> Result<(), Problem> {
    let policy = &requester.brand.policy;
    let Ok(NumberFacts { region, is_service }) = number_facts(phone) else {
        return Err(problem("no subscriber can have this number"));
    };
    if is_service && !policy.service_numbers {
        return Err(problem(
            "the number is of a premium, freephone, satellite or other service; the brand's \
             policy `service_numbers` does not allow those",
        ));
    }
    let allowed = match &policy.countries {
        Countries::All => true,
        // A service without a country is allowed as a service, or not at all.
        Countries::Listed(_) | Countries::Own if region == "001" => true,
        Countries::Listed(countries) => countries.contains(region),
        Countries::Own => {
            let own = own_regions(&requester.brand.setup(requester.mode).channels);
            own.is_empty() || own.contains(region)
        }
    };
    if allowed {
        return Ok(());
    }
    Err(problem(&format!("the brand's policy `countries` does not allow numbers of {region}")))
}

/// Returns the countries of the brand's own numbers. Channels without a number, such as `WhatsApp`, name none.
pub(crate) fn own_regions(channels: &[ChannelSetup]) -> BTreeSet<&'static str> {
    // Twilio's senders have a scheme, as in `whatsapp:+1…`.
    let number = |text: &str| text.rsplit_once(':').map_or(text, |(_, number)| number).parse().ok();
    let region = |text: &str| number_facts(&number(text)?).ok().map(|facts| facts.region);
    let of = |channel: &ChannelSetup| {
        if channel.kind == "sandbox" {
            return Some(SANDBOX_REGION);
        }
        let own = channel.settings.read::<OwnNumber>().ok()?;
        own.from.as_deref().or(own.origination_identity.as_deref()).and_then(region)
    };
    channels.iter().filter_map(of).collect()
}

fn problem(detail: &str) -> Problem {
    Problem::new(Code::NumberNotAllowed, detail)
        .at(|detail| FieldError::in_body("/customer/phone", "not_allowed", detail))
}
