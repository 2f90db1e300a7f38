//! Takes the agent away from a machine.

use std::time::Duration;

use super::Marker;
use crate::exec::Script;
use crate::{Connection, Error};

/// The front door lets its streams end for up to 70 s.
const RELEASE: Script =
    Script::new(include_str!("release.sh"), "taking the agent away", Duration::from_secs(100)).as_root();

impl Connection {
    /// Agent, units, data and marker are gone; nothing else is touched. A machine without a marker is left as it is,
    /// another's is refused.
    pub async fn release(&self, marker: &Marker) -> Result<(), Error> {
        let output = self.run(RELEASE, vec![marker.lines().into()]).await?;
        self.ended_well(output, RELEASE.what()).map(drop)
    }
}

impl Marker {
    /// The lines that say which host it is, as they stand in the file.
    pub(super) fn lines(&self) -> String {
        let Self { cluster, host, incarnation, .. } = self;
        format!("cluster={cluster}\nhost={host}\nincarnation={incarnation}\n")
    }
}
