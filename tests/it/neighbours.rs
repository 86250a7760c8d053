//! One brand's trouble is not another's: a slow notice endpoint takes one worker at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ports::{Http, HttpError, Reach};
use tests::doubles::ManualClock;

use super::flat::Fixture;

/// Answers nothing for as long as it is waited for, until it is well again.
struct Slow {
    clock: Arc<ManualClock>,
    is_well: AtomicBool,
    calls: AtomicUsize,
}

#[async_trait]
impl Http for Slow {
    async fn call(
        &self,
        _: http::Request<Bytes>,
        _: Reach,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, HttpError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.is_well.load(Ordering::SeqCst) {
            return Ok(http::Response::default());
        }
        self.clock.pass(timeout);
        Err(HttpError::Lost("no answer".into()))
    }
}

#[tokio::test]
async fn a_slow_endpoint_takes_one_worker_at_a_time_and_is_told_everything_once_it_is_well() {
    let clock = Arc::new(ManualClock::default());
    let is_well = AtomicBool::new(false);
    let slow = Arc::new(Slow { clock: Arc::clone(&clock), is_well, calls: AtomicUsize::new(0) });
    let fixture = Fixture::over(Arc::clone(&clock), Arc::<Slow>::clone(&slow));
    let mut requests = Vec::new();
    for number in 0..20 {
        requests.push(fixture.approved(number).await);
    }
    // Each attempt takes 15 seconds and is followed by ten without one: of 80 notices, few found out for all.
    let calls = slow.calls.load(Ordering::SeqCst);
    assert!((1..=25).contains(&calls), "{calls}");
    slow.is_well.store(true, Ordering::SeqCst);
    for _ in 0..40 {
        clock.pass(Duration::from_secs(30));
        fixture.work().await;
    }
    for request in requests {
        assert!(fixture.is_told(request).await);
    }
}
