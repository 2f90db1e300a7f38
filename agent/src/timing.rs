//! Every span an agent goes by.

use std::time::Duration;

pub use crate::pace::Backoff;

#[derive(Debug, Clone, Copy)]
pub struct Timing {
    pub backoff: Backoff,
    /// TCP and TLS together.
    pub connect: Duration,
    /// One unary call, and from Hello to Welcome.
    pub call: Duration,
    /// An idle connection is asked for a sign of life this often, ...
    pub keepalive_every: Duration,
    /// ... and given up after this long without one. Together below the 12 s after which coordinators call the agent
    /// disconnected.
    pub keepalive_within: Duration,
    /// A session that lived this long was a good one: when it ends, the next try comes at once.
    pub settled: Duration,
    /// For the coordinator that called, and gave the certificate, to call again; then the agent dials.
    pub certified: Duration,
    /// Between looks at the engine where nothing calls for one, and at least.
    pub look_every: Duration,
    pub look_at_least: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            connect: Duration::from_secs(2),
            call: Duration::from_secs(5),
            keepalive_every: Duration::from_secs(4),
            keepalive_within: Duration::from_secs(4),
            settled: Duration::from_secs(1),
            certified: Duration::from_secs(5),
            look_every: Duration::from_secs(2),
            look_at_least: Duration::from_millis(200),
        }
    }
}
