//! One fuzz program for all targets. `TARGET` names the one to run.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tests::targets::{Target, named};

/// The target of this run.
fn target() -> &'static Target {
    static TARGET: OnceLock<&'static Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let name = std::env::var("TARGET").unwrap_or_default();
        named(&name).expect("TARGET names one of the targets of tests/src/targets/mod.rs")
    })
}

fuzz_target!(|input: &[u8]| (target().holds)(input));
