//! What is done to a machine over one connection.
//!
//! ```text
//! look ─► judge (pure) ─► adopt: claim, agent, bootstrap script ─► the agent runs
//! state ◄─ marker        release: agent, units, data, marker gone ─► the machine is as it was found
//! reboot, power off: only with our marker
//! ```
//! Adopting writes the agent, its configuration, its units and a marker, and nothing else: no hostname, no package,
//! no engine is touched. The marker says whose the machine is; a machine with another's is refused.

mod adopt;
mod agents;
mod binary;
mod look;
mod marker;
mod power;
mod release;
mod state;

pub use adopt::Agent;
pub use agents::Agents;
pub use binary::Architecture;
pub use look::Looked;
pub use marker::Marker;
pub use power::Power;
pub use state::State;

use crate::{Connection, Error, Kind, Output};

/// Statuses of our scripts, the same in all of them; other ones are of programs that failed.
pub(crate) mod status {
    /// Another's marker stands there; it follows on stdout.
    pub(crate) const CLAIMED: u32 = 41;
    pub(crate) const DISK_FULL: u32 = 42;
    /// An agent, and no marker.
    pub(crate) const OTHER_AGENT: u32 = 43;
    /// This and more: it was ended from outside.
    pub(crate) const SIGNAL: u32 = 128;
}

/// The lines `skep:KEY=VALUE` of a script's stdout. Whatever else a login prints is left out.
pub(crate) fn said<'a>(output: &'a Output, key: &str) -> Option<&'a str> {
    said_all(output, key).next_back()
}

pub(crate) fn said_all<'a>(output: &'a Output, key: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    let words = output.stdout.lines().filter_map(|line| line.strip_prefix("skep:"));
    let pairs = words.filter_map(|line| line.split_once('='));
    pairs.filter(move |(name, _)| *name == key).map(|(_, value)| value)
}

impl Connection {
    /// The output of a script that ended well, or why it did not.
    pub(crate) fn ended_well(&self, output: Output, what: &'static str) -> Result<Output, Error> {
        let address = self.address().to_owned();
        let kind = match output.status {
            0 => return Ok(output),
            status::CLAIMED => {
                let by = said(&output, "marker").and_then(Marker::decode);
                let by = by.map_or_else(|| "something unreadable".to_owned(), |marker| marker.to_string());
                Kind::Claimed { address, by }
            }
            status::DISK_FULL => {
                let (place, free_kib) = said(&output, "free_kib").and_then(look::free).unwrap_or_default();
                Kind::DiskFull { address, place, free_kib, needed_kib: look::RESERVE_KIB }
            }
            status::OTHER_AGENT => Kind::OtherAgent { address },
            status => Kind::ScriptFailed { address, what, status, output: output.last_words() },
        };
        Err(kind.into())
    }
}
