//! How the agent comes to a machine that a plugin made, and how it is reached where nothing else is open.

use std::fmt::Debug;

use async_trait::async_trait;
use skep_driver::{Bootstrap, DriverError, Tunnel};
use skep_types::{HostId, IntentId, Secret};

#[async_trait]
pub trait WayIn: Send + Sync + Debug + 'static {
    /// Whether there is an agent to bring: asked before anything is made for it.
    async fn ready(&self, bootstrap: &Bootstrap) -> Result<(), DriverError>;

    /// Waits until the machine lets somebody in, and brings the agent. Returns the key that the machine showed, to be
    /// pinned; None where there is no such thing.
    async fn bring(&self, door: &Door, newcomer: &Newcomer<'_>) -> Result<Option<String>, DriverError>;

    /// A stream to `port` of the machine's own loopback, where the machine shows the key that was pinned.
    async fn tunnel(&self, door: &Door, host_key: &str, port: u16) -> Result<Tunnel, DriverError>;
}

/// As the plugin describes it.
#[derive(Debug, Clone)]
pub struct Door {
    pub host: String,
    pub port: u16,
    pub user: String,
    /// The private key's text.
    pub key: Secret,
}

/// The host that the machine becomes.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    pub cluster: &'a str,
    pub intent: IntentId,
    pub host: HostId,
    pub incarnation: u32,
    pub name: &'a str,
    pub bootstrap: &'a Bootstrap,
}
