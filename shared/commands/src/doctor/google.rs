//! RCS through Google. The adapter's own look-up of a number logs in and names the agent, so it is the cheapest read.
//!
//! <https://developers.google.com/business-communications/rcs-business-messaging/reference/rest/v1/phones/getCapabilities>,
//! as captured 2026-04.

use domain::contact::Contact;
use domain::values::phone::Phone;

use super::Patient;
use super::chart::{Chart, Fault};
use super::visit::Visit;

/// Examines the account and the agent.
pub(super) async fn examine(visit: &Visit<'_>, patient: &Patient, chart: &mut Chart, phone: &str) {
    let (Ok(phone), Ok(name)) = (phone.parse::<Phone>(), patient.name.parse()) else {
        chart.fault(Fault::new(
            "phone",
            "--phone is no number in E.164",
            "give one as +15551230001",
        ));
        return;
    };
    let Ok(channel) = visit.adapters.channels.open(visit.brand, patient.mode, &name) else {
        return;
    };
    let now = visit.context.clock.now();
    let found = channel.capability(&phone, &Contact::default(), now).await;
    match found.reason {
        // The number is no tester or has no RCS, which only a known agent can say.
        None | Some("not_on_channel") => {
            chart.works("credentials", "Google takes the service account");
            chart.works("agent", "Google knows the agent");
        }
        Some("credentials") => chart.fault(Fault::new(
            "credentials",
            "Google refuses the key of `service_account`",
            "make a new key of the service account in Google Cloud, and check this machine's clock",
        )),
        Some("agent") => chart.fault(Fault::new(
            "agent",
            "the service account may not act for the agent `agent_id`, or the `region` is another",
            "copy both from the RCS for Business developer console, under the agent's integrations",
        )),
        Some("not_checked") => chart.fault(Fault::new(
            "reach",
            "Google did not answer the look-up",
            "check this machine's network, then repeat the command",
        )),
        Some(reason) => chart.fault(Fault {
            check: "agent",
            says: format!("Google answers `{reason}`"),
            mend: "check `agent_id`, `region` and `base_url`".to_owned(),
        }),
    }
    chart.unchecked("webhook", "Google has no call that reads it; compare it in the console");
}
