//! Whose a machine is, and which boot it runs.

use std::net::IpAddr;
use std::time::Duration;

use super::{Marker, said};
use crate::exec::Script;
use crate::{Connection, Error, Kind};

const STATE: Script =
    Script::new(include_str!("state.sh"), "reading the marker", Duration::from_secs(30)).as_root();

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// None: nobody's. A marker that cannot be read is an error.
    pub marker: Option<Marker>,
    /// Its own address, as this connection reached it.
    pub address: Option<IpAddr>,
    /// Another one after every boot.
    pub boot: String,
}

impl Connection {
    pub async fn state(&self) -> Result<State, Error> {
        let output = self.run(STATE, Vec::new()).await?;
        let output = self.ended_well(output, STATE.what())?;
        let unexpected =
            || Error::from(Kind::Unexpected { address: self.address().to_owned(), what: STATE.what() });
        said(&output, "end").ok_or_else(unexpected)?;
        let marker = said(&output, "marker").map(|line| Marker::decode(line).ok_or_else(unexpected));
        let address = said(&output, "address").and_then(|text| text.parse().ok());
        let boot = said(&output, "boot").ok_or_else(unexpected)?.to_owned();
        Ok(State { marker: marker.transpose()?, address, boot })
    }
}
