//! The agent's configuration file: rendered by the coordinator, frozen in a host's user-data, read by the agent.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// TOML at [`AgentConfig::PATH`], mode 0600. What may change later (coordinators, certificates) the agent is told
/// over its session and keeps in its data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// The cluster's id.
    pub cluster: String,
    /// Control addresses, HOST:PORT, to begin with.
    pub coordinators: Vec<String>,
    /// PEM of the control plane's root: the only issuer the agent trusts.
    pub ca: String,
    #[serde(default = "AgentConfig::default_data_dir")]
    pub data_dir: PathBuf,
    #[serde(default = "AgentConfig::default_docker_socket")]
    pub docker_socket: PathBuf,
    /// Where the Docker front door listens, on every address of the host.
    #[serde(default = "AgentConfig::default_docker_port")]
    pub docker_port: u16,
    pub enrolment: EnrolmentConfig,
}

/// What makes the first contact: worthless once it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentConfig {
    /// A host id ("h1-42"), or an intent id ("i1-7") where the instance is told apart by its evidence or its address.
    pub subject: String,
    /// base64url, without padding.
    #[serde(with = "revealed")]
    pub token: Secret,
}

impl AgentConfig {
    /// Where the agent's unit looks for the file.
    pub const PATH: &str = "/etc/skep/agent.toml";
    /// What the bootstrap script gathered for the agent to prove its instance with; absent where there was nothing.
    pub const EVIDENCE_PATH: &str = "/etc/skep/evidence";

    pub fn default_data_dir() -> PathBuf {
        "/var/lib/skep".into()
    }

    pub fn default_docker_socket() -> PathBuf {
        "/var/run/docker.sock".into()
    }

    pub const fn default_docker_port() -> u16 {
        2376
    }
}

/// This file is where the token travels, so here, and only here, it is written in clear.
mod revealed {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}
