//! The link channel: who may ask over it, and the link in answers, which the requester shows to the customer.

use std::time::Duration;

use domain::api_key::KeyKind;
use domain::ask::{Ask, SessionKind};
use domain::brand::ChannelSetup;
use domain::entry_reference;
use domain::guards;
use domain::guards::Guard;
use domain::problem::{Code, Problem};
use domain::request::Request;
use domain::values::id::RequestId;
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use records::authentication::Requester;
use records::storage;
use serde_json::Value;

use crate::Intake;
use crate::operation::not_allowed;
use crate::qr;

/// How long the answer to a new request waits for its link.
const LINK_WAIT: Duration = Duration::from_secs(2);
/// The time between two reads of the store during that wait.
const LINK_POLL: Duration = Duration::from_millis(250);

/// The facts that decide on the use of a link channel, beside the key.
#[derive(Clone, Copy)]
pub(crate) struct LinkUse<'a> {
    /// The kind of the session in which the link would be shown.
    pub(crate) session: SessionKind,
    /// What the customer is asked for.
    pub(crate) ask: &'a Ask,
}

impl LinkUse<'_> {
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
            && !guards::is_disabled(Guard::NoSavedCardByLink)
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
fn may_show(requester: &Requester) -> bool {
    requester.client.is_none() && requester.key.kind != KeyKind::AiAgent
}

/// Returns whether a capability answer has the channel: a link channel only for a caller who may show its link.
pub(crate) fn is_offered(requester: &Requester, setup: &ChannelSetup) -> bool {
    setup.link_settings().is_none() || may_show(requester)
}

impl Intake {
    /// Adds the links that the requester shows to its customer, as texts and QR codes.
    ///
    /// They are computed for the answer, and stored nowhere.
    pub(crate) fn add_link(
        &self,
        shown: &mut Value,
        requester: &Requester,
        request: &Request,
        now: Timestamp,
    ) {
        let is_reader = may_show(requester) || guards::is_disabled(Guard::ShownLinkReaders);
        let Some(fields) = shown.as_object_mut() else { return };
        if !is_reader || now >= request.expires_at {
            return;
        }
        let page = request.shown_prompt(&requester.brand).map(|prompt| {
            let token = request.link_token(&requester.brand, prompt.id);
            format!("{}/c/{token}", self.public_base)
        });
        let entry = self.entry_link(requester, request);
        for (link, names) in [(page, ["link", "qr"]), (entry, ["entry_link", "entry_qr"])] {
            let Some(link) = link else { continue };
            let values = [Some(link.clone()), qr::svg(&link)];
            for (name, value) in names.into_iter().zip(values) {
                fields.extend(value.map(|value| (name.to_owned(), value.into())));
            }
        }
    }

    /// Returns the link with which the customer begins a conversation, where a channel waits for that.
    fn entry_link(&self, requester: &Requester, request: &Request) -> Option<String> {
        let (brand, channel) = (&requester.brand, request.entry_channel()?);
        let opened = self.channels.open(brand, requester.mode, channel).ok()?;
        opened.entry_link(&entry_reference::write(brand, request, channel))
    }

    /// Returns a new request with its link, for which it waits a moment; `None` without a link.
    ///
    /// Send-prompt makes the link, since it makes the prompt that the link leads to.
    pub(crate) async fn with_link(
        &self,
        requester: &Requester,
        id: RequestId,
        first: &ChannelName,
    ) -> Result<Option<Value>, Problem> {
        if !requester.brand.is_link_channel(requester.mode, first) {
            return Ok(None);
        }
        let until = self.ports.clock.now().after(LINK_WAIT);
        loop {
            let loaded = storage::load(self.ports.store.as_ref(), id).await?;
            let now = self.ports.clock.now();
            if let Some(loaded) = loaded
                && loaded.request.shown_prompt(&requester.brand).is_some()
            {
                let mut shown = domain::view::request(&loaded.request, loaded.version);
                self.add_link(&mut shown, requester, &loaded.request, now);
                return Ok(Some(shown));
            }
            let left = now.until(until);
            if left.is_zero() {
                return Ok(None);
            }
            self.ports.clock.wait(left.min(LINK_POLL)).await;
        }
    }
}
