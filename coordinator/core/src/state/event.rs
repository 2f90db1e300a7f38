//! What happened, for people and watches; and who asked for it.

use skep_types::{ClusterTime, Digest, HostId, OperationId, PersonName, RequestId, Revision, SwarmId};

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub revision: Revision,
    pub at: ClusterTime,
    pub subject: Subject,
    /// The subject's name at the time: it may be gone when the event is read.
    pub name: String,
    /// A CamelCase word.
    pub reason: String,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Host(HostId),
    Swarm(SwarmId),
    Operation(OperationId),
    Cluster,
}

/// One mutation, carried out or refused. Committed in the same entry as the mutation itself.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    pub revision: Revision,
    pub at: ClusterTime,
    pub actor: PersonName,
    /// ADDRESS:PORT the request came from.
    pub peer: String,
    pub method: String,
    pub request_id: RequestId,
    pub body: Digest,
    /// "accepted", or why it was refused.
    pub verdict: String,
}
