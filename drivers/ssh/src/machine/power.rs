//! Reboots a machine, or turns it off.

use std::time::Duration;

use super::{Marker, said};
use crate::exec::Script;
use crate::{Connection, Error, Kind, Output};

const POWER: Script =
    Script::new(include_str!("power.sh"), "changing its power", Duration::from_secs(30)).as_root();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    Reboot,
    /// Nothing over SSH turns it on again.
    Off,
}

impl Connection {
    /// Orderly. Returns once it has begun.
    pub async fn power(&self, marker: &Marker, power: Power) -> Result<(), Error> {
        let action = match power {
            Power::Reboot => "reboot\n",
            Power::Off => "poweroff\n",
        };
        let stdin = vec![marker.lines().into(), action.into()];
        let output = match self.run(POWER, stdin).await {
            // The machine was faster than its good-bye. What was asked for happened, or the caller sees that it did not.
            Err(Error { kind: Kind::Dropped { doing, .. }, .. }) if doing == POWER.what() => return Ok(()),
            output => output?,
        };
        if begun(&output) { Ok(()) } else { self.ended_well(output, POWER.what()).map(drop) }
    }
}

fn begun(output: &Output) -> bool {
    output.status == 0 && said(output, "begun").is_some()
}
