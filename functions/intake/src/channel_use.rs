//! The channels that a requester may use for an ask.

use domain::api_key::KeyKind;
use domain::ask::{Ask, SessionKind};
use domain::brand::ChannelSetup;
use domain::guards;
use domain::guards::Guard;
use domain::problem::{Code, Problem};
use domain::values::name::ChannelName;
use records::authentication::Requester;

use crate::operation::not_allowed;

/// The facts that decide on the use of a channel, beside the key.
#[derive(Clone, Copy)]
pub(crate) struct ChannelUse<'a> {
    /// The kind of the session in which a link would be shown.
    pub(crate) session: SessionKind,
    /// What the customer is asked for.
    pub(crate) ask: &'a Ask,
}

impl ChannelUse<'_> {
    /// Refuses a link channel that the requester may not use, and a saved card where no number is proven.
    pub(crate) fn require(
        self,
        requester: &Requester,
        channel: &ChannelName,
    ) -> Result<(), Problem> {
        let mut setups = requester.brand.setup(requester.mode).channels.iter();
        setups.find(|setup| setup.name == *channel).map_or(Ok(()), |s| self.judge(requester, s))
    }

    /// Returns whether the requester may use the channel without naming it.
    pub(crate) fn allows(self, requester: &Requester, setup: &ChannelSetup) -> bool {
        self.judge(requester, setup).is_ok()
    }

    fn judge(self, requester: &Requester, setup: &ChannelSetup) -> Result<(), Problem> {
        let name = &setup.name;
        if setup.proves_no_number()
            && self.ask.card().is_some()
            && !guards::is_disabled(Guard::NoSavedCardWithoutNumber)
        {
            let detail =
                format!("a saved card is not charged over `{name}`, which proves no number");
            return Err(Problem::new(Code::AskNotSupported, detail));
        }
        let Some(settings) = setup.link_settings() else { return Ok(()) };
        if !may_show(requester) && !guards::is_disabled(Guard::ShownLinkReaders) {
            let detail =
                format!("only people and systems show a link, so `{name}` needs their key");
            return Err(not_allowed(detail, "kind"));
        }
        let is_listed = settings.is_ok_and(|settings| settings.sessions.contains(&self.session));
        if !is_listed {
            let detail = format!("the settings of `{name}` list no sessions of this kind");
            return Err(Problem::new(Code::ChannelNotConfigured, detail));
        }
        Ok(())
    }
}

/// Returns whether the caller may see a link: a browser and an AI agent may not.
pub(crate) fn may_show(requester: &Requester) -> bool {
    requester.client.is_none() && requester.key.kind != KeyKind::AiAgent
}
