//! Reads what a customer says in words, or by a tap on a button that is not ours.

use domain::guards;
use domain::guards::Guard;
use domain::postback::Postback;
use domain::problem::Problem;
use domain::values::language::Language;
use records::opt_outs::OptOutKeyword;
use records::{limits, storage};
use texts::inbound::{Listener, Meaning};

use super::contacts::KnownSender;
use super::context::ChannelContext;
use super::text_replies::InboundText;
use super::webhooks::ChannelWebhooks;

/// The most requests of an address whose languages are read.
const REQUESTS_MAX: usize = 4;

impl ChannelWebhooks {
    /// Records a text: a stop or a start of the brand's messages, or a reply.
    pub(super) async fn on_text(
        &self,
        context: ChannelContext<'_>,
        known: KnownSender<'_>,
        inbound: InboundText<'_>,
    ) -> Result<(), Problem> {
        match self.word(context, &known, &[inbound.text]).await? {
            Some(word) => self.on_word(context, &known, word).await,
            None => Box::pin(self.replies.on_text(context, known, inbound)).await,
        }
    }

    /// Records a tap. The label of a button counts as a text, unless its postback is ours.
    ///
    /// The brand's number sends other messages too, and a tap on their "Stop" is all that comes.
    pub(super) async fn on_tap(
        &self,
        context: ChannelContext<'_>,
        known: &KnownSender<'_>,
        postback: &str,
        label: Option<&str>,
    ) -> Result<(), Problem> {
        let is_ours = Postback::read(postback, &context.brand.link_key).is_some()
            && !guards::is_disabled(Guard::OwnButtonIsNoWord);
        let said = [label.unwrap_or_default(), postback];
        let word = if is_ours || guards::is_disabled(Guard::ChosenWord) {
            None
        } else {
            self.word(context, known, &said).await?
        };
        match word {
            Some(word) => self.on_word(context, known, word).await,
            None => self.replies.on_postback(context, known, postback).await,
        }
    }

    async fn on_word(
        &self,
        context: ChannelContext<'_>,
        known: &KnownSender<'_>,
        word: OptOutKeyword,
    ) -> Result<(), Problem> {
        match word {
            OptOutKeyword::Stop => self.opt_out.stop(context, known).await,
            OptOutKeyword::Start => self.opt_out.start(context, known).await,
        }
    }

    /// Returns the word about the brand's messages that one of several texts is; a stop prevails.
    async fn word(
        &self,
        context: ChannelContext<'_>,
        known: &KnownSender<'_>,
        texts: &[&str],
    ) -> Result<Option<OptOutKeyword>, Problem> {
        let languages = self.languages(context, known).await?;
        let languages = languages.iter().chain([&context.brand.language]);
        let listener = Listener::new(languages, context.brand.display_name.as_str());
        let said: Vec<Meaning> = texts.iter().filter_map(|text| listener.meaning(text)).collect();
        Ok(if said.contains(&Meaning::Stop) {
            Some(OptOutKeyword::Stop)
        } else {
            said.contains(&Meaning::Start).then_some(OptOutKeyword::Start)
        })
    }

    /// Returns the languages in which the sender was asked lately, the newest first.
    async fn languages(
        &self,
        context: ChannelContext<'_>,
        known: &KnownSender<'_>,
    ) -> Result<Vec<Language>, Problem> {
        let store = self.ports.store.as_ref();
        let scope = context.brand_scope();
        let mut languages: Vec<Language> = Vec::new();
        for address in known.addresses() {
            let (limits, _) = limits::load(store, scope, &address).await?;
            for (id, _) in limits.open.iter().rev().take(REQUESTS_MAX) {
                let loaded = storage::load(store, *id).await?;
                languages.extend(loaded.and_then(|loaded| loaded.request.customer.language));
            }
        }
        Ok(languages)
    }
}
