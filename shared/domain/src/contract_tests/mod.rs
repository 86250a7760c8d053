//! The laws of the ports: what every implementation must keep, whatever it is made of.
//!
//! Each law is an async function over the port, and one macro per port stamps them all as tests:
//! `domain::store_contract_tests!(async { a_fresh_store().await });`. The crate that stamps them has `tokio` with `macros` and
//! `rt` among its dev-dependencies. A law never sleeps, never knows which implementation it runs on, and works on
//! keys of its own, so that all of them may run at once against one table.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a law that is broken fails by panicking")]

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

pub mod listing;
pub mod processor;
pub mod queue;
pub mod secrets;
pub mod store;

/// Stamps laws as tests, each over what `$fresh` makes.
#[doc(hidden)]
#[macro_export]
macro_rules! stamp_contract_tests {
    ($port:ident, $fresh:expr; $($law:ident,)*) => {$(
        #[tokio::test]
        async fn $law() {
            let fresh = $fresh.await;
            $crate::contract_tests::$port::$law(&fresh).await;
        }
    )*};
}

/// Runs both at once: while one waits the other goes on.
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
    fn no_law_is_left_out_of_its_macro() {
        let files = [
            include_str!("store.rs"),
            include_str!("listing.rs"),
            include_str!("queue.rs"),
            include_str!("secrets.rs"),
        ];
        let all = files.concat();
        for law in all.split("\npub async fn ").skip(1) {
            let name = law.split('(').next().unwrap();
            assert!(all.contains(&format!("            {name},\n")), "{name} is not stamped");
        }
    }
}
