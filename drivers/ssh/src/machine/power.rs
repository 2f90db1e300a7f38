//! Reboots a machine, or turns it off.

use std::time::Duration;

use super::{Marker, status};
use crate::exec::Script;
use crate::{Connection, Error, Kind};

/// A little longer than the script waits for the machine's end.
const POWER: Script =
    Script::new(include_str!("power.sh"), "changing its power", Duration::from_secs(40)).as_root();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    Reboot,
    /// Nothing over SSH turns it on again.
    Off,
}

impl Connection {
    /// Orderly. Returns when the machine has gone down, or takes its time for that: whether it boots anew shows in
    /// [`State::boot`](super::State::boot).
    pub async fn power(&self, marker: &Marker, power: Power) -> Result<(), Error> {
        let action = match power {
            Power::Reboot => "reboot\n",
            Power::Off => "poweroff\n",
        };
        match self.run(POWER, vec![marker.lines().into(), action.into()]).await {
            Ok(output) if output.status < status::SIGNAL => self.ended_well(output, POWER.what()).map(drop),
            // The machine ended the script, or was gone faster than its good-bye.
            Ok(_) => Ok(()),
            Err(Error { kind: Kind::Dropped { doing, .. } | Kind::TimedOut { doing, .. }, .. })
                if doing == POWER.what() =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
