//! A machine that is killed at random moments and restarted on the same folder and port.

use std::path::PathBuf;
use std::time::Duration;

use embedded::SystemClock;
use ports::Clock;
use tests::doubles::SeededRandom;
use tests::process::Local;

use super::conversations::draw;
use super::requester::Requester;

/// A machine and the arguments of each start.
pub(crate) struct KillableMachine {
    data: PathBuf,
    arguments: Vec<String>,
    local: Local,
}

/// Draws a new seed for each run, and prints it so that a failure can be repeated.
#[expect(clippy::print_stderr, reason = "the seed is what a failed run is looked into with")]
pub(crate) fn random() -> SeededRandom {
    let seed = u64::try_from(SystemClock.now().as_millis()).unwrap();
    eprintln!("seed: {seed}");
    SeededRandom::new(seed)
}

impl KillableMachine {
    pub(crate) fn start(data: PathBuf, arguments: &[&str]) -> Self {
        let local = Local::start(&data, 0, arguments).unwrap();
        Self { data, arguments: arguments.iter().map(ToString::to_string).collect(), local }
    }

    pub(crate) fn requester(&self) -> Requester {
        Requester::new(&self.local)
    }

    fn restart(self) -> Self {
        let Self { data, arguments, local } = self;
        let port = local.port();
        local.kill();
        let plain: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let local = Local::start(&data, port, &plain).unwrap();
        Self { data, arguments, local }
    }

    /// Kills and restarts the machine for `time`, and returns how often.
    ///
    /// Every other kill follows right after a call of `requester`, while its effects are under way.
    pub(crate) async fn kill_repeatedly_for(
        mut self,
        time: Duration,
        requester: &Requester,
        random: &SeededRandom,
    ) -> (Self, u32) {
        let until = SystemClock.now().after(time);
        let mut kills = 0;
        while SystemClock.now() < until {
            SystemClock.wait(Duration::from_millis(20 + draw(random, 1_000))).await;
            if kills % 2 == 0 {
                // The effects of a call take only milliseconds. No other call may start meanwhile.
                let called = requester.acts.notified();
                tokio::time::timeout(Duration::from_secs(1), called).await.ok();
                SystemClock.wait(Duration::from_millis(draw(random, 40))).await;
            }
            self = self.restart();
            kills += 1;
        }
        (self, kills)
    }

    /// Ends the machine for good.
    pub(crate) fn kill(self) {
        self.local.kill();
    }
}
