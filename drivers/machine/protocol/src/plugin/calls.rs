//! The methods of the protocol, one function or one variant each.

use std::collections::BTreeMap;

use super::{CreateFlag, FlagValue, Plugin, PluginError, flags, nothing};
use crate::gob::{TypeId, Value};

/// What a driver can be told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    PreCreateCheck,
    Create,
    Remove,
    Start,
    Stop,
    Restart,
    Kill,
}

impl Action {
    pub const ALL: [Self; 7] = [
        Self::PreCreateCheck,
        Self::Create,
        Self::Remove,
        Self::Start,
        Self::Stop,
        Self::Restart,
        Self::Kill,
    ];

    pub fn method(self) -> &'static str {
        match self {
            Self::PreCreateCheck => "PreCreateCheck",
            Self::Create => "Create",
            Self::Remove => "Remove",
            Self::Start => "Start",
            Self::Stop => "Stop",
            Self::Restart => "Restart",
            Self::Kill => "Kill",
        }
    }
}

/// What a driver tells in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Property {
    DriverName,
    MachineName,
    Ip,
    /// Of the machine's Docker Engine. Refused while the machine is down.
    Url,
    SshHostname,
    SshUsername,
    /// A file that the driver made, in its store.
    SshKeyPath,
}

impl Property {
    pub fn method(self) -> &'static str {
        match self {
            Self::DriverName => "DriverName",
            Self::MachineName => "GetMachineName",
            Self::Ip => "GetIP",
            Self::Url => "GetURL",
            Self::SshHostname => "GetSSHHostname",
            Self::SshUsername => "GetSSHUsername",
            Self::SshKeyPath => "GetSSHKeyPath",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MachineState {
    None,
    Running,
    Paused,
    Saved,
    Stopped,
    Stopping,
    Starting,
    Error,
    Timeout,
    /// Of drivers built by Rancher.
    NotFound,
}

impl MachineState {
    fn read(reply: &Value) -> Option<Self> {
        Some(match reply.int()? {
            0 => Self::None,
            1 => Self::Running,
            2 => Self::Paused,
            3 => Self::Saved,
            4 => Self::Stopped,
            5 => Self::Stopping,
            6 => Self::Starting,
            7 => Self::Error,
            8 => Self::Timeout,
            9 => Self::NotFound,
            _ => return None,
        })
    }
}

impl Plugin {
    pub(super) async fn version(&self) -> Result<i64, PluginError> {
        self.get("GetVersion", Value::int).await
    }

    pub async fn create_flags(&self) -> Result<Vec<CreateFlag>, PluginError> {
        self.get("GetCreateFlags", flags::read).await
    }

    /// `json` is laid over the driver's own defaults; what it leaves out stays as it was.
    pub async fn set_config(&self, json: &[u8]) -> Result<(), PluginError> {
        let argument = Value::Bytes(json.to_vec());
        self.call("SetConfigRaw", TypeId::BYTES, &argument).await.map(drop)
    }

    /// The driver's whole configuration, its secrets among it.
    pub async fn config(&self) -> Result<Vec<u8>, PluginError> {
        self.get("GetConfigRaw", |reply| reply.bytes().map(<[u8]>::to_vec)).await
    }

    /// Every flag of [`Self::create_flags`] must have a value, of its type: a driver takes the zero for what is
    /// missing or of another type, and says so in its log only.
    pub async fn set_flags(&self, values: &BTreeMap<String, FlagValue>) -> Result<(), PluginError> {
        self.call("SetConfigFromFlags", TypeId::INTERFACE, &flags::argument(values)).await.map(drop)
    }

    /// There is no way to take it back, and none to see how far it is.
    pub async fn act(&self, action: Action) -> Result<(), PluginError> {
        self.call(action.method(), flags::NOTHING, &nothing()).await.map(drop)
    }

    pub async fn property(&self, property: Property) -> Result<String, PluginError> {
        self.get(property.method(), |reply| reply.text().map(str::to_owned)).await
    }

    pub async fn ssh_port(&self) -> Result<u16, PluginError> {
        self.get("GetSSHPort", |reply| u16::try_from(reply.int()?).ok()).await
    }

    pub async fn state(&self) -> Result<MachineState, PluginError> {
        self.get("GetState", MachineState::read).await
    }

    async fn get<T>(
        &self,
        method: &'static str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, PluginError> {
        let reply = self.call(method, flags::NOTHING, &nothing()).await?;
        self.read(method, &reply, read).await
    }
}
