//! Saved cards of customers who were silent for too long: a daily task ends them, without another ask.

use domain::brand::Mode;
use domain::contact::Contact;
use domain::message::Task;
use records::contact;
use records::contact::ChannelScope;
use serde_json::json;
use tests::world::fake_processor::ProcessorCall;
use tests::world::{PHONE, World};

use super::forgetting::{address, card_path, sends};
use super::payment_options::{ask_for, paying_with, with_a_card};

const DAY: u64 = 86_400;

fn listed_checks(world: &World) -> usize {
    world.items().iter().filter(|item| item.key.pk.starts_with("CHECK#")).count()
}

/// Runs the daily task on each of the coming days, and returns the day on which the card was gone.
fn day_of_the_end(world: &World, card: &str, days: std::ops::Range<u64>) -> Option<u64> {
    for day in days {
        sends(world, Task::CheckCards);
        world.run_until_idle();
        if world.get(&card_path(card)).status == 404 {
            assert_eq!(listed_checks(world), 0);
            return Some(day);
        }
        assert_eq!(listed_checks(world), 1);
        world.time_passes(DAY);
    }
    None
}

/// The daily task alone ends it, at the processor too. The customer is not asked again.
#[test]
fn card_of_a_silent_number_ends_without_an_ask() {
    let (world, card) = with_a_card();
    assert_eq!(day_of_the_end(&world, &card, 0..400), Some(366));
    assert_eq!(
        (world.fake_processor().charges(), world.fake_processor().count(ProcessorCall::Detach)),
        (0, 1)
    );
    // The task is sent again and again, and finds nothing.
    sends(&world, Task::CheckCards);
    world.run_until_idle();
    assert_eq!(world.fake_processor().count(ProcessorCall::Detach), 1);
}

/// A message of the customer counts as heard, long after the contact is forgotten. A late check is made later.
#[test]
fn card_of_a_customer_who_wrote_ends_later() {
    let (world, card) = with_a_card();
    assert_eq!(day_of_the_end(&world, &card, 0..300), None);
    let brand = world.run(world.ports.secrets.brand(&"demo".parse().unwrap())).unwrap();
    let setup = &brand.setup(Mode::Test).channels[0];
    let at = ChannelScope { brand: &brand.name, mode: Mode::Test, channel: &setup.name };
    let now = world.now();
    let heard = |known: &Contact| Contact { last_inbound: Some(now), ..known.clone() };
    let of = address(&world);
    world.run(contact::update(world.ports.store.as_ref(), at, &of, now, heard)).unwrap();
    // The schedule stands still for a month.
    assert_eq!(day_of_the_end(&world, &card, 300..600), None);
    world.time_passes(35 * DAY);
    assert_eq!(day_of_the_end(&world, &card, 635..700), Some(666));
}

/// The customer is on the line, and about to pay with it.
#[test]
fn card_that_an_open_request_names_ends_the_day_after() {
    let (world, card) = with_a_card();
    assert_eq!(day_of_the_end(&world, &card, 0..364), None);
    let mut body = ask_for(&world, PHONE, &paying_with(&card));
    body["expires_in"] = json!(3 * DAY);
    let asked = world.asks_for(&body);
    assert_eq!(day_of_the_end(&world, &card, 364..367), None);
    world.run_until_idle();
    assert_ne!(world.state(&asked), "prompted");
    assert_eq!(day_of_the_end(&world, &card, 367..370), Some(367));
    assert_eq!(world.fake_processor().count(ProcessorCall::Detach), 1);
}
