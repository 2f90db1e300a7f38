//! What became of commands, on its way from the leader to the coordinator that forwarded them.

use skep_core::Reply;
use skep_types::{Code, FieldViolation, Refusal};

use super::pb;
use super::wire::{Unreadable, Wire, choice, record, word};

word! {
    Code {
        Invalid, NotFound, AlreadyExists, Precondition, Conflict, Unauthenticated, Forbidden, Exhausted, Unavailable,
        Compacted, Internal,
    }
}

record! {
    Refusal { code, message, violations }
    FieldViolation { field, description }
}

choice! {
    Reply as reply {
        Done {}
        Unchanged[reason]
        Accepted[operation]
        Enrolled { host, name, incarnation }
        Joined[coordinator]
        Refused(refusal)
    }
}

pub(in crate::raft) fn replies_to_pb(replies: &[Reply]) -> Vec<pb::Reply> {
    replies.iter().map(Wire::to_pb).collect()
}

pub(in crate::raft) fn replies_from_pb(replies: Vec<pb::Reply>) -> Result<Vec<Reply>, Unreadable> {
    replies.into_iter().map(Wire::from_pb).collect()
}
