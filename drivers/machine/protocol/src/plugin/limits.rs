//! How long a plugin may take, how much it may say, and what it may use of the machine.

use std::time::Duration;

use super::calls::Action;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the start to the first call. Docker Machine grants ten seconds.
    pub start: Duration,
    /// A call that reads. Some drivers ask their cloud, and that again and again.
    pub read: Duration,
    /// A call that changes something. Nothing tells how far it is, so this is the longest a create may take.
    pub act: Duration,
    /// From `Close` to the end of the process; after a connection broke, until the process must have ended too.
    pub close: Duration,
    /// Between two heartbeats. A plugin ends ten seconds after the last one.
    pub beat: Duration,
    /// Without an answer to a heartbeat for this long the plugin hangs, whatever it does: Go answers in a thread of
    /// its own.
    pub silence: Duration,
    /// Of its output, over its life. A create with debugging on writes some hundred KiB.
    pub output_bytes: u64,
    /// Lines that go to the log; what comes after is counted only.
    pub log_lines: u64,
    /// That it can write to, and each of its children: one that wants more gets none. Plugins take some 200 MiB.
    pub memory_bytes: u64,
    /// Of a processor, to the second. Plugins wait, nearly all of their time.
    pub cpu: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(10),
            read: Duration::from_secs(60),
            act: Duration::from_secs(15 * 60),
            close: Duration::from_secs(5),
            beat: Duration::from_secs(5),
            silence: Duration::from_secs(20),
            output_bytes: 16 * 1024 * 1024,
            log_lines: 10_000,
            memory_bytes: 2 * 1024 * 1024 * 1024,
            cpu: Duration::from_secs(5 * 60),
        }
    }
}

impl Limits {
    pub(super) fn of(&self, method: &str) -> Duration {
        // Reads flags and may ask the cloud about each.
        let acts =
            method == "SetConfigFromFlags" || Action::ALL.iter().any(|action| action.method() == method);
        if acts { self.act } else { self.read }
    }
}
