//! Time in a world: due messages are handled, lost or repeated.

use std::time::Duration;

use domain::message::{Message, MessageResult, QueueName};
use domain::values::time::Timestamp;
use ports::Clock;

use super::{Core, STEPS_MAX};

impl Core {
    /// Returns the world's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Does everything that is due.
    pub fn run_until_idle(&self) {
        for _ in 0..STEPS_MAX {
            if !QueueName::ALL.into_iter().any(|queue| self.handle_one(queue)) {
                return;
            }
        }
        panic!("the functions send each other in circles");
    }

    /// Does everything that is due on one queue.
    pub fn handle_queue(&self, queue: QueueName) {
        while self.handle_one(queue) {}
    }

    fn handle_one(&self, queue: QueueName) -> bool {
        let database = &self.queues.inner;
        let received = database.receive(queue, self.now()).expect("the queue is there");
        let Some(received) = received else { return false };
        self.meter.turn(|| {
            received.message.parts().map_or("task".to_owned(), |(step, _)| format!("{step:?}"))
        });
        let done = match self.run(self.machine.handle(&received.message)) {
            MessageResult::Done => database.delete(received.receipt),
            MessageResult::Again => {
                let wait = Duration::from_secs(1 << received.receives.min(6));
                database.release(received.receipt, wait)
            }
        };
        done.expect("the queue is there");
        true
    }

    /// Lets time pass, and does everything at the moment it is due.
    pub fn time_passes(&self, seconds: u64) {
        let until = self.now().after(Duration::from_secs(seconds));
        self.run_until_idle();
        while let Some(due) = self.next_due().filter(|due| *due <= until) {
            self.clock.pass_until(due);
            self.run_until_idle();
        }
        self.clock.pass_until(until);
    }

    /// Hands messages over that came before, as queues do now and then, and does what follows.
    pub fn redeliver(&self, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            assert_eq!(self.run(self.machine.handle(&message)), MessageResult::Done, "{message:?}");
        }
        self.run_until_idle();
    }

    /// Lets time pass until then while no worker runs.
    pub fn clock_jumps_to(&self, at: Timestamp) {
        self.clock.pass_until(at);
    }

    /// Lets time pass while no worker runs.
    pub fn clock_jumps(&self, seconds: u64) {
        self.clock.pass_until(self.now().after(Duration::from_secs(seconds)));
    }

    /// Loses each message that is due on a queue, as if its sender had died before.
    pub fn loses_messages(&self, queue: QueueName) {
        let database = &self.queues.inner;
        while let Some(lost) = database.receive(queue, self.now()).expect("the queue is there") {
            database.delete(lost.receipt).expect("the queue is there");
        }
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let due = |queue| self.queues.inner.next_due(queue).expect("the queue is there");
        QueueName::ALL.into_iter().filter_map(due).min()
    }
}
