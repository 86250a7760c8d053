//! Properties of every input from outside, over samples mutated from a seed.
//!
//! Long inputs must also keep to a budget of processor time, so that no reader is quadratic.
//!
//! `CASES` sets the number of cases over all targets (default: a million), `SEED` the first one.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tests::rng::Rng;
use tests::targets::budget;
use tests::targets::mutation::case;
use tests::targets::named;

#[expect(clippy::disallowed_methods, reason = "the command line sets the number of cases")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn holds(name: &str) {
    let target = named(name).unwrap();
    let samples = (target.samples)();
    for sample in &samples {
        (target.holds)(sample);
    }
    let seed = setting("SEED", 1);
    let mut rng = Rng::new(seed);
    let cases = setting("CASES", 1_000_000) * u64::from(target.share) / 1_000_000;
    for number in 0..cases {
        let input = case(&mut rng, &samples, target.words);
        if catch_unwind(AssertUnwindSafe(|| (target.holds)(&input))).is_err() {
            panic!("{name}, seed {seed}, case {number}: {}", input.escape_ascii());
        }
    }
    for input in budget::grown(&samples, target.words) {
        let took = || budget::time_of(|| (target.holds)(&input));
        // The first run may also fill a cache.
        let is_slow = || took().is_some_and(|took| took > budget::BUDGET);
        if is_slow() && is_slow() {
            let shown: Vec<u8> = input.iter().copied().take(400).collect();
            panic!("{name}: {:?} for {} bytes: {}", took(), input.len(), shown.escape_ascii());
        }
    }
}

macro_rules! hold {
    ($($name:ident,)*) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name));
        })*

        #[test]
        fn every_fuzz_target_holds_and_shares_add_up() {
            let names: Vec<&str> = tests::targets::TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
            let shares: u32 = tests::targets::TARGETS.iter().map(|target| target.share).sum();
            assert_eq!(shares, 1_000_000);
        }
    };
}

hold! {
    act,
    adyen,
    api_key,
    apple,
    apple_pay,
    brand_secret,
    callback_signed,
    callback_unsigned,
    capabilities,
    create,
    headers,
    inbound_text,
    lambda_batch,
    lambda_call,
    lambda_topic,
    list,
    message,
    webhook_endpoint,
    one,
    openid,
    page_call,
    page_form,
    rbm,
    rbm_signed,
    rbm_unsigned,
    sandbox_call,
    site_call,
    stored_item,
    stripe,
    texts,
    topic_text,
    values,
    whatsapp,
    whole_call,
}

mod found {
    //! Inputs that the targets found, each in its smallest form.

    use tests::targets::{api, customer};

    /// The router's own rejection was plain text, without a code.
    #[test]
    fn non_utf8_path_gets_a_problem() {
        api::one(b"%ff");
        api::whole_call(b"GET /problems/%c3%28");
        customer::page_call(b"POST /c/%ff%fe");
        customer::callback_unsigned(b"POST /callbacks/acme/%ff");
        customer::sandbox_call(b"GET /sandbox/phones/%ff/messages");
    }
}

mod memory {
    //! The store under the targets passes the contract tests of every store.

    use tests::memory::MemoryStore;

    ports::store_contract_tests!(async { MemoryStore::default() });
}
