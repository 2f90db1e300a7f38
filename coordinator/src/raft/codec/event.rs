//! Events and audit records.

use skep_core::state::{AuditRecord, Event, Subject};

use super::pb;
use super::pb::subject::Kind;
use super::wire::{Message, Unreadable, Wire, record};

record! {
    Event { revision, at, subject, name, reason, message }
    AuditRecord { revision, at, actor, peer, method, request_id, body, verdict }
}

impl Wire for Subject {
    type Pb = pb::Subject;

    fn to_pb(&self) -> pb::Subject {
        let kind = match self {
            Self::Host(id) => Kind::Host(id.to_pb()),
            Self::Swarm(id) => Kind::Swarm(id.to_pb()),
            Self::Operation(id) => Kind::Operation(id.to_pb()),
            Self::Cluster => Kind::Cluster(pb::subject::Cluster {}),
        };
        pb::Subject { kind: Some(kind) }
    }

    fn from_pb(pb: pb::Subject) -> Result<Self, Unreadable> {
        Ok(match pb.kind.ok_or_else(Unreadable::missing)? {
            Kind::Host(id) => Self::Host(Wire::from_pb(id)?),
            Kind::Swarm(id) => Self::Swarm(Wire::from_pb(id)?),
            Kind::Operation(id) => Self::Operation(Wire::from_pb(id)?),
            Kind::Cluster(pb::subject::Cluster {}) => Self::Cluster,
        })
    }
}

impl Message for Subject {}
