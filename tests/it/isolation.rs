//! The faults of one brand do not spread: its slow endpoint takes one worker at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ports::{Http, HttpError, Reach};
use tests::doubles::ManualClock;

use super::cost::Fixture;

/// An endpoint that answers nothing until it is well again.
struct SlowEndpoint {
    clock: Arc<ManualClock>,
    is_well: AtomicBool,
    calls: AtomicUsize,
}

#[async_trait]
impl Http for SlowEndpoint {
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

/// The webhooks arrive once the endpoint is well again.
#[tokio::test]
async fn slow_endpoint_takes_one_worker_and_gets_all_webhooks() {
    let clock = Arc::new(ManualClock::default());
    let is_well = AtomicBool::new(false);
    let slow =
        Arc::new(SlowEndpoint { clock: Arc::clone(&clock), is_well, calls: AtomicUsize::new(0) });
    let http: Arc<dyn Http> = Arc::<SlowEndpoint>::clone(&slow);
    let fixture = Fixture::over(Arc::clone(&clock), &http);
    let mut requests = Vec::new();
    for number in 0..20 {
        requests.push(fixture.approved(number).await);
    }
    // Each attempt takes 15 seconds, and ten idle ones follow. Of 80 webhooks few were attempted.
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
