//! Driver effects, committed before they are tried.

use std::sync::Arc;

use skep_types::{
    AccountName, ClusterTime, Digest, HostId, HostName, InstanceRef, IntentId, PowerAction, ProviderId,
    Revision, Template,
};

use super::Shard;

/// An Open intent. Its parameters are frozen: what a driver is sent is the same at every replay.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    pub id: IntentId,
    pub revision: Revision,
    pub account: AccountName,
    pub shard: Shard,
    pub opened_at: ClusterTime,
    /// Committed before the call, for drivers where nothing protects a second one.
    pub attempted: bool,
    /// The number of whoever made it; 0 where nobody did, or it did not say.
    pub attempt: u64,
    pub kind: IntentKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum IntentKind {
    Create {
        /// The idempotency token, at most 64 ASCII characters.
        token: String,
        template: Arc<Template>,
        slots: Vec<IntentSlot>,
        /// What every slot's instance boots with, user-data included; sealed for this token.
        sealed_bootstrap: Vec<u8>,
        /// Provider ids bound so far: a known one is never counted twice.
        bound: Vec<ProviderId>,
    },
    Power {
        action: PowerAction,
        targets: Vec<Target>,
    },
    Destroy {
        targets: Vec<Target>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentSlot {
    pub host: HostId,
    pub name: HostName,
    pub incarnation: u32,
    pub token: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// None for a surplus instance.
    pub host: Option<HostId>,
    pub instance: InstanceRef,
}

impl Intent {
    pub fn hosts(&self) -> Vec<HostId> {
        match &self.kind {
            IntentKind::Create { slots, .. } => slots.iter().map(|slot| slot.host).collect(),
            IntentKind::Power { targets, .. } | IntentKind::Destroy { targets } => {
                targets.iter().filter_map(|target| target.host).collect()
            }
        }
    }
}
