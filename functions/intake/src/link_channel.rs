//! The link in answers, which the requester shows to the customer.

use std::time::Duration;

use domain::brand::ChannelSetup;
use domain::entry_reference;
use domain::guards;
use domain::guards::Guard;
use domain::problem::Problem;
use domain::request::Request;
use domain::values::id::RequestId;
use domain::values::name::ChannelName;
use domain::values::time::Timestamp;
use records::authentication::Requester;
use records::storage;
use serde_json::Value;

use crate::Intake;
use crate::channel_use::may_show;
use crate::qr;

/// How long the answer to a new request waits for its link.
const LINK_WAIT: Duration = Duration::from_secs(2);
/// The time between two reads of the store during that wait.
const LINK_POLL: Duration = Duration::from_millis(250);

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
