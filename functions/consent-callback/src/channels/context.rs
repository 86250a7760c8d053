//! The brand, mode and channel that a webhook was verified for.

use std::sync::Arc;

use domain::brand::{Brand, BrandScope, Mode};
use domain::guards;
use domain::guards::Guard;
use domain::keys;
use domain::problem::Problem;
use domain::request::Request;
use domain::values::id::PromptId;
use domain::values::name::ChannelName;
use domain::values::prompt_ref::PromptRef;
use ports::{PromptSelector, Store};
use records::contact::ChannelScope;
use records::storage;
use records::storage::VersionedRequest;

/// The brand, mode and channel that a webhook was verified for.
#[derive(Clone, Copy)]
pub(crate) struct ChannelContext<'a> {
    pub(crate) brand: &'a Arc<Brand>,
    /// The mode whose credentials proved the sender.
    pub(crate) mode: Mode,
    pub(crate) channel: &'a ChannelName,
}

impl<'a> ChannelContext<'a> {
    /// Returns the scope of this channel's contact records for requests of that mode.
    pub(super) fn scope(&self, mode: Mode) -> ChannelScope<'a> {
        ChannelScope { brand: &self.brand.name, mode, channel: self.channel }
    }

    /// Returns whether the request is this brand's, in either mode.
    pub(super) fn is_brand(&self, request: &Request) -> bool {
        request.brand == self.brand.name
    }

    /// Returns whether the request is this brand's and of this mode. The credentials of one mode prove nothing in the other.
    pub(super) fn is_owner(&self, request: &Request) -> bool {
        let own_mode = request.mode == self.mode || guards::is_disabled(Guard::ChannelWebhookMode);
        self.is_brand(request) && own_mode
    }

    /// Returns whether the prompt is of this brand and mode, and was sent over this channel.
    pub(super) fn has_prompt(&self, request: &Request, reference: PromptRef) -> bool {
        let prompt = request.prompt(reference.prompt);
        self.is_owner(request) && prompt.is_some_and(|prompt| prompt.channel == *self.channel)
    }

    /// Returns the brand and the mode whose credentials proved the sender.
    pub(super) fn brand_scope(&self) -> BrandScope<'a> {
        BrandScope { brand: &self.brand.name, mode: self.mode }
    }

    /// Returns the address of the customer whom a prompt was sent to; `None` where the request was altered since.
    ///
    /// Only then may the sender of an answer be tied to the address.
    pub(super) fn prompted_address(&self, request: &Request, prompt: PromptId) -> Option<String> {
        let prompt = request.prompt(prompt)?;
        let is_genuine = request.is_prompt_genuine(prompt, &self.brand.link_key);
        is_genuine.then(|| request.customer_address(self.brand))
    }

    /// Loads the request of the prompt that a callback is about; `None` when this channel sent no such prompt.
    pub(super) async fn load_prompted(
        &self,
        store: &dyn Store,
        selector: PromptSelector,
    ) -> Result<Option<(PromptRef, VersionedRequest)>, Problem> {
        let Some(reference) = self.find_prompt(store, selector).await? else { return Ok(None) };
        let loaded = storage::load(store, reference.request).await?;
        let own = loaded.filter(|loaded| self.has_prompt(&loaded.request, reference));
        Ok(own.map(|loaded| (reference, loaded)))
    }

    /// Finds the prompt that a callback is about; `None` when it is not this brand's.
    ///
    /// Where the provider echoes the prompt's id alone, the prompt's link leads to the request.
    pub(super) async fn find_prompt(
        &self,
        store: &dyn Store,
        selector: PromptSelector,
    ) -> Result<Option<PromptRef>, Problem> {
        let prompt = match selector {
            PromptSelector::Exact(reference) => return Ok(Some(reference)),
            PromptSelector::Prompt(prompt) => prompt,
        };
        let token = keys::link_token(&self.brand.link_key, prompt);
        let target = storage::follow_link(store, &token).await?;
        let own = target.filter(|target| target.brand == self.brand.name);
        Ok(own.map(|target| PromptRef { request: target.request, prompt: target.prompt }))
    }
}
