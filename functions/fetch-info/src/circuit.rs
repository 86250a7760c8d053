//! The gate in front of a processor account: shut for a while when the account refuses us, then tried by one worker at a time.

use std::time::Duration;

use domain::brand::{Brand, Mode};
use domain::circuit_breaker::CircuitBreaker;
use domain::ports::{Answer, Refunded, StoreError};
use domain::values::name::ProcessorName;

use crate::FetchInfo;

/// What an answer says about the account it was asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is refused.
    Refused,
    /// Nothing: nobody answered.
    Nothing,
    /// It is taken.
    Taken,
}

impl From<&Answer> for Said {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Blocked { .. } => Self::Refused,
            Answer::Again | Answer::Unknown => Self::Nothing,
            Answer::Done(_)
            | Answer::SoftDeclined { .. }
            | Answer::HardDeclined { .. }
            | Answer::RequiresAction { .. }
            | Answer::Exchanged(_)
            | Answer::Invalid { .. }
            | Answer::Processing
            | Answer::NotConfirmed
            | Answer::Voided => Self::Taken,
        }
    }
}

impl From<&Refunded> for Said {
    fn from(refunded: &Refunded) -> Self {
        match refunded {
            Refunded::Blocked { .. } => Self::Refused,
            Refunded::Again | Refunded::Unknown => Self::Nothing,
            Refunded::Done(_) | Refunded::Pending(_) | Refunded::Failed { .. } => Self::Taken,
        }
    }
}

/// A processor account that was asked, with the settings it was opened with.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) brand: &'a Brand,
    pub(crate) mode: Mode,
    pub(crate) processor: &'a ProcessorName,
    pub(crate) breaker: &'a CircuitBreaker,
}

impl FetchInfo {
    /// Keeps what an answer says about the account. The wait is for how long nobody calls it, if nobody is to.
    ///
    /// Credentials that were rotated meanwhile are no reason to stay away: they are read anew, and tried at once. Where this
    /// cannot be kept, what was answered counts all the same.
    pub(crate) async fn learn(&self, asked: Asked<'_>, said: Said) -> Option<Duration> {
        match self.kept_of(asked, said).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(processor.name = %asked.processor, error = %error, "what a processor said of our account is not kept");
                None
            }
        }
    }

    async fn kept_of(&self, asked: Asked<'_>, said: Said) -> Result<Option<Duration>, StoreError> {
        let (store, now) = (self.store.as_ref(), self.clock.now());
        let mut breaker = asked.breaker.clone();
        let taken = match said {
            Said::Taken => true,
            Said::Nothing => {
                breaker.release_probe(store, now).await?;
                return Ok(None);
            }
            Said::Refused => self.is_rotated(asked).await,
        };
        if taken {
            if breaker.close(store).await? {
                tracing::info!(processor.name = %asked.processor, "a processor takes our account again");
            }
            return Ok(None);
        }
        if breaker.record_refusal(store, now).await? {
            tracing::error!(
                brand.name = %asked.brand.name,
                processor.name = %asked.processor,
                "a processor refuses our account: nobody calls it for a while"
            );
        }
        Ok(breaker.open_for(now))
    }

    /// Reads the brand's secret anew, and says whether the processor's settings are others now.
    async fn is_rotated(&self, asked: Asked<'_>) -> bool {
        match self.secrets.refresh(&asked.brand.name).await {
            Ok(fresh) => {
                let settings =
                    |brand: &Brand| brand.processor(asked.mode, asked.processor).cloned();
                settings(&fresh) != settings(asked.brand)
            }
            Err(error) => {
                tracing::warn!(error = %error, "the brand's secret could not be read anew");
                false
            }
        }
    }
}
