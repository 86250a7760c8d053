//! Finds the channels that a webhook is for.
//!
//! A provider's app or account has one callback address for all its numbers, in one mode or two. So a webhook is read by
//! every channel whose own credentials verify it. It counts for those that the provider names by its own id of the number.

use domain::brand::{Brand, ChannelSetup, Mode};
use domain::values::name::ChannelName;
use ports::{Addressee, ReceivedWebhook};

/// One channel of a brand, in one mode.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) mode: Mode,
    pub(super) name: &'a ChannelName,
    /// Whether the webhook's address names this channel.
    pub(super) is_named: bool,
}

/// A webhook as one channel reads it, whose credentials verified it.
pub(super) struct ChannelReading<'a> {
    pub(super) candidate: Candidate<'a>,
    pub(super) addressee: Addressee,
    pub(super) received: ReceivedWebhook,
}

/// Returns the channels that share an address: those of its name first, then the others that `shares` allows.
///
/// `shares` gets a channel named by the address, and another one.
pub(super) fn candidates<'a>(
    brand: &'a Brand,
    name: &ChannelName,
    modes: &[Mode],
    shares: fn(&ChannelSetup, &ChannelSetup) -> bool,
) -> Vec<Candidate<'a>> {
    let setups = || {
        modes.iter().flat_map(|mode| brand.setup(*mode).channels.iter().map(|setup| (*mode, setup)))
    };
    let named: Vec<&ChannelSetup> =
        setups().map(|(_, setup)| setup).filter(|setup| setup.name == *name).collect();
    let is_candidate = |setup: &ChannelSetup| named.iter().any(|named| shares(named, setup));
    let all = setups().filter(|(_, setup)| setup.name == *name || is_candidate(setup));
    let candidate = |(mode, setup): (Mode, &'a ChannelSetup)| Candidate {
        mode,
        name: &setup.name,
        is_named: setup.name == *name,
    };
    let mut all: Vec<Candidate<'a>> = all.map(candidate).collect();
    all.sort_by_key(|candidate| !candidate.is_named);
    all
}

/// Keeps the readings of the channels that the webhook is for.
///
/// Those are the channels that the provider names. If it names none, they are the ones that the address names.
pub(super) fn addressed(readings: Vec<ChannelReading<'_>>) -> Vec<ChannelReading<'_>> {
    let names_one = readings.iter().any(|reading| reading.addressee == Addressee::Own);
    let is_for = |reading: &ChannelReading<'_>| match reading.addressee {
        Addressee::Own => true,
        Addressee::Unnamed => !names_one && reading.candidate.is_named,
    };
    readings.into_iter().filter(is_for).collect()
}
