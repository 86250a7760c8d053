//! Customers who answer in words.

use std::time::Duration;

use domain::ask::Ask;
use domain::request::{PromptRecord, Request};

use super::whatsapp::NAME;
use super::world::Simulation;

impl Simulation {
    /// Returns an open request that asks on WhatsApp for something that words can approve, or any request.
    pub(super) fn asked_on_whatsapp(&self) -> Option<Request> {
        let is_asked = |request: &&Request| {
            let here = |prompt: &PromptRecord| prompt.channel.as_str() == NAME;
            let is_payment = matches!(request.ask, Ask::Payment { .. });
            let words_do = !is_payment && request.by_tap && request.session_code.is_none();
            words_do && !request.is_closed() && request.prompts.iter().any(here)
        };
        let asked = {
            let environment = &mut *self.shared.lock();
            let all = environment.oracle.requests.values().map(|seen| &seen.request);
            let asked: Vec<&Request> = all.filter(is_asked).collect();
            let is_chosen = environment.rng.happens(700);
            environment.rng.pick(&asked).filter(|_| is_chosen).map(|request| (*request).clone())
        };
        asked.or_else(|| self.some_prompt().map(|(request, _)| request))
    }

    /// The customer answers in words, which mean what nothing else can be meant by when they are written.
    pub(super) fn answers_in_words(&mut self) {
        let Some(request) = self.asked_on_whatsapp() else { return };
        let phone = request.customer.phone.as_str();
        // Writing takes a moment.
        self.clock.pass(Duration::from_secs(2));
        let (words, now) = (if self.roll(4) > 0 { "yes" } else { "no" }, self.now());
        {
            let environment = &mut *self.shared.lock();
            let asked = |request: &Request| {
                let here = |prompt: &PromptRecord| prompt.channel.as_str() == NAME;
                let theirs = request.customer.phone.as_str() == phone;
                theirs && request.answerable(now).is_ok() && request.prompts.iter().any(here)
            };
            let seen = environment.oracle.requests.values().map(|seen| &seen.request);
            let open: Vec<&Request> = seen.filter(|seen| asked(seen)).collect();
            let only = match open.as_slice() {
                [only] if words == "yes" => Some(only),
                _ => None,
            };
            // No word moves money.
            let meant = only.filter(|only| !matches!(only.ask, Ask::Payment { .. }));
            let meant = meant.map(|only| only.id);
            environment.oracle.approved.extend(meant);
            if words == "yes" {
                environment.oracle.customer_approvals.says(phone);
            }
        }
        self.writes_on_whatsapp(phone, words);
    }
}
