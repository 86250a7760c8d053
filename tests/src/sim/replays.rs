//! Webhooks of every kind that a provider repeats after hours or days, and words that it reports as late.

use std::time::Duration;

use domain::values::time::Timestamp;

use super::environment::ProcessorWebhook;
use super::opt_outs::{KeywordReport, SenderIds};
use super::plan::Failure;
use super::whatsapp::MetaCallback;
use super::work::Work;
use super::world::Simulation;
use crate::rng::Weights;

/// The most webhooks that are remembered, to be repeated.
const REPLAYS_MAX: usize = 32;
/// Providers repeat a webhook for seven days.
const REPLAYED_FOR: Duration = Duration::from_secs(7 * 86_400);
/// The most seconds between an old word and its report.
const AGE_MAX: u64 = 259_200;
/// How many webhooks are repeated days after all has ended.
const REPLAYS_AT_THE_END: usize = 5;

/// Old words: most are starts, as customers who opted out are asked nothing.
const WORDS: &Weights<&str> = &[(2, "START"), (1, "STOP")];

/// A webhook that may be repeated.
#[derive(Clone, Debug)]
pub(super) struct Replay {
    pub(super) first_at: Timestamp,
    pub(super) webhook: ReplayableWebhook,
}

/// A webhook that came before.
#[derive(Clone, Debug)]
pub(super) enum ReplayableWebhook {
    /// Of Meta.
    Meta(MetaCallback),
    /// Of Twilio: its address, its form, and the word that it reports.
    Twilio(String, Vec<(String, String)>, Option<(&'static str, KeywordReport)>),
    /// Of a processor.
    Processor(ProcessorWebhook),
}

impl Simulation {
    /// Remembers a webhook, where there is more than one request.
    pub(super) fn remember_for_replay(&self, webhook: ReplayableWebhook) {
        if self.plan.requests == 1 {
            return;
        }
        let repeat = Replay { first_at: self.now(), webhook };
        let environment = &mut *self.shared.lock();
        if environment.repeats.len() >= REPLAYS_MAX {
            let place = environment.rng.place(REPLAYS_MAX);
            environment.repeats.swap_remove(place);
        }
        environment.repeats.push(repeat);
    }

    /// A provider repeats a webhook that it sent long ago.
    pub(super) fn replays_webhook(&mut self) {
        let now = self.now();
        let old = {
            let environment = &mut *self.shared.lock();
            environment.repeats.retain(|old| old.first_at.until(now) < REPLAYED_FOR);
            environment.rng.pick(&environment.repeats).cloned()
        };
        let Some(Replay { first_at, webhook }) = old else { return };
        if first_at.until(now) > Duration::from_secs(3_600) {
            self.shared.lock().count("a webhook comes again after hours or days");
        }
        match webhook {
            ReplayableWebhook::Meta(post) => self.meta_calls(post),
            ReplayableWebhook::Processor(webhook) => self.receives(webhook),
            ReplayableWebhook::Twilio(url, form, word) => {
                let work = match word {
                    None => Work::Other("receipt"),
                    Some((_, word)) if self.is_accepted(&word) => Work::Other("old word"),
                    Some(_) if self.is_opting() => return,
                    Some(("STOP", word)) => self.opts_out_by(word),
                    Some((_, word)) => self.opts_in(word),
                };
                let pairs: Vec<(&str, &str)> =
                    form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                self.posts_twilio_callback(&url, &pairs, work);
            }
        }
    }

    fn is_accepted(&self, word: &KeywordReport) -> bool {
        self.shared.lock().opt_outs.is_accepted(&word.message)
    }

    /// Meta reports a stop or a start that the customer wrote up to three days ago.
    pub(super) fn reports_old_keyword(&mut self) {
        let words = self.weighted(WORDS);
        let (phone, age) = {
            let rng = &mut self.shared.lock().rng;
            let phone = rng.pick(&super::requester::REACHED).copied().unwrap_or_default();
            (phone, Duration::from_secs(rng.between(1, AGE_MAX)))
        };
        self.shared.lock().reached("reported an old word on WhatsApp");
        self.writes_at(phone, words, self.now().before(age));
    }

    /// Days after all has ended, providers repeat webhooks, and a customer is asked once more.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(super) fn replays_after_days(&mut self) -> Result<(), Failure> {
        if self.plan.requests == 1 {
            return Ok(());
        }
        let days = self.roll(4).saturating_add(1);
        self.clock.pass(Duration::from_secs(days.saturating_mul(86_400)));
        for _ in 0..REPLAYS_AT_THE_END {
            self.replays_webhook();
            self.run_workers()?;
        }
        self.attacker_returns()?;
        self.asks();
        self.quiesce().map(drop)
    }
}

impl KeywordReport {
    /// A word of a message whose sender's number is reported.
    pub(super) fn by_number(phone: &str, message: String) -> Self {
        Self { phone: phone.to_owned(), written_at: None, message, ids: SenderIds::Number }
    }
}
