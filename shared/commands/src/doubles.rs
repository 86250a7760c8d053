//! Doubles of the ports that the tests of this crate share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clap::Parser;
use domain::random::Random;
use domain::values::time::Timestamp;
use http::Request;
use ports::{Clock, SignError, Signer};

use crate::Command;

/// A clock, a source of bytes and a signer that a test can predict.
pub(crate) struct Machine(pub(crate) Mutex<u8>);

#[async_trait]
impl Clock for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000)
    }

    async fn wait(&self, _: Duration) {}
}

impl Random for Machine {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let mut next = self.0.lock().unwrap();
            *next = next.wrapping_mul(29).wrapping_add(71);
            *byte = *next;
        }
    }
}

#[async_trait]
impl Signer for Machine {
    async fn sign(
        &self,
        mut request: Request<Bytes>,
        service: &str,
        region: &str,
    ) -> Result<Request<Bytes>, SignError> {
        let signature = format!("signed for {service} in {region}").parse().unwrap();
        request.headers_mut().insert("authorization", signature);
        Ok(request)
    }
}

/// A line of the command line.
#[derive(Parser)]
pub(crate) struct Line {
    /// The command of the line.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A stream that a test reads.
#[derive(Clone, Default)]
pub(crate) struct CapturedOutput(pub(crate) Arc<Mutex<Vec<u8>>>);

impl std::io::Write for CapturedOutput {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
