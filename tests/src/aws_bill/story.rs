//! One fulfilled request over a channel, from its call to its last check, with webhooks on.
#![expect(clippy::expect_used, reason = "a story fails the test it is in")]

use std::collections::BTreeMap;

use domain::keys;
use serde_json::{Value, json};

use super::meter::{Operation, Turn, by_operation};
use super::prices::{Amounts, Price, SHEET};
use crate::providers::{rbm, whatsapp};
use crate::world::{PHONE, World, brand, topics};

/// The channels whose requests are billed.
///
/// The customer approves on the page. A tap is the sandbox's: the customer approves in the thread, and opens no page.
pub const BILLED_CHANNELS: [&str; 7] =
    [TAP, "sandbox", "whatsapp", "sms (Twilio)", "sms (AWS)", "rcs (Google)", "rcs (AWS)"];

const TAP: &str = "sandbox, a tap";

/// The calls and the price of one request.
#[derive(Clone, Debug)]
pub struct Bill {
    /// How the prompt reached the customer.
    pub channel: &'static str,
    /// What each function did.
    pub turns: Vec<Turn>,
    /// The price of the request.
    pub price: Price,
    amounts: Amounts,
}

impl Bill {
    fn new(channel: &'static str, turns: Vec<Turn>) -> Self {
        let mut amounts = Amounts::default();
        for turn in turns.iter().filter(|turn| turn.own().next().is_some()) {
            turn.own().for_each(|call| amounts.count(call));
            let is_served = turn.name.contains('/');
            *if is_served { &mut amounts.served } else { &mut amounts.messages } += 1;
        }
        Self { channel, turns, price: amounts.price(), amounts }
    }

    /// Returns the number of calls.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.operations().values().sum()
    }

    /// Returns the number of calls of each operation.
    #[must_use]
    pub fn operations(&self) -> BTreeMap<Operation, u64> {
        by_operation(self.turns.iter().flat_map(Turn::own))
    }

    /// Returns the write units, and the read units, rounded up.
    #[must_use]
    pub const fn units(&self) -> (u64, u64) {
        (self.amounts.writes, self.amounts.half_reads.div_ceil(2))
    }

    /// Returns the longest chain of the turns whose name begins so.
    #[must_use]
    pub fn chain(&self, name: &str) -> usize {
        let turns = self.turns.iter().filter(|turn| turn.name.starts_with(name));
        turns.map(Turn::chain).max().unwrap_or(0)
    }
}

fn channel(name: &str) -> Value {
    let (kind, settings) = match name {
        "whatsapp" => ("whatsapp", whatsapp::settings()),
        "sms (Twilio)" => ("sms", brand::twilio()),
        "sms (AWS)" => return topics::sms(),
        "rcs (Google)" => ("rcs", rbm::settings()),
        "rcs (AWS)" => return topics::rcs(),
        _ => ("sandbox", json!({ "style": "rcs" })),
    };
    let name = if kind == "sandbox" { "phone" } else { kind };
    json!({ "name": name, "kind": kind, "settings": settings })
}

/// Tells one request over a channel. A request of the same brand came before it, so that it meets warm functions.
///
/// # Panics
/// When the request is not fulfilled.
#[must_use]
pub fn bill(name: &'static str) -> Bill {
    let world = World::builder().with("/test/channels", &json!([channel(name)])).build();
    fulfil(&world, "+15551230009", name == TAP);
    world.time_passes(900);
    world.meter().start();
    fulfil(&world, PHONE, name == TAP);
    world.time_passes(900);
    Bill::new(name, world.meter().stop())
}

/// Asks for a payment, which the customer approves by a tap or on the page.
fn fulfil(world: &World, phone: &str, by_tap: bool) {
    let asked = world.asks_at(phone, 4_250);
    let stored = world.stored(&asked);
    let prompt = stored.prompts.last().expect("the request has a prompt").id;
    let demo = "demo".parse().expect("a brand's name is one");
    let brand = world.run(world.ports.secrets.brand(&demo)).expect("the brand is known");
    let page = format!("/c/{}", keys::link_token(&brand.link_key, prompt));
    let code = stored.session_code.map(|code| code.code).unwrap_or_default();
    let customer = world.customer_at(phone);
    let fields = [("action", "approve"), ("session_code", code.as_str())];
    if by_tap {
        customer.approves().ok(200);
    } else {
        customer.answers_on(&page, &fields).ok(303);
    }
    assert_eq!(world.stored(&asked).state_name(), "fulfilled", "{phone}");
}

/// Returns the report of all channels.
#[must_use]
pub fn report() -> String {
    let mut text = format!("AWS, one fulfilled payment with webhooks on; {SHEET}\n");
    for channel in BILLED_CHANNELS {
        let bill = bill(channel);
        let (writes, reads) = bill.units();
        let Price { table, queues, calls } = bill.price;
        text += &format!(
            "{channel}: {} calls, {writes} write units, {reads} read units; 1,000 requests cost {} \
             (table {table}, queues {queues}, invocations {calls})\n  {:?}\n",
            bill.calls(),
            bill.price.total(),
            bill.operations(),
        );
        for turn in &bill.turns {
            let units: u64 = turn.own().map(|call| call.writes).sum();
            text += &format!(
                "  {:<34} {:>2} calls, chain {:>2}, {units:>3} write units: {}\n",
                turn.name,
                turn.own().count(),
                turn.chain(),
                turn.own()
                    .map(|call| shown(call.operation, &call.about))
                    .collect::<Vec<_>>()
                    .join(" "),
            );
        }
    }
    text
}

/// Returns a call in short: the operation, and the kind of its first key.
fn shown(operation: Operation, about: &str) -> String {
    format!("{operation:?}:{}", about.split('#').next().unwrap_or_default())
}
