//! Serves connections until the machine stops, with a limit on the time that a caller takes for its headers.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use domain::caller::Caller;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use ports::Clock;
use tokio::net::TcpListener;
use tower::ServiceExt;

/// The time for the headers of a call. A caller that sends them byte by byte would otherwise hold a socket for ever.
const HEADERS_MAX: Duration = Duration::from_secs(10);
/// The time for which calls in flight may go on after the machine was told to stop.
const GRACE: Duration = Duration::from_secs(30);
/// The wait after a connection could not be accepted, such as when the process has no socket left.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until `stop` is done, then finishes the calls in flight.
///
/// # Errors
/// None so far: a connection that fails ends alone.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok((stream, peer)) => (stream, peer),
            Err(error) => {
                tracing::warn!(error = %error, "failed to accept a connection");
                clock.wait(ACCEPT_RETRY).await;
                continue;
            }
        };
        let caller = Caller { source: Some(peer.ip()), ..Caller::default() };
        let service = router.clone().map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(caller.clone());
            request.map(Body::new)
        });
        let service = TowerToHyperService::new(service);
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADERS_MAX);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("calls in flight were cut off");
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this process goes on after each call; Lambda's does not"
)]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
