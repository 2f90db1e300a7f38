//! Events and audit records as people see them.

use skep_core::state::{AuditRecord, Event, Subject};
use skep_proto::v1 as pb;
use skep_types::ClusterTime;

use super::ms;

/// `cursor` is what a watch resumes after.
pub(in crate::api) fn write(event: &Event, cursor: String, now: ClusterTime) -> pb::Event {
    let (subject_kind, subject_id) = match event.subject {
        Subject::Host(id) => ("host", id.to_string()),
        Subject::Swarm(id) => ("swarm", id.to_string()),
        Subject::Operation(id) => ("operation", id.to_string()),
        Subject::Cluster => ("cluster", String::new()),
    };
    pb::Event {
        revision: cursor,
        subject_kind: subject_kind.to_owned(),
        subject_id,
        subject_name: event.name.clone(),
        reason: event.reason.clone(),
        message: event.message.clone(),
        age_ms: ms(now.since(event.at)),
    }
}

pub(in crate::api) fn audit(record: &AuditRecord, now: ClusterTime) -> pb::AuditRecord {
    pb::AuditRecord {
        revision: record.revision.to_string(),
        actor: record.actor.to_string(),
        peer: record.peer.clone(),
        method: record.method.clone(),
        request_id: record.request_id.to_string(),
        verdict: record.verdict.clone(),
        body_sha256: record.body.to_string(),
        age_ms: ms(now.since(record.at)),
    }
}

/// One line, for explanations.
pub(in crate::api) fn line(event: &Event, now: ClusterTime) -> String {
    let age = now.since(event.at).as_secs();
    let colon = if event.message.is_empty() { "" } else { ": " };
    format!("{age} s ago: {}{colon}{}", event.reason, event.message)
}
