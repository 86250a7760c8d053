//! The fake processors among the processors there are.

use std::sync::Arc;

use domain::brand::{Brand, Mode};
use domain::values::name::ProcessorName;
use local::Machine;
use ports::{OpenProcessorError, Processor, Processors};

use super::{FakeProcessor, FakeProcessorState, KIND};
use crate::world::ports::Hooks;

/// The processors there are, with the fake processor among them.
struct WithFakeProcessors {
    others: Arc<dyn Processors>,
    books: Arc<FakeProcessorState>,
}

impl Processors for WithFakeProcessors {
    fn open(
        &self,
        brand: &Brand,
        mode: Mode,
        name: &ProcessorName,
    ) -> Result<Box<dyn Processor>, OpenProcessorError> {
        let setups = &brand.setup(mode).processors;
        let setup = setups.iter().find(|setup| setup.name == *name && setup.kind == KIND);
        let Some(setup) = setup else { return self.others.open(brand, mode, name) };
        let settings = setup.settings.read();
        let settings = settings.map_err(|error| OpenProcessorError::Settings(error.into()))?;
        Ok(Box::new(FakeProcessor { settings, mode, books: Arc::clone(&self.books) }))
    }
}

/// Puts the fake processor among the processors of a machine.
pub(in crate::world) fn join(machine: &mut Machine, hooks: &Arc<Hooks>) -> Arc<FakeProcessorState> {
    let books =
        Arc::new(FakeProcessorState { hooks: Arc::clone(hooks), ..FakeProcessorState::default() });
    let others = Arc::clone(&machine.intake.processors);
    let all: Arc<dyn Processors> =
        Arc::new(WithFakeProcessors { others, books: Arc::clone(&books) });
    let first = "the machine has no other holder yet";
    Arc::get_mut(&mut machine.intake).expect(first).processors = Arc::clone(&all);
    Arc::get_mut(&mut machine.consent_callback).expect(first).processors = Arc::clone(&all);
    Arc::get_mut(&mut machine.fetch_info).expect(first).processors = all;
    books
}
