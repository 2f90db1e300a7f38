//! Everything around the core, one round at a time: leader, owners, agents, engines, and the network between them.

mod owner;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use skep_core::command::{NewIntent, NewSlot, PlanCommand, Reply};
use skep_core::plan::account::{Wish, WishKind};
use skep_core::plan::{Plan, View};
use skep_core::{Changes, Command, State};
use skep_types::{ClusterTime, HostId, IntentId, ProviderId, SlotNaming};

use super::agents::{Agents, Sight};
use super::build::{DriverSpec, digest};
use super::chance::Chance;
use super::cluster::Cluster;
use super::docker::Docker;
use super::driver::{Cloud, Faults};
use super::text::plan_text;

/// A round takes this long of cluster time.
const ROUND_MS: u64 = 500;
/// States of before that a leader which is none any more may still plan on.
const OLD_STATES: usize = 6;

/// Commands under way to the log.
struct Letter {
    rounds: usize,
    commands: Vec<Command>,
    /// The driver call whose outcome this is, and the owner's process that made it. No owner calls again while an outcome
    /// of its own may still be committed: closing on the first answer would orphan what the second call made.
    about: Option<(IntentId, u64)>,
}

pub(crate) struct Fleet {
    pub(crate) cluster: Cluster,
    pub(crate) cloud: Cloud,
    pub(crate) docker: Docker,
    pub(crate) faults: Faults,
    pub(crate) chance: Chance,
    agents: Agents,
    spec: DriverSpec,
    wakes: BTreeMap<ClusterTime, BTreeSet<HostId>>,
    post: Vec<Letter>,
    old: VecDeque<(State, ClusterTime)>,
    /// Driver calls of this owner's process whose outcome is on its way.
    busy: BTreeSet<IntentId>,
    /// Instances without a host, seen once.
    suspects: BTreeSet<ProviderId>,
    process: u64,
    tokens: u64,
    sent: usize,
    /// What was planned, while somebody listens.
    told: Option<Vec<(ClusterTime, String)>>,
}

impl Fleet {
    pub(crate) fn new(spec: DriverSpec, faults: Faults, seed: u64) -> Self {
        Self {
            cluster: Cluster::founded(spec),
            cloud: Cloud::new(spec.describe()),
            docker: Docker::default(),
            faults,
            chance: Chance::new(seed),
            agents: Agents::new(),
            spec,
            wakes: BTreeMap::new(),
            post: Vec::new(),
            old: VecDeque::new(),
            busy: BTreeSet::new(),
            suspects: BTreeSet::new(),
            process: 1,
            tokens: 1000,
            sent: 0,
            told: None,
        }
    }

    pub(crate) fn rounds(&mut self, count: usize) {
        for _ in 0..count {
            self.round();
        }
    }

    /// Whether any command reached the log.
    pub(crate) fn round(&mut self) -> bool {
        self.cluster.now.0 += ROUND_MS;
        let before = self.sent;
        self.keep_old_state();
        self.lead();
        self.restart_owner();
        self.call_drivers();
        self.power_lines();
        self.agents_act();
        self.docker.settle();
        self.deliver();
        self.check();
        self.sent > before
    }

    /// The host's agent is never heard of again; its instance runs on.
    pub(crate) fn lose_agent(&mut self, host: HostId) {
        let instance = self.cluster.state.host(host).and_then(|host| host.instance.as_ref());
        let id = instance.expect("it has an instance").instance.provider_id.clone();
        if let Some(machine) = self.cloud.machines.get_mut(&id) {
            machine.dead = true;
        }
    }

    /// Every plan until rest, one line per command, after the second it was made in.
    pub(crate) fn story(&mut self) -> String {
        self.told = Some(Vec::new());
        let from = self.cluster.now;
        self.rest();
        let told = self.told.take().unwrap_or_default();
        let line =
            |(at, text): (ClusterTime, String)| format!("{:>5.1} s  {text}", at.since(from).as_secs_f64());
        told.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Goes on without faults until nothing moves any more and no deadline is left.
    pub(crate) fn rest(&mut self) {
        self.faults = Faults::default();
        for _ in 0..20_000 {
            if self.round() || !self.post.is_empty() {
                continue;
            }
            let changes = self.cluster.view().everything();
            let missed = self.cluster.view().plan(&changes);
            assert!(
                missed.commands.is_empty() && missed.wishes.is_empty(),
                "nobody looked again: {missed:?}"
            );
            match self.wakes.first_key_value() {
                Some((at, _)) => self.cluster.now = self.cluster.now.max(*at),
                None => {
                    self.collect_garbage();
                    if self.suspects.is_empty() {
                        return;
                    }
                }
            }
        }
        panic!("no rest; the last entries: {:#?}", self.cluster.log.iter().rev().take(5).collect::<Vec<_>>());
    }

    pub(crate) fn send(&mut self, commands: Vec<Command>) -> Vec<Reply> {
        if commands.is_empty() {
            return Vec::new();
        }
        let replies = self.cluster.apply(commands);
        // An agent whose host is gone knocks for ever.
        self.sent += replies.iter().filter(|reply| !matches!(reply, Reply::Refused(_))).count();
        replies
    }

    /// Through a network that delays, reorders and repeats.
    fn mail(&mut self, commands: Vec<Command>, about: Option<(IntentId, u64)>) {
        if commands.is_empty() {
            return;
        }
        if self.chance.percent(self.faults.twice) {
            let rounds = 1 + self.chance.below(12);
            self.post.push(Letter { rounds, commands: commands.clone(), about: None });
        }
        let late = self.chance.percent(self.faults.late);
        let rounds = if late { 1 + self.chance.below(6) } else { 0 };
        self.post.push(Letter { rounds, commands, about });
    }

    fn deliver(&mut self) {
        let (mut due, mut later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.post).into_iter().partition(|letter| letter.rounds == 0);
        for letter in &mut later {
            letter.rounds -= 1;
        }
        self.post = later;
        if self.faults.late > 0 {
            self.chance.shuffle(&mut due);
        }
        for letter in due {
            self.send(letter.commands);
            if let Some((intent, process)) = letter.about
                && process == self.process
            {
                self.busy.remove(&intent);
            }
        }
    }

    fn keep_old_state(&mut self) {
        if self.faults.stale_plan > 0 {
            self.old.push_back((self.cluster.state.clone(), self.cluster.now));
            self.old.truncate(OLD_STATES);
            if self.old.len() == OLD_STATES {
                self.old.pop_front();
            }
        }
    }

    fn lead(&mut self) {
        let later = self.wakes.split_off(&ClusterTime(self.cluster.now.0 + 1));
        let due = std::mem::replace(&mut self.wakes, later);
        self.cluster.changes.hosts.extend(due.into_values().flatten());
        let plan = self.cluster.plan();
        if let Some(told) = &mut self.told {
            told.extend(
                plan_text(&self.cluster.state, &plan).into_iter().map(|text| (self.cluster.now, text)),
            );
        }
        for (at, host) in &plan.wake {
            self.wakes.entry(*at).or_default().insert(*host);
        }
        let fresh = self.freeze(plan);
        if self.chance.percent(self.faults.stale_plan)
            && let Some((state, now)) = self.old.front().cloned()
        {
            let view = View { state: &state, now };
            let stale = view.plan(&view.everything());
            let mut stale = self.freeze(stale);
            self.chance.shuffle(&mut stale);
            self.send(stale);
            // And the new leader looks at everything, as each does first.
            let everything = self.cluster.view().everything();
            self.cluster.changes.merge(everything);
        }
        self.send(fresh);
    }

    fn freeze(&mut self, plan: Plan) -> Vec<Command> {
        let wishes: Vec<PlanCommand> = plan.wishes.into_iter().map(|wish| self.open(wish)).collect();
        plan.commands.into_iter().chain(wishes).map(Command::Plan).collect()
    }

    fn open(&mut self, wish: Wish) -> PlanCommand {
        let intent = match wish.kind {
            WishKind::Create(template) => {
                let shared = self.spec.naming == SlotNaming::Interchangeable;
                self.tokens += 1;
                let slot =
                    |at: u64| NewSlot { token: digest(self.tokens * 1000 + if shared { 0 } else { at }) };
                let slots = (0..).take(wish.guards.len()).map(slot).collect();
                NewIntent::Create { template, slots, sealed_bootstrap: vec![7] }
            }
            WishKind::Power(action) => NewIntent::Power { action },
            WishKind::Destroy => NewIntent::Destroy,
        };
        PlanCommand::OpenIntent { guards: wish.guards, account: wish.account, shard: wish.shard, intent }
    }

    /// Which engines are up follows from which machines run.
    fn power_lines(&mut self) {
        let machines = &self.cloud.machines;
        let runs = |id: &ProviderId| machines.get(id).is_some_and(|machine| machine.running && !machine.dead);
        self.docker.up = machines.keys().filter(|id| runs(id)).cloned().collect();
        let gone: Vec<_> =
            self.docker.membership.keys().filter(|id| !machines.contains_key(*id)).cloned().collect();
        for id in gone {
            self.docker.destroyed(&id);
        }
    }

    fn agents_act(&mut self) {
        let mut agents = std::mem::take(&mut self.agents);
        for id in self.docker.up.clone() {
            agents.entry(id).or_default();
        }
        for (id, agent) in &mut agents {
            let commands = match self.cloud.machines.get(id).filter(|machine| machine.running) {
                Some(machine) if !machine.dead => {
                    let (state, faults) = (&self.cluster.state, &self.faults);
                    let (docker, chance) = (&mut self.docker, &mut self.chance);
                    agent.act(machine, &mut Sight { state, docker, faults, chance })
                }
                _ if agent.connected => agent.lost(&self.cluster.state),
                _ => Vec::new(),
            };
            self.mail(commands, None);
        }
        agents.retain(|id, agent| agent.connected || self.cloud.machines.contains_key(id));
        self.agents = agents;
    }

    /// What the world must look like at every instant.
    fn check(&self) {
        let mut slots = BTreeSet::new();
        let mut made: BTreeMap<_, u32> = BTreeMap::new();
        for machine in self.cloud.machines.values() {
            if let Some(slot) = machine.slot {
                assert!(slots.insert(slot), "invariant 1: two instances for {slot:?}");
            }
            if let Some(operation) = machine.made_for {
                *made.entry(operation).or_default() += 1;
            }
        }
        for (operation, made) in made {
            if let Some(operation) = self.cluster.state.operations.get(&operation) {
                assert!(made <= operation.items, "invariant 5: {made} instances for {operation:?}");
            }
        }
    }

    pub(crate) fn everything(&self) -> Changes {
        self.cluster.view().everything()
    }
}
