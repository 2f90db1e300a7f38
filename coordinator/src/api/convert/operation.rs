//! An operation record as people see it, with the phases of its hosts.

use std::collections::HashMap;

use skep_core::State;
use skep_core::state::Operation;
use skep_proto::v1 as pb;
use skep_types::{ClusterTime, OperationKind, Verdict};

use super::ms;

/// `state` is the one the operation is of.
pub(in crate::api) fn write(operation: &Operation, state: &State, now: ClusterTime) -> pb::Operation {
    let took = operation.finished_at.map(|end| end.since(operation.created_at));
    pb::Operation {
        id: operation.id.to_string(),
        revision: operation.revision.to_string(),
        kind: operation.kind.label().to_owned(),
        request_id: operation.request_id.to_string(),
        actor: operation.actor.to_string(),
        state: operation.state.label().to_owned(),
        verdict: verdict(operation.verdict).to_owned(),
        items: operation.items,
        items_done: operation.done,
        items_failed: operation.failed,
        phases: phases(operation, state),
        failures: failures(operation),
        age_ms: ms(now.since(operation.created_at)),
        // Told apart from a running one, however short it was.
        took_ms: took.map_or(0, |took| ms(took).max(1)),
        subject: operation.subject.clone(),
        plan: Vec::new(),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Undecided => "Undecided",
        Verdict::Committed => "Committed",
        Verdict::Aborted => "Aborted",
    }
}

/// Hosts that are settled count where the operation brought them, whatever became of them since.
fn phases(operation: &Operation, state: &State) -> HashMap<String, u32> {
    let mut phases: HashMap<String, u32> = HashMap::new();
    for host in state.items(operation.id) {
        *phases.entry(host.phase.label().to_owned()).or_default() += 1;
    }
    let brought_to = match operation.kind {
        OperationKind::CreateHosts | OperationKind::CreateSwarm => Some("Ready"),
        OperationKind::DeleteHosts | OperationKind::DeleteSwarm => Some("Deleted"),
        OperationKind::PowerHosts | OperationKind::Administer => None,
    };
    if let Some(phase) = brought_to.filter(|_| operation.done > 0) {
        *phases.entry(phase.to_owned()).or_default() += operation.done;
    }
    if operation.failed > 0 {
        *phases.entry("Failed".to_owned()).or_default() += operation.failed;
    }
    phases
}

fn failures(operation: &Operation) -> Vec<pb::Failure> {
    let mut failures: Vec<pb::Failure> = operation
        .failures
        .iter()
        .map(|group| pb::Failure {
            reason: group.reason.clone(),
            count: group.count,
            example: group.example.clone(),
        })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    failures
}
