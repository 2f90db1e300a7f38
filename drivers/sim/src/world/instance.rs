//! One simulated instance.

use std::net::Ipv4Addr;

use skep_driver::{Instance, InstanceState};
use skep_types::{HostId, InstanceRef, IntentId, ProviderId, Secret};
use tokio::time::Instant;

use crate::software::Machine;

#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: ProviderId,
    pub(super) name: String,
    /// The tag `skep-cluster`; None for what skep has not made.
    pub(super) cluster: Option<String>,
    pub(super) intent: Option<IntentId>,
    /// The tag `skep-host`, with the incarnation; None where slots are interchangeable.
    pub(super) host: Option<(HostId, u32)>,
    pub(super) address: Ipv4Addr,
    pub(super) zone: String,
    pub(super) agent_config: Secret,
    pub(super) boot_ms: u64,
    pub(super) power_ms: u64,
    pub(super) boot_fails: bool,
    pub(super) made_at: Instant,
    /// When the call that made it may answer.
    pub(super) ready_at: Instant,
    pub(super) visible_at: Instant,
    pub(super) state: InstanceState,
    /// Rises with every change of state, so that a change that was planned before another one does not happen.
    pub(super) generation: u64,
    pub(super) boots: u64,
    pub(super) console: Vec<String>,
}

/// Lines kept of a console.
const CONSOLE_LINES: usize = 100;

impl Record {
    pub(super) fn enter(&mut self, state: InstanceState) {
        self.state = state;
        self.generation += 1;
        self.print(format!("{state:?}").to_lowercase());
    }

    pub(super) fn print(&mut self, line: String) {
        if self.console.len() == CONSOLE_LINES {
            self.console.remove(0);
        }
        self.console.push(line);
    }

    pub(super) fn machine(&self) -> Machine {
        Machine {
            id: self.id.clone(),
            name: self.name.clone(),
            address: self.address,
            boot: self.boots,
            agent_config: self.agent_config.clone(),
        }
    }

    /// As drivers show it.
    pub(super) fn shown(&self) -> Instance {
        Instance {
            instance: InstanceRef { provider_id: self.id.clone(), name: self.name.clone() },
            intent: self.intent,
            state: self.state,
            private_address: Some(self.address.into()),
            public_address: None,
            zone: self.zone.clone(),
            kept: None,
        }
    }
}
