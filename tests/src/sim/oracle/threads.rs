//! The rules of the messages that follow a customer's answer.

use std::collections::BTreeSet;

use domain::outcome::{DenialReason, Outcome};
use domain::request::{FollowUp, MessageStatus, Request, State, ThreadFact};
use domain::values::id::PromptId;
use ports::Item;
use serde::Deserialize;

use super::Oracle;

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
