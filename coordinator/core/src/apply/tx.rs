//! One command's writes: revisions, indexes, events and operations are kept right here and nowhere else.

use std::sync::Arc;

use skep_types::{ClusterTime, HostId, OperationId, Phase, SwarmId, limits};

use super::{Changes, operations};
use crate::State;
use crate::state::{Account, Event, Host, Operation, Subject, Swarm};

pub(super) struct Tx<'a> {
    pub(super) state: &'a mut State,
    pub(super) changes: &'a mut Changes,
}

impl<'a> Tx<'a> {
    pub(super) fn new(state: &'a mut State, changes: &'a mut Changes) -> Self {
        Self { state, changes }
    }

    pub(super) fn now(&self) -> ClusterTime {
        self.state.time
    }

    /// The next id's counter, for every kind of id.
    pub(super) fn allocate(&mut self) -> u64 {
        self.state.last_id += 1;
        self.state.last_id
    }

    pub(super) fn insert_host(&mut self, host: Host) {
        self.state.index.add_host(&host);
        self.changes.hosts.insert(host.id);
        self.state.hosts.insert(host.id, Arc::new(host));
    }

    /// Changes a host, if it is there. Nothing happens when `change` leaves it as it was.
    pub(super) fn update_host(&mut self, id: HostId, change: impl FnOnce(&mut Host)) {
        let Some(old) = self.state.hosts.get(&id).cloned() else {
            return;
        };
        let mut new = Host::clone(&old);
        change(&mut new);
        if new == *old {
            return;
        }
        new.revision = self.state.now_revision();
        let moved = new.phase.label() != old.phase.label();
        if moved {
            new.phase_since = self.now();
            self.host_event(&new, new.phase.label(), &phase_message(&new.phase));
        }
        if index_keys(&old) != index_keys(&new) {
            self.state.index.remove_host(&old);
            self.state.index.add_host(&new);
        }
        if new.needs_intent() || old.intent() != new.intent() {
            self.changes.accounts.insert(new.template.account.clone());
        }
        if let Some(membership) = &new.membership {
            self.changes.swarms.insert(membership.swarm);
        }
        self.changes.hosts.insert(id);
        self.state.hosts.insert(id, Arc::new(new));
        operations::host_changed(self, id, moved);
    }

    /// The record goes: nothing of the host exists any more. Its id stays dead.
    pub(super) fn remove_host(&mut self, id: HostId) {
        let Some(host) = self.state.hosts.remove(&id) else {
            return;
        };
        self.state.index.remove_host(&host);
        self.changes.hosts.insert(id);
        if let Some(membership) = &host.membership {
            let node = host.node.clone();
            self.update_swarm(membership.swarm, |swarm| {
                swarm.ghosts.extend(node.filter(|node| swarm.nodes.contains_key(node)));
                if swarm.init_host == Some(id) && swarm.docker_id.is_none() {
                    swarm.init_host = None;
                }
            });
            self.changes.swarms.insert(membership.swarm);
        }
        self.host_event(&host, "Deleted", "");
        operations::host_removed(self, &host);
    }

    pub(super) fn update_swarm(&mut self, id: SwarmId, change: impl FnOnce(&mut Swarm)) {
        let Some(old) = self.state.swarms.get(&id).cloned() else {
            return;
        };
        let mut new = Swarm::clone(&old);
        change(&mut new);
        if new != *old {
            new.revision = self.state.now_revision();
            self.changes.swarms.insert(id);
            self.state.swarms.insert(id, Arc::new(new));
        }
    }

    pub(super) fn update_operation(&mut self, id: OperationId, change: impl FnOnce(&mut Operation)) {
        let Some(old) = self.state.operations.get(&id).cloned() else {
            return;
        };
        let mut new = Operation::clone(&old);
        change(&mut new);
        if new != *old {
            new.revision = self.state.now_revision();
            self.changes.operations.insert(id);
            self.state.operations.insert(id, Arc::new(new));
        }
    }

    pub(super) fn put_account(&mut self, mut account: Account) {
        account.revision = self.state.now_revision();
        self.changes.accounts.insert(account.name.clone());
        self.state.accounts.insert(account.name.clone(), Arc::new(account));
    }

    pub(super) fn host_event(&mut self, host: &Host, reason: &str, message: &str) {
        self.event(Subject::Host(host.id), host.name.as_str(), reason, message);
    }

    pub(super) fn event(&mut self, subject: Subject, name: &str, reason: &str, message: &str) {
        let event = Event {
            revision: self.state.now_revision(),
            at: self.now(),
            subject,
            name: name.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
        };
        self.state.events.push_back(Arc::new(event));
        if self.state.events.len() > limits::EVENTS_KEPT {
            self.state.events.pop_front();
        }
    }
}

/// What the index is made of; see [`crate::state::Index::add_host`].
fn index_keys(host: &Host) -> impl PartialEq + '_ {
    let token = host.enrolment.as_ref().map(|enrolment| enrolment.token);
    (&host.item_of, &host.node, token, host.needs_intent(), host.unheard())
}

fn phase_message(phase: &Phase) -> String {
    match phase {
        Phase::Failed { class, message } => format!("{}: {message}", class.label()),
        Phase::Quarantined { reason } => reason.clone(),
        _ => String::new(),
    }
}

/// Cuts a text that came from outside to what the state keeps of it.
pub(super) fn bounded(text: &str) -> String {
    let end = (0..=text.len().min(limits::MESSAGE_BYTES)).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or(0)].to_owned()
}
