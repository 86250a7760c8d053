//! The contract tests of the ports, which every implementation passes.
//!
//! Each is an async function over the port. One macro per port stamps them all as tests:
//! `ports::store_contract_tests!(async { fresh_store().await });`. The crate that stamps them has `tokio` with `macros` and
//! `rt` among its dev-dependencies.
//!
//! A contract test never sleeps and never knows its implementation. It works on keys of its own, so that all of them may
//! run at once against one table.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a contract test fails by panicking")]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

pub mod listing;
mod logged;
pub mod processor;
pub mod queue;
pub mod secrets;
pub mod store;

/// Stamps contract tests as tests, each over the result of `$fresh`.
#[doc(hidden)]
#[macro_export]
macro_rules! stamp_contract_tests {
    ($port:ident, $fresh:expr; $($test:ident,)*) => {$(
        #[tokio::test]
        async fn $test() {
            let fresh = $fresh.await;
            $crate::contract_tests::$port::$test(&fresh).await;
        }
    )*};
}

/// Runs both futures concurrently.
async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        if first.is_none()
            && let Poll::Ready(value) = one.as_mut().poll(context)
        {
            first = Some(value);
        }
        if second.is_none()
            && let Poll::Ready(value) = other.as_mut().poll(context)
        {
            second = Some(value);
        }
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (none, some) => {
                (first, second) = (none, some);
                Poll::Pending
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    #[test]
    fn contract_tests_are_all_in_their_macros() {
        let files = [
            include_str!("store.rs"),
            include_str!("listing.rs"),
            include_str!("queue.rs"),
            include_str!("secrets.rs"),
        ];
        let all = files.concat();
        for test in all.split("\npub async fn ").skip(1) {
            let name = test.split('(').next().unwrap();
            assert!(all.contains(&format!("            {name},\n")), "{name} is not stamped");
        }
    }
}
