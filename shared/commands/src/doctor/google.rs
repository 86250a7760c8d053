//! RCS through Google. The adapter's own look-up of a number logs in and names the agent, so it is the cheapest read.
//!
//! <https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/phones/getCapabilities>,
//! as captured 2026-04.

use domain::contact::Contact;
use domain::values::phone::Phone;

use super::Connection;
use super::calls::ProviderCalls;
use super::report::{Fault, Report};

/// Examines the account and the agent.
pub(super) async fn examine(
    calls: &ProviderCalls<'_>,
    connection: &Connection,
    report: &mut Report,
    phone: &str,
) {
    let (Ok(phone), Ok(name)) = (phone.parse::<Phone>(), connection.name.parse()) else {
        report.fault(Fault::new(
            "phone",
            "--phone is no number in E.164",
            "give one as +15551230001",
        ));
        return;
    };
    let Ok(channel) = calls.adapters.channels.open(calls.brand, connection.mode, &name) else {
        return;
    };
    let now = calls.context.clock.now();
    let found = channel.capability(&phone, &Contact::default(), now).await;
    match found.reason {
        // The number is no tester or has no RCS, which only a known agent can say.
        None | Some("not_on_channel") => {
            report.works("credentials", "Google takes the service account");
            report.works("agent", "Google knows the agent");
        }
        Some("credentials") => report.fault(Fault::new(
            "credentials",
            "Google refuses the key of `service_account`",
            "make a new key of the service account in Google Cloud, and check this machine's clock",
        )),
        Some("agent") => report.fault(Fault::new(
            "agent",
            "the service account may not act for the agent `agent_id`, or the `region` is another",
            "copy both from the RCS for Business developer console, under the agent's integrations",
        )),
        Some("not_checked") => report.fault(Fault::new(
            "reach",
            "Google did not answer the look-up",
            "check this machine's network, then repeat the command",
        )),
        Some(reason) => report.fault(Fault {
            check: "agent",
            says: format!("Google answers `{reason}`"),
            mend: "check `agent_id`, `region` and `base_url`".to_owned(),
        }),
    }
    report.unchecked("webhook", "Google has no call that reads it; compare it in the console");
}
