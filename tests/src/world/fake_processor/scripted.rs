//! The scripted answers of a fake processor.

use std::collections::VecDeque;
use std::sync::Mutex;

use domain::authorization::{Credential, CredentialKind};
use ports::{Confirmed, Created, DetachResult, Retrieved, VoidResult};

use super::{FakeProcessorState, ProcessorCall};

/// The result of an operation that a test can script.
pub trait ScriptedResult: Sized {
    /// The results that come next.
    fn script(books: &FakeProcessorState) -> &Mutex<VecDeque<Self>>;
}

macro_rules! scripted {
    ($($result:ty: $field:ident,)+) => {$(
        impl ScriptedResult for $result {
            fn script(books: &FakeProcessorState) -> &Mutex<VecDeque<Self>> {
                &books.$field
            }
        }
    )+};
}

scripted! {
    Created: creates,
    Confirmed: confirms,
    Retrieved: retrieves,
    VoidResult: voids,
    DetachResult: detaches,
}

impl FakeProcessorState {
    /// Takes a card off file, unless a test says something else.
    pub(super) fn detaches(&self, saved: &Credential) -> DetachResult {
        assert_eq!(saved.kind, CredentialKind::SavedCard);
        self.called(ProcessorCall::Detach, "card");
        self.next().unwrap_or(DetachResult::Detached)
    }
}
