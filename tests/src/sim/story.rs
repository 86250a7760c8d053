//! The parts of a story: its events, the faults of its workers, and its ending.

use super::checkout::Away;
use super::outside::PortFault;

/// One thing that happens in a story.
#[derive(Clone, Copy, Debug)]
pub enum Verb {
    /// A requester asks: whose phone, over which channels, for how many seconds, how much.
    Ask(&'static str, &'static [&'static str], u64, u64),
    /// A requester asks like that, once, and the call dies. It is so slow that its recovery check is handled before
    /// the request is written.
    AskSlowly(&'static str, &'static [&'static str], u64, u64),
    /// A requester asks for something else than a payment: what, whose phone, over which channels, for how many seconds.
    AskFor(What, &'static str, &'static [&'static str], u64),
    /// The customer says yes and chooses the processor's own page.
    Hosted,
    /// Messages are handled until it is the customer's turn on the processor's page.
    Redirected,
    /// The customer's browser opens our page, and goes on from there if it leads on.
    GoOn,
    /// The customer does something on the processor's page.
    There(Away),
    /// The customer's browser comes back to our page, as one who is done.
    Done,
    /// The customer wants another way.
    TurnBack,
    /// The customer's browser brings once more what it brought before.
    Reload,
    /// The processor tells by calling us.
    Hook,
    /// Messages are handled, and time passes while any is due soon.
    Settle,
    /// The customer says yes, with a card.
    Yes(&'static str),
    /// The customer picks another code than the agent said.
    WrongCode,
    /// The customer says no.
    No,
    /// The customer says that this was not asked for.
    NotMe,
    /// The customer asks for more time.
    MoreTime,
    /// The requester gives that much of the newest request's money back, or all that is left.
    GiveBack(Option<u64>),
    /// The requester cancels, resends, extends.
    Act(&'static str),
    /// The provider tells how the newest text fares.
    Receipt(&'static str),
    /// The customer writes STOP.
    Stop,
    /// The customer writes that on WhatsApp.
    Chat(&'static str),
    /// That many seconds pass.
    Pass(u64),
    /// Messages are handled as they come due, and the request must have ended before that many seconds have passed.
    EndsWithin(u64),
    /// The next message is handled, once time has come for it.
    Next,
    /// The message that was handled last is handled once more.
    Again,
}

/// An ask of a requester besides a plain payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A card to keep.
    Card,
    /// Facts about the customer.
    Facts,
    /// A payment with the card that is on file.
    ByCard,
}

/// The ending of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The request's state, with its reason where it has one.
    pub state: String,
    /// The number of charges, saved cards or exchanged codes.
    pub charges: usize,
    /// The number of its refunds.
    pub given_back: usize,
    /// Which webhooks the requester took or was owed, without those that tell of prompts.
    pub told: Vec<String>,
}

/// A fault that strikes a story's workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The worker at the turn of that number dies.
    Crash(u64),
    /// A use of a port goes wrong.
    Port(PortFault),
}
