//! How an adopted machine is named, and what the driver keeps of it. Pure.

use serde::{Deserialize, Serialize};
use skep_driver::{DriverError, ErrorKind, Instance, InstanceState, Target};
use skep_ssh::config::parse_place;
use skep_ssh::machine::Marker;
use skep_ssh::{Connection, SeenKey};
use skep_types::{InstanceRef, ProviderId, Secret};

use crate::description::NAME;
use crate::inventory::{Inventory, Machine};
use crate::options::DEFAULT_PORT;

/// `h1-42.1@web.example.com:22`: the host and its incarnation, and where the machine is. The machine's next host is
/// another instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) host: String,
    pub(crate) incarnation: u32,
    pub(crate) address: String,
    pub(crate) port: u16,
}

/// What a machine is called for as long as its host lives: as it was named when it was adopted. How it is reached may
/// change, with an inventory or `~/.ssh/config`, and what it is called must not: an instance of another id is another one.
pub(crate) fn place(machine: &Machine) -> String {
    let Machine { address, .. } = machine;
    let address = if address.contains(':') { format!("[{address}]") } else { address.clone() };
    format!("{address}:{}", machine.port.unwrap_or(DEFAULT_PORT))
}

impl Id {
    /// The id of an adopted machine, which is `machine` now.
    pub(crate) fn of(marker: &Marker, machine: &Machine) -> Result<ProviderId, DriverError> {
        let Marker { host, incarnation, .. } = marker;
        // Agents were brought without it once.
        let place = if marker.place.is_empty() { place(machine) } else { marker.place.clone() };
        format!("{host}.{incarnation}@{place}").parse().map_err(|error| {
            let message = format!("the name {place} is too long for an instance");
            DriverError::new(ErrorKind::Internal, message).caused_by(error)
        })
    }

    pub(crate) fn parse(id: &ProviderId) -> Option<Self> {
        let (marker, place) = id.as_str().split_once('@')?;
        let (host, incarnation) = marker.rsplit_once('.')?;
        let place = parse_place(place).ok()?;
        let incarnation = incarnation.parse().ok()?;
        Some(Self { host: host.to_owned(), incarnation, address: place.host, port: place.port? })
    }

    /// What the machine's marker says, as far as it matters to whose it is.
    pub(crate) fn marker(&self, cluster: &str, name: &str) -> Marker {
        Marker {
            cluster: cluster.to_owned(),
            host: self.host.clone(),
            incarnation: self.incarnation,
            intent: String::new(),
            name: name.to_owned(),
            place: String::new(),
        }
    }
}

/// What is handed back with every later call: how the machine is reached, and the keys that were recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) machine: Machine,
    #[serde(default)]
    pub(crate) pins: Vec<Pin>,
}

/// A server's key, as it was first seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pin {
    /// `HOST:PORT`
    pub(crate) address: String,
    pub(crate) key: String,
}

impl Kept {
    /// Of a machine that was never reached.
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, pins: Vec::new() }
    }

    /// With the keys that this connection was made with.
    pub(crate) fn seen(machine: Machine, connection: &Connection) -> Self {
        let pin =
            |(address, seen): (&str, &SeenKey)| Pin { address: address.to_owned(), key: seen.line.clone() };
        let target = (connection.address(), connection.host_key());
        Self { machine, pins: connection.jump_keys().chain([target]).map(pin).collect() }
    }

    /// The machine of an instance: as the account's inventory knows it now, or as it was kept, or by its id alone.
    pub(crate) fn of(target: &Target, id: &Id, inventory: &Inventory) -> Self {
        let kept = target.kept.as_ref().and_then(|kept| serde_json::from_str::<Self>(kept.reveal()).ok());
        let listed = listed(&target.instance.name, id, kept.as_ref(), inventory).cloned();
        let bare = Machine { address: id.address.clone(), ..Machine::default() };
        let (old, pins) = kept.map_or((bare, Vec::new()), |kept| (kept.machine, kept.pins));
        let mut machine = listed.map_or_else(|| old.clone(), |listed| listed.or(&old));
        // The usual port stands there where none was said.
        machine.port = machine.port.or((id.port != DEFAULT_PORT).then_some(id.port));
        Self { machine, pins }
    }

    fn secret(&self) -> Option<Secret> {
        serde_json::to_string(self).ok().map(Secret::new)
    }
}

/// What the inventory says of the machine of the host `name`. Sites may have the same addresses behind other jump hosts, so
/// that an address alone says which machine it is only where there is one way to it.
fn listed<'a>(name: &str, id: &Id, kept: Option<&Kept>, inventory: &'a Inventory) -> Option<&'a Machine> {
    let there =
        |machine: &&Machine| machine.address == id.address && machine.port.is_none_or(|port| port == id.port);
    let by_address = || {
        let mut there = inventory.machines.iter().filter(there);
        match (there.next(), there.next()) {
            (Some(only), None) if kept.is_none_or(|kept| kept.machine.jumps == only.jumps) => Some(only),
            _ => None,
        }
    };
    inventory.of(name).filter(there).or_else(by_address)
}

/// The instance as it is answered; `own` is the machine's own address, `peer` the one it was dialled at.
pub(crate) fn instance(
    marker: &Marker,
    kept: &Kept,
    connection: &Connection,
    own: Option<std::net::IpAddr>,
) -> Result<Instance, DriverError> {
    let peer = connection.peer();
    Ok(Instance {
        state: InstanceState::Running,
        private_address: own.or(peer),
        public_address: peer.filter(|peer| own.is_some_and(|own| own != *peer)),
        ..unreached(marker, kept)?
    })
}

/// One that may carry the marker, and cannot be asked.
pub(crate) fn unreached(marker: &Marker, kept: &Kept) -> Result<Instance, DriverError> {
    Ok(Instance {
        instance: InstanceRef { provider_id: Id::of(marker, &kept.machine)?, name: marker.name.clone() },
        intent: marker.intent.parse().ok(),
        state: InstanceState::Stopped,
        private_address: None,
        public_address: None,
        zone: kept.machine.zone.clone().unwrap_or_else(|| NAME.to_owned()),
        kept: kept.secret(),
    })
}

#[cfg(test)]
mod tests;
