//! The parts of stories: what happens, which fault comes, and the end.

use super::customer::CustomerReply;
use super::environment::{FaultKind, PortFault};
use crate::providers::stripe::HostedAction;

/// One thing that happens in a story.
#[derive(Clone, Copy, Debug)]
pub enum Verb {
    /// A requester asks: whose phone, over which channels, for how many seconds, how much.
    Ask(&'static str, &'static [&'static str], u64, u64),
    /// A requester asks like that once, with a slow call. Its recovery check is handled before the request is
    /// written, and then the call dies.
    AskSlowly(&'static str, &'static [&'static str], u64, u64),
    /// A requester asks for something else than a payment: what, whose phone, over which channels, for how many seconds.
    AskFor(OtherAsk, &'static str, &'static [&'static str], u64),
    /// Messages are handled until it is the customer's turn on the processor's page.
    RunUntilRedirected,
    /// The customer's browser opens our page, and goes on from there if it leads on.
    OpenPage,
    /// The customer does something on the processor's page.
    ActOnHostedPage(HostedAction),
    /// The customer's browser comes back to our page, as one who is done.
    ReturnFromHostedPage,
    /// The customer wants another way.
    ChooseOtherOption,
    /// The customer's browser brings once more what it brought before.
    RepeatReturn,
    /// The processor tells by calling us.
    ReceiveWebhook,
    /// Messages are handled, and time passes while any is due soon.
    RunUntilIdle,
    /// The customer answers, with that card if it is an approval.
    Answer(CustomerReply, &'static str),
    /// The requester gives that much of the newest request's money back, or all that is left.
    Refund(Option<u64>),
    /// The requester cancels, resends, extends.
    CallApi(&'static str),
    /// The provider tells how the newest text fares.
    ReportTextStatus(&'static str),
    /// The customer writes STOP.
    Stop,
    /// The customer writes that on WhatsApp.
    WriteOnWhatsapp(&'static str),
    /// That many seconds pass.
    Wait(u64),
    /// Messages are handled as they come due, and the request must have ended before that many seconds have passed.
    EndsWithin(u64),
    /// The next message is handled, once time has come for it.
    HandleNext,
    /// The message that was handled last is handled once more.
    HandleAgain,
}

/// One of two actors that race: what it does, and how many turns it takes before the other goes on.
#[derive(Clone, Copy, Debug)]
pub struct Racer {
    /// What the actor does.
    pub verb: Verb,
    /// The number of its turns.
    pub turns: u64,
}

/// An ask of a requester besides a plain payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherAsk {
    /// A card to save.
    SavedCard,
    /// Facts about the customer.
    Claims,
    /// A payment of that amount with the card that is on file.
    PaymentBySavedCard(u64),
}

/// The end of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The request's state, with its reason where it has one.
    pub state: String,
    /// The number of charges, saved cards or exchanged codes.
    pub charges: usize,
    /// The number of its refunds.
    pub refunds: usize,
    /// Which webhooks the requester took or was owed, without those that tell of prompts.
    pub webhooks: Vec<String>,
}

/// The fault of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The worker dies at the turn of that number.
    Crash(u64),
    /// A use of a port goes wrong.
    Port(PortFault),
}

/// A story that was told: its end, and where faults could come.
#[derive(Debug)]
pub struct ToldStory {
    /// What the story led to.
    pub ending: Ending,
    /// The number of turns, at each of which a worker can die.
    pub(super) turns: u64,
    /// Each use of a port, by the ways in which it can fail.
    pub(super) uses: Vec<&'static [FaultKind]>,
}

impl ToldStory {
    /// Every single fault that could come.
    pub fn faults(&self) -> impl Iterator<Item = Fault> {
        let fails = |(using, kinds): (usize, &'static [FaultKind])| {
            kinds.iter().map(move |how| Fault::Port(PortFault { using, how: *how }))
        };
        let at_ports = (1..).zip(self.uses.iter().copied()).flat_map(fails);
        (1..=self.turns).map(Fault::Crash).chain(at_ports)
    }
}

impl Verb {
    /// The customer approves with a card.
    #[must_use]
    pub const fn yes(card: &'static str) -> Self {
        Self::Answer(CustomerReply::Yes, card)
    }

    /// The customer approves and chooses the processor's page.
    pub const HOSTED: Self = Self::Answer(CustomerReply::Hosted, "");
    /// The customer picks another code than the agent said.
    pub const WRONG_CODE: Self = Self::Answer(CustomerReply::WrongCode, "pm_card_visa");
    /// The customer denies.
    pub const NO: Self = Self::Answer(CustomerReply::No, "");
    /// The customer says that this was not asked for.
    pub const NOT_ME: Self = Self::Answer(CustomerReply::NotMe, "");
    /// The customer asks for more time.
    pub const MORE_TIME: Self = Self::Answer(CustomerReply::MoreTime, "");
}
