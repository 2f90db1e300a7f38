//! A coordinator's folder: what it is, its keys and certificates, and its part of the log.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use skep_tls::{Certified, Key, write_private};
use skep_types::{ClusterId, CoordinatorId};

use crate::trust::{ClusterKey, TrustError};

#[derive(Debug, Clone)]
pub struct Layout {
    data: PathBuf,
    /// Outside the data folder, so that neither a copy nor a backup of that opens what is sealed.
    cluster_key: PathBuf,
}

/// Which coordinator of which cluster this folder is. Never changes once written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub cluster: ClusterId,
    pub coordinator: CoordinatorId,
    pub addresses: Addresses,
}

/// Where it listens, and where others reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    pub listen: String,
    /// HOST:PORT, as agents, people and other coordinators dial it.
    pub advertise: String,
    pub raft_listen: String,
    pub raft_advertise: String,
}

/// One key of the coordinator, with its certificate and the root of its world.
#[derive(Debug)]
pub struct Credential {
    pub key: Key,
    pub certified: Certified,
    pub root_pem: String,
}

/// The two worlds a coordinator has a certificate for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    Control,
    Raft,
}

impl World {
    fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Raft => "raft",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    #[error("{path} holds a coordinator already; run it with `skepd run`, or choose another --data")]
    Exists { path: PathBuf },
    #[error("{path} holds no coordinator; make one with `skepd init` or `skepd join`")]
    Missing { path: PathBuf },
    #[error("{path} cannot be used")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is not what skepd wrote")]
    Malformed { path: PathBuf, source: toml::de::Error },
    #[error("a configuration could not be written")]
    Write(#[from] toml::ser::Error),
    #[error("the cluster key {path} is missing: without it nothing that is sealed can be opened")]
    NoClusterKey { path: PathBuf },
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Tls(#[from] skep_tls::Error),
}

impl Layout {
    /// Without `cluster_key`, the key stands beside the folder under its name.
    pub fn new(data: &Path, cluster_key: Option<PathBuf>) -> Self {
        let beside = || {
            let mut name = data.file_name().unwrap_or_default().to_owned();
            name.push(".cluster-key");
            data.with_file_name(name)
        };
        Self { data: data.to_owned(), cluster_key: cluster_key.unwrap_or_else(beside) }
    }

    pub fn raft(&self) -> PathBuf {
        self.data.join("log")
    }

    /// Folders of drivers, one an account.
    pub fn drivers(&self) -> PathBuf {
        self.data.join("drivers")
    }

    /// The folder, new and private.
    pub fn create(&self) -> Result<(), LayoutError> {
        if self.member_path().exists() {
            return Err(LayoutError::Exists { path: self.data.clone() });
        }
        let made = fs::create_dir_all(&self.data).and_then(|()| {
            fs::set_permissions(&self.data, std::os::unix::fs::PermissionsExt::from_mode(0o700))
        });
        made.map_err(|source| LayoutError::Io { path: self.data.clone(), source })
    }

    /// What a call that was cut off left of a log: nobody has been told of it. Refused once the folder is a coordinator.
    pub fn clear_log(&self) -> Result<(), LayoutError> {
        if self.member_path().exists() {
            return Err(LayoutError::Exists { path: self.data.clone() });
        }
        match fs::remove_dir_all(self.raft()) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(LayoutError::Io { path: self.raft(), source })
            }
            _ => Ok(()),
        }
    }

    /// The key of this world: made by the first call, so that a join that is repeated shows the same key.
    pub fn key(&self, world: World) -> Result<Key, LayoutError> {
        let path = self.path(world, "key");
        if path.exists() {
            return Ok(Key::load(&path)?);
        }
        let key = Key::generate()?;
        key.save(&path)?;
        Ok(key)
    }

    pub fn save_certificate(&self, world: World, chain_pem: &str) -> Result<(), LayoutError> {
        Ok(write_private(&self.path(world, "pem"), chain_pem.as_bytes())?)
    }

    pub fn save_root(&self, world: World, root_pem: &str) -> Result<(), LayoutError> {
        Ok(write_private(&self.path(world, "ca.pem"), root_pem.as_bytes())?)
    }

    pub fn save_cluster_key(&self, key: &ClusterKey) -> Result<(), LayoutError> {
        Ok(key.save(&self.cluster_key)?)
    }

    /// Written last: with it the folder is a coordinator.
    pub fn save_member(&self, member: &Member) -> Result<(), LayoutError> {
        Ok(write_private(&self.member_path(), toml::to_string(member)?.as_bytes())?)
    }

    pub fn member(&self) -> Result<Member, LayoutError> {
        let path = self.member_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LayoutError::Missing { path: self.data.clone() });
            }
            Err(source) => return Err(LayoutError::Io { path, source }),
        };
        toml::from_str(&text).map_err(|source| LayoutError::Malformed { path, source })
    }

    pub fn credential(&self, world: World) -> Result<Credential, LayoutError> {
        let key = Key::load(&self.path(world, "key"))?;
        let certified = Certified::load(&self.path(world, "pem"), &key)?;
        let root = self.path(world, "ca.pem");
        let root_pem = fs::read_to_string(&root).map_err(|source| LayoutError::Io { path: root, source })?;
        Ok(Credential { key, certified, root_pem })
    }

    pub fn cluster_key(&self) -> Result<ClusterKey, LayoutError> {
        let key = ClusterKey::load(&self.cluster_key)?;
        key.ok_or_else(|| LayoutError::NoClusterKey { path: self.cluster_key.clone() })
    }

    fn path(&self, world: World, ending: &str) -> PathBuf {
        self.data.join(format!("{}.{ending}", world.name()))
    }

    fn member_path(&self) -> PathBuf {
        self.data.join("coordinator.toml")
    }
}
