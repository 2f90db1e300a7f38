//! Planners: what should happen next, and why not yet. Pure; one file per phase and per kind of thing.
//!
//! [`next_step`] decides for one host. What several hosts have to share is decided elsewhere: driver calls by
//! [`account`], turns in a swarm by [`swarm`], who acts for an account by [`owner`].

pub mod account;
pub mod owner;
mod phase;
pub mod reach;
mod step;
pub mod swarm;

use std::collections::BTreeSet;
use std::sync::Arc;

use skep_types::{ClusterTime, HostId, Phase, SwarmId};

use crate::State;
use crate::apply::Changes;
use crate::command::{Guard, PlanCommand};
use crate::state::Host;

pub use account::Wish;
pub use phase::next_step;
pub use step::{Action, Step, WaitReason};

/// What a planner looks at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub state: &'a State,
    pub now: ClusterTime,
}

/// What the leader should propose, and when to look again though nothing changed.
#[derive(Debug, Default, PartialEq)]
pub struct Plan {
    pub commands: Vec<PlanCommand>,
    /// Intents to open: the leader adds their secrets and proposes them.
    pub wishes: Vec<Wish>,
    pub wake: Vec<(ClusterTime, HostId)>,
}

impl View<'_> {
    /// Plans for everything that `changes` names.
    pub fn plan(&self, changes: &Changes) -> Plan {
        let mut plan = Plan::default();
        let mut accounts = changes.accounts.clone();
        let mut swarms = changes.swarms.clone();
        for host in changes.hosts.iter().filter_map(|id| self.state.host(*id)) {
            self.plan_host(host, &mut plan);
            if host.needs_intent() {
                accounts.insert(host.template.account.clone());
            }
            swarms.extend(host.membership.as_ref().map(|membership| membership.swarm));
        }
        for swarm in swarms.iter().filter_map(|id| self.state.swarms.get(id)) {
            self.plan_members(swarm.id, changes, &mut plan);
            let (commands, wake) = swarm::plan(self, swarm);
            plan.commands.extend(commands);
            plan.wake.extend(wake);
        }
        for account in accounts.iter().filter_map(|name| self.state.accounts.get(name)) {
            let (wishes, wake) = account::plan(self, account);
            plan.wishes.extend(wishes);
            plan.wake.extend(wake);
        }
        plan
    }

    /// Everything there is: what a new leader looks at first, and every leader now and then.
    pub fn everything(&self) -> Changes {
        Changes {
            hosts: self.state.hosts.keys().copied().collect(),
            swarms: self.state.swarms.keys().copied().collect(),
            operations: BTreeSet::new(),
            accounts: self.state.accounts.keys().cloned().collect(),
            cluster: true,
        }
    }

    fn plan_host(&self, host: &Host, plan: &mut Plan) {
        match next_step(host, self) {
            Step::Do(action) => plan.commands.push(action.command(host)),
            Step::Wait { until: Some(until), .. } => plan.wake.push((until, host.id)),
            Step::Wait { until: None, .. } | Step::Done => {}
        }
    }

    /// What a swarm's list says moves hosts that did not change themselves. Their deadlines are known from before.
    fn plan_members(&self, swarm: SwarmId, changes: &Changes, plan: &mut Plan) {
        let waits = |host: &&Arc<Host>| {
            let on_the_list = matches!(host.phase, Phase::Joining | Phase::Demoting | Phase::Leaving);
            on_the_list && !changes.hosts.contains(&host.id)
        };
        for host in self.state.members(swarm).filter(waits) {
            if let Step::Do(action) = next_step(host, self) {
                plan.commands.push(action.command(host));
            }
        }
    }
}

impl Action {
    fn command(self, host: &Host) -> PlanCommand {
        let guard = Guard { host: host.id, revision: host.revision };
        match self {
            Self::Advance(to, reason) => PlanCommand::Advance { guard, to, reason },
            Self::Grant(task) => PlanCommand::Grant { guard, task },
        }
    }
}
