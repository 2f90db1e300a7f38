//! How long driver programs are waited for.

use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Between two looks whether the files on the plugin path are others.
    pub look_every: Duration,
    /// From the start of a program until it says that it serves; an interpreter on a busy machine takes seconds.
    pub ready: Duration,
    /// One answer to the handshake.
    pub handshake: Duration,
    /// To take an account's settings, which the driver may try against its endpoint.
    pub configure: Duration,
    /// Between two looks whether it still answers.
    pub probe_every: Duration,
    /// For one answer. A program answers what it is at once, whatever else it does.
    pub probe_patience: Duration,
    /// Looks without an answer before it is replaced.
    pub probe_misses: u32,
    /// From being asked to end until it is killed.
    pub grace: Duration,
    /// Before the first restart; doubled by each that fails, up to the last.
    pub backoff_first: Duration,
    pub backoff_last: Duration,
    /// Before programs that did not say what they are are asked again; doubled each time, up to the last. A machine that
    /// was too busy is so for minutes, and a program that never answers costs a start each time.
    pub again_first: Duration,
    pub again_last: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(5),
            ready: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            configure: Duration::from_secs(60),
            probe_every: Duration::from_secs(5),
            probe_patience: Duration::from_secs(10),
            probe_misses: 3,
            grace: Duration::from_secs(10),
            backoff_first: Duration::from_secs(1),
            backoff_last: Duration::from_secs(60),
            again_first: Duration::from_secs(30),
            again_last: Duration::from_secs(600),
        }
    }
}
