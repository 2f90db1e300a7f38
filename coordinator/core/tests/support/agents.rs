//! Agents: each does, per round, what it has not done yet, and says what the cluster does not know yet.

use std::collections::BTreeMap;

use skep_core::command::{AgentCommand, NodeListing, Observation, Observed, PermitResult};
use skep_core::state::{Host, Task};
use skep_core::{Command, State};
use skep_types::{ConditionKind, ConditionStatus, CoordinatorId, Digest, HostId, PermitId, Phase};

use super::build::digest;
use super::chance::Chance;
use super::docker::Docker;
use super::driver::{Faults, InstanceKey, Machine};

#[derive(Debug, Clone, Default)]
pub(crate) struct Agent {
    key: Option<Digest>,
    /// Known from its certificate, once it has one.
    pub(crate) host: Option<HostId>,
    session: u64,
    pub(crate) connected: bool,
    boots: u64,
    /// The last permit it worked under, and what came of it: kept on disk.
    ledger: Option<(PermitId, PermitResult)>,
}

/// What an agent sees when it acts.
pub(crate) struct Sight<'a> {
    pub(crate) state: &'a State,
    pub(crate) docker: &'a mut Docker,
    pub(crate) faults: &'a Faults,
    pub(crate) chance: &'a mut Chance,
}

impl Agent {
    /// The machine runs, and so does the agent.
    pub(crate) fn act(&mut self, machine: &Machine, sight: &mut Sight<'_>) -> Vec<Command> {
        if self.boots != machine.boots {
            self.boots = machine.boots;
            self.connected = false;
        }
        let key = *self.key.get_or_insert_with(|| digest(sight.chance.next()));
        let Some(host) = self.enrolled(sight.state, machine.token, key) else {
            let enrol =
                AgentCommand::Enrol { token: machine.token, key, peer: machine.address, instance: None };
            return vec![Command::Agent(enrol)];
        };
        if self.connected && sight.chance.percent(sight.faults.flap) {
            return self.lost(sight.state);
        }
        if !self.connected {
            self.connected = true;
            self.session += 1;
            return vec![self.connects(&host)];
        }
        let mut commands = self.report(&host, &machine.reference.provider_id, sight);
        commands.extend(self.work(&host, &machine.reference.provider_id, sight));
        commands
    }

    /// The stream ended: its coordinator says so after the grace.
    pub(crate) fn lost(&mut self, state: &State) -> Vec<Command> {
        self.connected = false;
        let host = self.host.and_then(|id| state.host(id));
        host.filter(|host| host.connected())
            .map(|host| self.saw(host, Observed::Disconnected))
            .into_iter()
            .collect()
    }

    /// The host that the token made of this key, as the answer to the enrolment said.
    fn enrolled(&mut self, state: &State, token: Digest, key: Digest) -> Option<Host> {
        let mine = |host: &Host| host.enrolment.is_some_and(|enrolment| enrolment.key == Some(key));
        if self.host.is_none() {
            let all = (token, HostId::new(0, 0))..=(token, HostId::new(u32::MAX, u64::MAX));
            let hosts = state.index.tokens.range(all).filter_map(|(_, id)| state.host(*id));
            self.host = hosts.into_iter().find(|host| mine(host)).map(|host| host.id);
        }
        self.host.and_then(|id| state.host(id)).map(|host| Host::clone(host))
    }

    fn connects(&self, host: &Host) -> Command {
        let (coordinator, boot_id) = (CoordinatorId(1), self.boots.to_string());
        self.saw(host, Observed::Connected { coordinator, boot_id, dialled: false })
    }

    fn saw(&self, host: &Host, observed: Observed) -> Command {
        let observation = Observation { host: host.id, session_number: self.session, observed };
        Command::Agent(AgentCommand::Observe(vec![observation]))
    }

    /// Only what differs from the record.
    fn report(&self, host: &Host, engine: &InstanceKey, sight: &Sight<'_>) -> Vec<Command> {
        let mut commands = Vec::new();
        if host.session.as_ref().is_none_or(|session| session.number != self.session) || !host.connected() {
            commands.push(self.connects(host));
        }
        if !host.conditions.is_true(ConditionKind::EngineReady) {
            let (reason, message) = ("Ready".to_owned(), String::new());
            commands
                .push(self.saw(host, Observed::Engine { status: ConditionStatus::True, reason, message }));
        }
        let node = sight.docker.membership.get(engine).map(|(_, node)| node.clone());
        if host.phase == Phase::Joining && host.node.is_none() && host.permit.is_none() && node.is_some() {
            commands.push(self.saw(host, Observed::LocalNode { node }));
        }
        commands.extend(self.listing(host, engine, sight));
        commands
    }

    fn listing(&self, host: &Host, engine: &InstanceKey, sight: &Sight<'_>) -> Option<Command> {
        let (swarm, nodes) = sight.docker.list(engine)?;
        let known = &sight.state.swarms.get(&swarm)?.nodes;
        let changed: Vec<_> = nodes
            .iter()
            .filter(|(id, node)| known.get(*id) != Some(node))
            .map(|(id, n)| (id.clone(), n.clone()))
            .collect();
        let gone: Vec<_> = known.keys().filter(|id| !nodes.contains_key(*id)).cloned().collect();
        let news = !changed.is_empty() || !gone.is_empty();
        news.then(|| self.saw(host, Observed::Nodes(NodeListing { swarm, changed, gone })))
    }

    /// The effect, the ledger, the answer, in this order; an answer that was lost is given again.
    fn work(&mut self, host: &Host, engine: &InstanceKey, sight: &mut Sight<'_>) -> Option<Command> {
        let permit = host.permit.as_ref()?;
        let done = self.ledger.as_ref().filter(|(id, _)| *id == permit.id).map(|(_, result)| result.clone());
        let result = match done {
            Some(result) => result,
            None if sight.chance.percent(sight.faults.not_done) => {
                PermitResult::NotDone { message: "the engine does not answer".to_owned() }
            }
            None => perform(host, engine, &permit.task, sight.docker),
        };
        self.ledger = Some((permit.id, result.clone()));
        let lost = sight.chance.percent(sight.faults.lost);
        (!lost).then_some(Command::Agent(AgentCommand::Permit { host: host.id, permit: permit.id, result }))
    }
}

fn perform(host: &Host, engine: &InstanceKey, task: &Task, docker: &mut Docker) -> PermitResult {
    let swarm = host.membership.as_ref().expect("permits are for members").swarm;
    let done = |node| PermitResult::Done { node, swarm_id: None, sealed_worker_token: None };
    let outcome = match task {
        Task::SwarmInit { .. } => {
            let node = docker.init(swarm, engine);
            return PermitResult::Done {
                node: Some(node),
                swarm_id: Some(format!("docker-{swarm}")),
                sealed_worker_token: Some(vec![1]),
            };
        }
        Task::SwarmJoin { .. } => docker.join(swarm, engine).map(Some),
        Task::SwarmLeave { force } => docker.leave(engine, *force).map(|()| None),
        Task::UpdateNodes { changes } => docker.update(engine, changes).map(|()| None),
        Task::RemoveNodes { nodes, .. } => docker.remove(engine, nodes).map(|()| None),
    };
    match outcome {
        Ok(node) => done(node),
        Err(message) => PermitResult::NotDone { message: message.to_owned() },
    }
}

pub(crate) type Agents = BTreeMap<InstanceKey, Agent>;
