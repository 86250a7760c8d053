//! Reads what a customer says in words, or by a tap on a button that is not ours.

use domain::brand::BrandScope;
use domain::postback::Postback;
use domain::problem::Problem;
use domain::values::language::Language;
use ports::MessageOrigin;
use records::opt_outs::Word;
use records::{limits, storage};
use texts::inbound::{Listener, Meaning};

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
        inbound: InboundText<'_>,
    ) -> Result<(), Problem> {
        match self.word(context, inbound.origin, &[inbound.text]).await? {
            Some(word) => self.on_word(context, inbound.origin, word).await,
            None => self.replies.on_text(context, inbound).await,
        }
    }

    /// Records a tap. The label of a button counts as a text, unless its postback is ours.
    ///
    /// The brand's number sends other messages too, and a tap on their "Stop" is all that comes.
    pub(super) async fn on_tap(
        &self,
        context: ChannelContext<'_>,
        postback: &str,
        label: Option<&str>,
        origin: &MessageOrigin,
    ) -> Result<(), Problem> {
        let is_ours = Postback::read(postback, &context.brand.link_key).is_some();
        let said = [label.unwrap_or_default(), postback];
        let word = if is_ours { None } else { self.word(context, origin, &said).await? };
        match word {
            Some(word) => self.on_word(context, origin, word).await,
            None => self.replies.on_postback(context, postback, origin).await,
        }
    }

    async fn on_word(
        &self,
        context: ChannelContext<'_>,
        origin: &MessageOrigin,
        word: Word,
    ) -> Result<(), Problem> {
        match word {
            Word::Stop => self.opt_out.stop(context, origin).await,
            Word::Start => self.opt_out.start(context, origin).await,
        }
    }

    /// Returns the word about the brand's messages that one of several texts is; a stop prevails.
    async fn word(
        &self,
        context: ChannelContext<'_>,
        origin: &MessageOrigin,
        texts: &[&str],
    ) -> Result<Option<Word>, Problem> {
        let languages = self.languages(context, origin).await?;
        let languages = languages.iter().chain([&context.brand.language]);
        let listener = Listener::new(languages, context.brand.display_name.as_str());
        let said = |meaning| texts.iter().any(|text| listener.meaning(text) == Some(meaning));
        Ok(if said(Meaning::Stop) {
            Some(Word::Stop)
        } else {
            said(Meaning::Start).then_some(Word::Start)
        })
    }

    /// Returns the languages in which the sender was asked lately, the newest first.
    async fn languages(
        &self,
        context: ChannelContext<'_>,
        origin: &MessageOrigin,
    ) -> Result<Vec<Language>, Problem> {
        let store = self.ports.store.as_ref();
        let scope = BrandScope { brand: &context.brand.name, mode: context.mode };
        let known = self.replies.contacts.identify(context, origin).await?;
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
