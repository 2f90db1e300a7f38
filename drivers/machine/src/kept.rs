//! What is kept of one machine, as one text: whose it is, its driver's configuration, its files.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use skep_driver::{CreateIntent, DriverError, ErrorKind, Instance, InstanceState, Slot};
use skep_types::{HostId, InstanceRef, IntentId, Secret, limits};

/// Of this text. Another one is not read.
const FORMAT: u32 = 1;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    format: u32,
    /// Grows with every change: of two texts about one machine the higher is the newer.
    pub(crate) generation: u64,
    pub(crate) machine: String,
    pub(crate) cluster: String,
    pub(crate) intent: IntentId,
    pub(crate) host: HostId,
    pub(crate) incarnation: u32,
    /// The host's name.
    pub(crate) name: String,
    pub(crate) seen: Seen,
    pub(crate) address: Option<IpAddr>,
    /// Pinned at the first contact over SSH.
    pub(crate) host_key: Option<String>,
    /// The driver's configuration, without the place of its store.
    pub(crate) config: serde_json::Value,
    /// By their path in the machine's folder, in base64.
    pub(crate) files: BTreeMap<String, String>,
    /// Of its template, for a machine that was begun where its configuration cannot be had: another coordinator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<BTreeMap<String, String>>,
}

/// The state that was seen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Seen {
    /// Its create has begun. What came of it is not known here, unless it is under way.
    Creating,
    /// Its create failed, and so did the clean-up, or nobody could tell.
    Remains,
    Starting,
    Running,
    Stopping,
    Stopped,
}

impl Kept {
    pub(crate) fn new(machine: &str, intent: &CreateIntent, slot: &Slot) -> Self {
        Self {
            cluster: intent.cluster.clone(),
            intent: intent.intent,
            host: slot.host,
            incarnation: slot.incarnation,
            name: slot.name.clone(),
            ..Self::unmade(machine)
        }
    }

    /// Of a machine that nobody makes: for asking a plugin about a template.
    pub(crate) fn unmade(machine: &str) -> Self {
        Self {
            format: FORMAT,
            generation: 0,
            machine: machine.to_owned(),
            cluster: String::new(),
            intent: IntentId::new(0, 0),
            host: HostId::new(0, 0),
            incarnation: 0,
            name: String::new(),
            seen: Seen::Creating,
            address: None,
            host_key: None,
            config: serde_json::Value::Null,
            files: BTreeMap::new(),
            options: None,
        }
    }

    pub(crate) fn read(text: &str) -> Result<Self, DriverError> {
        let kept: Self = serde_json::from_str(text).map_err(|error| {
            DriverError::new(ErrorKind::Internal, "what was kept of a machine cannot be read")
                .caused_by(error)
        })?;
        if kept.format == FORMAT {
            Ok(kept)
        } else {
            let message =
                format!("what was kept of {} is of the format {}, not {FORMAT}", kept.machine, kept.format);
            Err(DriverError::new(ErrorKind::Internal, message))
        }
    }

    /// As one text. A machine with more than fits is refused, with its largest file.
    pub(crate) fn text(&self) -> Result<Secret, DriverError> {
        let text = serde_json::to_string(self).map_err(|error| {
            DriverError::new(ErrorKind::Internal, "a machine cannot be written down").caused_by(error)
        })?;
        if text.len() <= limits::KEPT_BYTES {
            return Ok(Secret::new(text));
        }
        let largest = self.files.iter().max_by_key(|(_, content)| content.len());
        let most =
            largest.map_or_else(String::new, |(file, _)| format!("; the largest of its files is {file}"));
        let message = format!(
            "the plugin's files and configuration of {} take {} bytes, at most {} can be kept{most}",
            self.machine,
            text.len(),
            limits::KEPT_BYTES
        );
        Err(DriverError::new(ErrorKind::Unsupported, message))
    }

    pub(crate) fn instance(&self, zone: &str) -> Result<Instance, DriverError> {
        let provider_id = self.machine.parse().map_err(|error| {
            DriverError::new(ErrorKind::Internal, "a machine's name is no usable id").caused_by(error)
        })?;
        let (private_address, public_address) = match self.address {
            Some(address) if is_private(address) => (Some(address), None),
            address => (None, address),
        };
        Ok(Instance {
            instance: InstanceRef { provider_id, name: self.name.clone() },
            intent: Some(self.intent),
            state: self.seen.state(),
            private_address,
            public_address,
            zone: zone.to_owned(),
            kept: Some(self.text()?),
        })
    }
}

impl Seen {
    fn state(self) -> InstanceState {
        match self {
            Self::Creating | Self::Starting => InstanceState::Starting,
            Self::Running => InstanceState::Running,
            Self::Stopping => InstanceState::Stopping,
            Self::Remains | Self::Stopped => InstanceState::Stopped,
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback(),
    }
}

/// Configurations and files hold secrets.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, generation, seen, .. } = self;
        write!(f, "Kept({machine}, generation {generation}, {seen:?})")
    }
}
