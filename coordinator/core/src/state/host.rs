//! The host record: the truth about one host, and the log of its progress at once.

use std::net::IpAddr;
use std::sync::Arc;

use skep_types::{
    ClusterTime, Condition, ConditionKind, ConditionStatus, CoordinatorId, Digest, HostId, HostName,
    InstanceRef, IntentId, NodeId, NodeRole, OperationId, PermitId, Phase, PowerAction, Revision, SwarmId,
    Template,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    pub id: HostId,
    pub name: HostName,
    pub revision: Revision,
    /// Shared by all hosts of a request.
    pub template: Arc<Template>,
    pub created_by: OperationId,
    pub created_at: ClusterTime,
    /// The running operation that waits for this host's outcome.
    pub item_of: Option<OperationId>,
    pub membership: Option<Membership>,

    pub desired: Desired,
    pub phase: Phase,
    pub phase_since: ClusterTime,
    /// Nothing is tried before this (a back-off); None for at once.
    pub retry_at: Option<ClusterTime>,
    /// Attempts of the phase's work that failed.
    pub attempts: u32,

    /// Which try at an instance this is, from 1. A lost instance is never made again under the same incarnation.
    pub incarnation: u32,
    pub instance: Option<Instance>,
    pub enrolment: Option<Enrolment>,
    /// The highest session seen; who holds it now.
    pub session: Option<Session>,
    /// Only a session above this number shows that the host came back from its last power change.
    pub session_floor: u64,
    pub facts: Option<Arc<Facts>>,
    pub conditions: Conditions,

    /// Its node in the swarm, once it has joined.
    pub node: Option<NodeId>,
    /// The engine confirmed that it left; set on the way out.
    pub left: bool,
    pub permit: Option<Permit>,
}

/// What people want of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Desired {
    pub absent: bool,
    /// Delete without keeping the quorum of its swarm.
    pub force: bool,
    /// The power verb that was asked for last and is not done yet.
    pub power: Option<PowerAction>,
    /// Whether the host should be running when no verb is pending.
    pub running: bool,
}

impl Default for Desired {
    fn default() -> Self {
        Self { absent: false, force: false, power: None, running: true }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub swarm: SwarmId,
    pub role: NodeRole,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    pub instance: InstanceRef,
    /// The intent that made it. While that is Open its create call may be replayed, so the instance stays.
    pub intent: IntentId,
    pub private_address: Option<IpAddr>,
    pub public_address: Option<IpAddr>,
    pub zone: String,
    /// What the driver wants back with every later call; sealed for the instance.
    pub sealed_kept: Option<Vec<u8>>,
    pub bound_at: ClusterTime,
}

impl Instance {
    /// The address other hosts reach it by; also what its node advertises.
    pub fn address(&self) -> Option<IpAddr> {
        self.private_address.or(self.public_address)
    }

    /// The address people reach it by.
    pub fn reachable_address(&self) -> Option<IpAddr> {
        self.public_address.or(self.private_address)
    }
}

/// The right of one key to speak for this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolment {
    pub token: Digest,
    /// The first public key that used the token: the only one that ever gets a certificate.
    pub key: Option<Digest>,
    /// Counted from the close of the intent; None while it is Open.
    pub expires_at: Option<ClusterTime>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Raised by the agent before each session.
    pub number: u64,
    pub coordinator: CoordinatorId,
    /// Of the kernel the agent runs on.
    pub boot_id: String,
    /// By a coordinator, as the agent does not dial in.
    pub dialled: bool,
}

/// What the agent told about its host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    pub agent_version: String,
    pub engine_version: String,
    pub operating_system: String,
    pub kernel: String,
    pub architecture: String,
    pub memory_total_bytes: u64,
    pub cpus: u32,
}

/// One slot per kind, in the order of [`ConditionKind::ALL`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions([Option<Arc<Condition>>; 6]);

impl Conditions {
    pub fn get(&self, kind: ConditionKind) -> Option<&Condition> {
        self.0[kind as usize].as_deref()
    }

    pub fn is_true(&self, kind: ConditionKind) -> bool {
        self.get(kind).is_some_and(|condition| condition.status == ConditionStatus::True)
    }

    /// Whether it changed anything.
    pub fn set(
        &mut self,
        kind: ConditionKind,
        status: ConditionStatus,
        reason: &str,
        message: &str,
        now: ClusterTime,
    ) -> bool {
        let old = self.get(kind);
        if old.is_some_and(|old| old.status == status && old.reason == reason && old.message == message) {
            return false;
        }
        let since = old.filter(|old| old.status == status).map_or(now, |old| old.since);
        let new = Condition { status, reason: reason.to_owned(), message: message.to_owned(), since };
        self.0[kind as usize] = Some(Arc::new(new));
        true
    }

    pub fn put(&mut self, kind: ConditionKind, condition: Condition) {
        self.0[kind as usize] = Some(Arc::new(condition));
    }

    pub fn iter(&self) -> impl Iterator<Item = (ConditionKind, &Condition)> {
        ConditionKind::ALL.into_iter().filter_map(|kind| self.get(kind).map(|condition| (kind, condition)))
    }
}

/// The committed right of this host to do one thing, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    pub id: PermitId,
    pub task: Task,
    pub granted_at: ClusterTime,
}

/// What a permit allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    SwarmInit {
        advertise: IpAddr,
    },
    /// The worker token is added where the assignment leaves for the agent: it stands nowhere else in clear.
    SwarmJoin {
        advertise: IpAddr,
        managers: Vec<IpAddr>,
    },
    SwarmLeave {
        force: bool,
    },
    /// For other nodes, by a manager. Idempotent.
    UpdateNodes {
        changes: Vec<NodeChange>,
    },
    /// For other nodes, by a manager. Idempotent.
    RemoveNodes {
        nodes: Vec<NodeId>,
        force: bool,
    },
}

impl Task {
    /// Whether another host may do it as well without harm, so that it can be taken from one that is lost.
    pub fn idempotent(&self) -> bool {
        matches!(self, Self::UpdateNodes { .. } | Self::RemoveNodes { .. })
    }

    pub fn label(&self) -> &'static str {
        match self {
            Self::SwarmInit { .. } => "SwarmInit",
            Self::SwarmJoin { .. } => "SwarmJoin",
            Self::SwarmLeave { .. } => "SwarmLeave",
            Self::UpdateNodes { .. } => "UpdateNodes",
            Self::RemoveNodes { .. } => "RemoveNodes",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeChange {
    pub node: NodeId,
    pub role: Option<NodeRole>,
    pub labels: Vec<(String, String)>,
}

impl Host {
    /// The reason of `InstanceReady` while a driver call waits for its account.
    pub const ACCOUNT_UNUSABLE: &str = "AccountUnusable";

    /// Whether the next thing this host needs is a driver call that no Open intent stands for yet.
    pub fn needs_intent(&self) -> bool {
        match self.phase {
            Phase::Pending => !self.desired.absent,
            Phase::Deleting { intent: None } => true,
            Phase::Ready | Phase::Stopped => !self.desired.absent && self.desired.power.is_some(),
            _ => false,
        }
    }

    /// The Open intent that this host is part of.
    pub fn intent(&self) -> Option<IntentId> {
        match self.phase {
            Phase::Provisioning { intent } | Phase::Stopping { intent } => Some(intent),
            Phase::Starting { intent } | Phase::Deleting { intent } => intent,
            _ => None,
        }
    }

    pub fn connected(&self) -> bool {
        self.conditions.is_true(ConditionKind::AgentConnected)
    }

    /// Whether there should be an agent that nobody hears.
    pub fn unheard(&self) -> bool {
        let alive = matches!(
            self.phase,
            Phase::Booting
                | Phase::Installing
                | Phase::Joining
                | Phase::Ready
                | Phase::Starting { intent: None }
                | Phase::Demoting
                | Phase::Leaving
        );
        alive && self.address().is_some() && !self.connected()
    }

    /// What is lost together: the instances of one account in one zone.
    pub fn failure_domain(&self) -> (&str, &str) {
        let zone = self.instance.as_ref().map(|instance| instance.zone.as_str());
        (self.template.account.as_str(), zone.unwrap_or_default())
    }

    pub fn role(&self) -> Option<NodeRole> {
        self.membership.as_ref().map(|membership| membership.role)
    }

    pub fn address(&self) -> Option<IpAddr> {
        self.instance.as_ref().and_then(Instance::address)
    }
}
