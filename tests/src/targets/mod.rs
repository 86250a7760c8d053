//! One target for each reader of input from outside: a function of bytes that states what holds of them.
//!
//! They run two ways: as fuzz targets (`tests/fuzz`), and as seeded property tests over mutated samples (`tests/it/inputs.rs`).
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a property that does not hold fails by panicking; JSON and samples are indexed"
)]

mod accounts;
pub mod adyen;
pub mod api;
pub mod apple;
pub mod assertions;
pub mod budget;
pub mod customer;
pub mod fuzz_fixture;
pub mod lambda;
pub mod mutation;
pub mod openid;
pub mod providers;
pub mod rbm;
mod samples;
pub mod stripe;
pub mod values;
mod vocabulary;
pub mod whatsapp;

use vocabulary::{CALLS, FORMS, JSON, KEYS, SAID, SETTINGS};

/// A target with its name and its samples.
#[derive(Clone, Copy)]
pub struct Target {
    /// What the fuzzer and the tests call it.
    pub name: &'static str,
    /// The property of one input; it fails by panicking.
    pub holds: fn(&[u8]),
    /// Inputs that are valid, or nearly, to begin from.
    pub samples: fn() -> Vec<Vec<u8>>,
    /// Words of its language.
    pub words: &'static [&'static str],
    /// How many of a million cases are its share.
    pub share: u32,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "act", holds: api::act, samples: samples::act, words: JSON, share: 8_000 },
    Target {
        name: "adyen",
        holds: adyen::adyen,
        samples: adyen::samples,
        words: adyen::WORDS,
        share: 10_000,
    },
    Target {
        name: "api_key",
        holds: values::api_key,
        samples: samples::api_key,
        words: KEYS,
        share: 195_000,
    },
    Target {
        name: "apple",
        holds: apple::apple,
        samples: apple::samples,
        words: apple::WORDS,
        share: 5_000,
    },
    Target {
        name: "apple_pay",
        holds: apple::apple_pay,
        samples: apple::pay_samples,
        words: apple::WORDS,
        share: 5_000,
    },
    Target {
        name: "brand_secret",
        holds: values::brand_secret,
        samples: samples::brand_secret,
        words: SETTINGS,
        share: 10_000,
    },
    Target {
        name: "callback_signed",
        holds: customer::callback_signed,
        samples: samples::callback_signed,
        words: FORMS,
        share: 5_000,
    },
    Target {
        name: "callback_unsigned",
        holds: customer::callback_unsigned,
        samples: samples::callback_unsigned,
        words: CALLS,
        share: 10_000,
    },
    Target {
        name: "capabilities",
        holds: api::capabilities,
        samples: samples::capabilities,
        words: JSON,
        share: 8_000,
    },
    Target {
        name: "create",
        holds: api::create,
        samples: samples::create,
        words: JSON,
        share: 8_000,
    },
    Target {
        name: "headers",
        holds: api::headers,
        samples: samples::headers,
        words: KEYS,
        share: 8_000,
    },
    Target {
        name: "inbound_text",
        holds: customer::inbound_text,
        samples: samples::inbound_text,
        words: SAID,
        share: 10_000,
    },
    Target {
        name: "lambda_batch",
        holds: lambda::batch,
        samples: lambda::batches,
        words: lambda::WORDS,
        share: 8_000,
    },
    Target {
        name: "lambda_call",
        holds: lambda::call,
        samples: lambda::calls,
        words: lambda::WORDS,
        share: 8_000,
    },
    Target {
        name: "lambda_topic",
        holds: lambda::topic,
        samples: lambda::topics,
        words: lambda::WORDS,
        share: 8_000,
    },
    Target { name: "list", holds: api::list, samples: samples::list, words: FORMS, share: 8_000 },
    Target {
        name: "message",
        holds: values::message,
        samples: samples::message,
        words: JSON,
        share: 250_000,
    },
    Target {
        name: "webhook_endpoint",
        holds: providers::webhook_endpoint,
        samples: samples::webhook_endpoint,
        words: KEYS,
        share: 8_000,
    },
    Target { name: "one", holds: api::one, samples: samples::one, words: FORMS, share: 8_000 },
    Target {
        name: "openid",
        holds: openid::openid,
        samples: openid::samples,
        words: openid::WORDS,
        share: 10_000,
    },
    Target {
        name: "page_call",
        holds: customer::page_call,
        samples: samples::page_call,
        words: CALLS,
        share: 4_000,
    },
    Target {
        name: "page_form",
        holds: customer::page_form,
        samples: samples::page_form,
        words: FORMS,
        share: 4_000,
    },
    Target {
        name: "rbm",
        holds: rbm::rbm,
        samples: rbm::answer_samples,
        words: rbm::WORDS,
        share: 4_000,
    },
    Target {
        name: "rbm_signed",
        holds: rbm::rbm_signed,
        samples: rbm::event_samples,
        words: rbm::WORDS,
        share: 4_000,
    },
    Target {
        name: "rbm_unsigned",
        holds: rbm::rbm_unsigned,
        samples: rbm::body_samples,
        words: rbm::WORDS,
        share: 4_000,
    },
    Target {
        name: "sandbox_call",
        holds: customer::sandbox_call,
        samples: samples::sandbox_call,
        words: CALLS,
        share: 8_000,
    },
    Target {
        name: "site_call",
        holds: customer::site_call,
        samples: samples::site_call,
        words: CALLS,
        share: 8_000,
    },
    Target {
        name: "stored_item",
        holds: values::stored_item,
        samples: values::stored_samples,
        words: JSON,
        share: 40_000,
    },
    Target {
        name: "stripe",
        holds: stripe::stripe,
        samples: stripe::samples,
        words: stripe::WORDS,
        share: 20_000,
    },
    Target {
        name: "texts",
        holds: providers::texts,
        samples: samples::texts,
        words: JSON,
        share: 20_000,
    },
    Target {
        name: "topic_text",
        holds: lambda::topic_text,
        samples: lambda::topic_texts,
        words: lambda::WORDS,
        share: 10_000,
    },
    Target {
        name: "values",
        holds: values::values,
        samples: samples::values,
        words: KEYS,
        share: 264_000,
    },
    Target {
        name: "whatsapp",
        holds: whatsapp::whatsapp,
        samples: whatsapp::samples,
        words: whatsapp::WORDS,
        share: 5_000,
    },
    Target {
        name: "whole_call",
        holds: api::whole_call,
        samples: samples::whole_call,
        words: CALLS,
        share: 15_000,
    },
];

/// The target of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
