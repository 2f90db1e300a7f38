//! The owner of the account: calls the driver for every open intent, and tells what came of it.

use std::collections::BTreeSet;

use skep_core::Command;
use skep_core::command::{FailureKind, OutcomeCommand, Reply, Shortfall};
use skep_core::state::{Intent, IntentKind};
use skep_types::{CoordinatorId, Idempotency, ProviderId};

use super::Fleet;

impl Fleet {
    /// The owner's process dies with what it knew; its next one gets another epoch.
    pub(super) fn restart_owner(&mut self) {
        if self.chance.percent(self.faults.owner) {
            self.process += 1;
            self.busy.clear();
            self.cluster.register(CoordinatorId(1), self.process, self.spec);
            self.cluster.assign_owners();
        }
    }

    pub(super) fn call_drivers(&mut self) {
        let open: Vec<_> = self.cluster.state.intents.values().cloned().collect();
        for intent in open {
            let account = self.cluster.state.accounts.get(&intent.account).cloned();
            let Some(owner) = account.and_then(|account| account.owner(intent.shard).copied()) else {
                continue;
            };
            if !self.busy.contains(&intent.id) {
                self.call(&intent, owner.epoch);
            }
        }
    }

    fn call(&mut self, intent: &Intent, epoch: u64) {
        let commands = match &intent.kind {
            IntentKind::Create { .. } => self.create(intent, epoch),
            IntentKind::Power { .. } | IntentKind::Destroy { .. } => {
                let results = self.cloud.act(intent, &self.faults, &mut self.chance);
                vec![OutcomeCommand::CloseTargets { intent: intent.id, epoch, results }]
            }
        };
        if self.chance.percent(self.faults.lost) {
            return;
        }
        self.busy.insert(intent.id);
        self.mail(commands.into_iter().map(Command::Outcome).collect(), Some((intent.id, self.process)));
    }

    fn create(&mut self, intent: &Intent, epoch: u64) -> Vec<OutcomeCommand> {
        let id = intent.id;
        let none = self.cloud.description.idempotency == Idempotency::None;
        let (placements, shortfall) = if none && intent.attempted {
            // The attempt was lost: adopted from what the driver saved, or left to a person.
            let adopted = self.chance.percent(50).then(|| self.cloud.saved(intent)).flatten();
            let unknown =
                Shortfall { kind: FailureKind::Unknown, message: "the attempt was lost".to_owned() };
            adopted.unwrap_or((Vec::new(), Some(unknown)))
        } else {
            if none {
                let mark = OutcomeCommand::MarkAttempted { intent: id, epoch, attempt: epoch };
                assert_eq!(self.send(vec![Command::Outcome(mark)]), [Reply::Done]);
            }
            let state = &self.cluster.state;
            let made_for = |host| state.host(host).map(|host| host.created_by);
            self.cloud.ensure(intent, &made_for, &self.faults, &mut self.chance)
        };
        let mut commands = Vec::new();
        if !placements.is_empty() {
            commands.push(OutcomeCommand::Bind { intent: id, epoch, placements });
        }
        commands.push(OutcomeCommand::CloseCreate { intent: id, epoch, shortfall });
        commands
    }

    /// Instances that no host owns are destroyed at the second look.
    pub(crate) fn collect_garbage(&mut self) {
        let owned: BTreeSet<ProviderId> = self
            .cluster
            .state
            .hosts
            .values()
            .filter_map(|host| host.instance.as_ref())
            .map(|instance| instance.instance.provider_id.clone())
            .collect();
        let loose: BTreeSet<ProviderId> =
            self.cloud.machines.keys().filter(|id| !owned.contains(*id)).cloned().collect();
        let account = self.cluster.state.accounts.values().next().cloned().expect("there is an account");
        let epoch = account.owner(0).map_or(0, |owner| owner.epoch);
        let twice: Vec<_> = loose.intersection(&self.suspects).cloned().collect();
        let mut replies = Vec::new();
        for id in twice {
            let machine = &self.cloud.machines[&id];
            let (instance, intent) = (machine.reference.clone(), Some(machine.intent));
            let account = account.name.clone();
            let command = OutcomeCommand::DestroyOrphan { account, epoch, instance, intent };
            replies.extend(self.send(vec![Command::Outcome(command)]));
        }
        let told = replies.contains(&Reply::Done) || !loose.is_subset(&self.suspects);
        self.suspects = if told { loose } else { BTreeSet::new() };
    }
}
