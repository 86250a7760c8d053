//! The rules of the messages in the threads of prompts.

use std::collections::BTreeSet;

use domain::outcome::{DenialReason, Outcome};
use domain::request::{FollowUp, MessageStatus, Request, State, ThreadFact, ThreadMessage};
use domain::values::id::PromptId;
use ports::Item;
use serde::Deserialize;

use super::Oracle;
use crate::providers::whatsapp::{CloudApi, SentMessage};
use crate::sim::whatsapp::is_way_out;

/// A message on a sandbox phone, as far as it is read here.
#[derive(Deserialize)]
struct PhoneMessage {
    id: PromptId,
    #[serde(default)]
    answers: Option<PromptId>,
    retracted: bool,
}

impl Oracle {
    /// Counts a message that reached a sandbox phone. Each message arrives once.
    pub(super) fn followed(&mut self, item: &Item) {
        let Ok(message) = serde_json::from_str::<PhoneMessage>(&item.body) else { return };
        let PhoneMessage { id, answers: Some(_), retracted: false } = message else { return };
        if !self.arrived.insert(id) {
            self.broken.push(format!("THREAD: message {id} arrived twice"));
        }
    }

    /// Returns what the threads still owe, or told twice, once everything rests.
    #[must_use]
    pub(in crate::sim) fn missing_thread_messages(&self) -> Vec<String> {
        let faults_of = |request: &Request| -> Vec<String> {
            let faults = faults(request, &self.arrived).into_iter();
            faults.map(|fault| format!("THREAD: {fault}: {}", request.id)).collect()
        };
        self.requests.values().flat_map(|seen| faults_of(&seen.request)).collect()
    }
}

impl Oracle {
    /// Returns the messages on WhatsApp that stand beside no prompt without a button that denies, or beside one twice.
    /// Each that counts as sent is there.
    #[must_use]
    pub(in crate::sim) fn odd_ways_out(&self, cloud: &CloudApi) -> Vec<String> {
        let (sent, followed) = (cloud.sent(), cloud.thread_messages());
        let mut odd = Vec::new();
        let mut beside = BTreeSet::new();
        for message in followed.iter().filter(|message| is_way_out(message)) {
            let prompt = sent.iter().find(|prompt| message.quotes.as_ref() == Some(&prompt.id));
            let is_needed = prompt.is_some_and(lacks_deny);
            if !is_needed || !beside.insert(&message.quotes) {
                odd.push(format!("THREAD: a needless way out: {}", message.reference));
            }
        }
        let known: BTreeSet<&String> =
            sent.iter().chain(&followed).map(|message| &message.reference).collect();
        for request in self.requests.values().map(|seen| &seen.request) {
            for message in &request.thread.messages {
                let is_sent = matches!(message.fact, ThreadFact::WayOut { .. })
                    && message.status == MessageStatus::Sent;
                let reference = format!("{}.{}", request.id, message.id);
                if is_sent && !known.contains(&reference) {
                    odd.push(format!("THREAD: a way out that was never sent: {reference}"));
                }
            }
        }
        odd
    }
}

/// Returns whether a prompt's message has no button that denies, or had none by our record.
///
/// A template has one. It goes out where WhatsApp closed a chat that our record has open. The customer may write before
/// the message beside it.
fn lacks_deny(prompt: &SentMessage) -> bool {
    let is_template = !matches!(prompt.kind.as_str(), "button" | "cta_url");
    is_template || !prompt.labels().contains(&"Decline")
}

fn faults(request: &Request, arrived: &BTreeSet<PromptId>) -> Vec<&'static str> {
    let messages = &request.thread.messages;
    let mut faults = Vec::new();
    if request.owed_message().is_some() {
        faults.push("a message is still owed");
    }
    let answered = request.thread.answer.filter(|answer| answer.in_thread);
    let is_followed = answered.is_some_and(|answer| {
        let prompt = request.prompt(answer.prompt);
        prompt.is_some_and(|prompt| prompt.follow_up != FollowUp::Never)
    });
    let ends = messages.iter().filter(|message| message.fact == ThreadFact::Ended).count();
    let is_stopped = matches!(
        &request.state,
        State::Closed { outcome: Outcome::Denied { reason: DenialReason::OptedOut }, .. }
    );
    let beside = |message: &&ThreadMessage| matches!(message.fact, ThreadFact::WayOut { .. });
    let ways_out = messages.iter().filter(beside).map(|message| message.prompt);
    if ways_out.clone().collect::<BTreeSet<_>>().len() < ways_out.count() {
        faults.push("a prompt has two ways out");
    }
    if ends > 1 {
        faults.push("the end is told twice");
    }
    if request.is_closed() && is_followed && ends == 0 && !is_stopped && request.erased_at.is_none()
    {
        faults.push("the end is not told");
    }
    for message in messages {
        let on_phone =
            request.prompt(message.prompt).is_some_and(|prompt| prompt.channel.as_str() == "rcs");
        let lost = message.status == MessageStatus::Sent && !arrived.contains(&message.id);
        if on_phone && lost {
            faults.push("a sent message is on no phone");
        }
    }
    faults
}
