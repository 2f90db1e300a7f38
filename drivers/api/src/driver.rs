//! The driver trait and what its calls carry.

use std::fmt::Debug;
use std::net::IpAddr;
use std::num::NonZeroU64;

use async_trait::async_trait;
use skep_types::{DriverDescription, HostId, InstanceRef, IntentId, PowerAction, Secret, Template};

use crate::{DriverError, ErrorKind, Tunnel};

/// Makes, lists, powers and destroys the instances of one kind.
///
/// Implementations keep no state that matters: every call may come from another coordinator, after a crash, twice,
/// or while an earlier one of the same intent is still under way.
#[async_trait]
pub trait Driver: Send + Sync + Debug + 'static {
    fn describe(&self) -> &DriverDescription;

    /// Whether `template` could be used. Changes nothing. `InvalidSpec` names each option to mend.
    async fn check(&self, template: &Template) -> Result<(), DriverError>;

    /// Makes the instances of one intent, or finds those that exist. Replayed identically until its outcome is known.
    ///
    /// An error says that the call as a whole did nothing, but for `Ambiguous`; a part that was made is told in
    /// [`Placed`], with the reason for the rest. A name that another intent or cluster holds is never taken over.
    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError>;

    /// Everything that carries `cluster`'s tag, bound or not.
    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError>;

    /// One result per instance, in their order.
    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError>;

    /// One result per instance, in their order. Doing it again to an instance that is there already is success.
    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError>;

    /// One result per instance, in their order. Destroying what is gone is success; what is not `cluster`'s is refused.
    /// `NotFound` for an instance the driver never saw proves nothing within the settle window.
    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError>;

    /// At most the last 64 KiB of what the instance wrote to its console.
    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError>;

    /// Which instance `evidence` proves its bearer to be; empty where the bearer has none. `Auth` for evidence that is
    /// not to be trusted, or lacks where the account wants some; None where instances are told apart by their address.
    async fn attest(&self, _cluster: &str, _evidence: &[u8]) -> Result<Option<InstanceRef>, DriverError> {
        Ok(None)
    }

    /// A stream to `port` of the instance's own loopback, through the driver's way in.
    async fn tunnel(&self, _cluster: &str, _target: &Target, _port: u16) -> Result<Tunnel, DriverError> {
        let message = format!("driver {} has no way in", self.describe().name);
        Err(DriverError::new(ErrorKind::Unsupported, message))
    }
}

/// A committed Open intent, as the driver sees it. Frozen: every replay is the same to the byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateIntent {
    /// The cluster's id; instances carry it as the tag `skep-cluster`.
    pub cluster: String,
    /// Instances carry it as the tag `skep-intent`.
    pub intent: IntentId,
    /// The idempotency token: at most 64 ASCII characters.
    pub token: String,
    pub template: Template,
    /// At least one, at most the description's `batch.max`.
    pub slots: Vec<Slot>,
    /// Only for [`Idempotency::None`](skep_types::Idempotency::None): the call was made before, and nobody has its
    /// answer. Nothing new is begun now. What it made is told; what it may have left, as the remains of a create that failed;
    /// `Ambiguous` or `Unavailable`, that it is too early to tell.
    pub lost: bool,
    /// Another coordinator may have made this call before, and its outcome is not known here. Another number says that it
    /// came from another coordinator once more.
    pub inherited: Option<NonZeroU64>,
}

/// One instance to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The host's name, also the instance's hostname.
    pub name: String,
    /// Instances carry it as the tag `skep-host`, where slots are named.
    pub host: HostId,
    pub incarnation: u32,
    pub bootstrap: Bootstrap,
}

/// What an instance needs to become a host: rendered to user-data by [`crate::bootstrap`], or laid in place as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// HTTPS addresses of the agent binary, one per coordinator.
    pub agent_urls: Vec<String>,
    /// Lower-case hex; nothing else is started.
    pub agent_sha256: String,
    /// The agent's configuration file, TOML, with its enrolment token.
    pub agent_config: Secret,
}

/// The outcome of [`Driver::ensure`]: everything of the intent that exists now, also what is only the remains of a
/// create that failed and has to be destroyed: such an instance comes [`Stopped`](InstanceState::Stopped), with a
/// shortfall, which its host fails with.
#[derive(Debug, Default)]
pub struct Placed {
    pub instances: Vec<Instance>,
    /// Why fewer exist than the intent has slots; None when all do. With it the call is over: no more will come.
    pub shortfall: Option<DriverError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    pub instance: InstanceRef,
    /// From its tags: the intent that made it. None for an instance whose tag is unreadable.
    pub intent: Option<IntentId>,
    pub state: InstanceState,
    pub private_address: Option<IpAddr>,
    pub public_address: Option<IpAddr>,
    pub zone: String,
    /// What the driver wants back with every later call about this instance; nobody else reads it. At most
    /// [`limits::KEPT_BYTES`](skep_types::limits::KEPT_BYTES), sealed wherever it lies.
    pub kept: Option<Secret>,
}

/// An instance a call is about, and what its driver kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub instance: InstanceRef,
    /// Of the latest [`Instance`] that had some.
    pub kept: Option<Secret>,
}

impl From<InstanceRef> for Target {
    fn from(instance: InstanceRef) -> Self {
        Self { instance, kept: None }
    }
}

impl From<&Instance> for Target {
    fn from(instance: &Instance) -> Self {
        Self { instance: instance.instance.clone(), kept: instance.kept.clone() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InstanceState {
    Starting,
    Running,
    Stopping,
    Stopped,
    /// Still listed, but gone.
    Destroyed,
}

#[derive(Debug, Default)]
pub struct Page {
    pub instances: Vec<Instance>,
    /// None on the last page.
    pub next: Option<String>,
}
