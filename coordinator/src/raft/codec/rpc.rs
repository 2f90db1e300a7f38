//! openraft's calls, as the messages of skep.raft.v1.

use openraft::raft::{
    AppendEntriesRequest, StreamAppendError, StreamAppendResult, TransferLeaderError, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use skep_proto::raft as rpc;

use super::wire::{Field, Unreadable, Wire};
use crate::raft::types::TypeConfig;

pub(in crate::raft) fn append_to_pb(request: &AppendEntriesRequest<TypeConfig>) -> rpc::AppendRequest {
    rpc::AppendRequest {
        vote: request.vote.to_field(),
        previous: request.prev_log_id.to_field(),
        entries: request.entries.to_field(),
        leader_commit: request.leader_commit.to_field(),
    }
}

pub(in crate::raft) fn append_from_pb(
    pb: rpc::AppendRequest,
) -> Result<AppendEntriesRequest<TypeConfig>, Unreadable> {
    Ok(AppendEntriesRequest {
        vote: Field::from_field(pb.vote).map_err(|error| error.within("vote"))?,
        prev_log_id: Field::from_field(pb.previous).map_err(|error| error.within("previous"))?,
        entries: Field::from_field(pb.entries).map_err(|error| error.within("entries"))?,
        leader_commit: Field::from_field(pb.leader_commit).map_err(|error| error.within("leader_commit"))?,
    })
}

pub(in crate::raft) fn append_reply_to_pb(reply: &StreamAppendResult<TypeConfig>) -> rpc::AppendReply {
    use rpc::append_reply::Kind;
    let kind = match reply {
        Ok(last) => Kind::Matched(rpc::Matched { last: last.to_field() }),
        Err(StreamAppendError::Conflict(id)) => Kind::Conflict(id.to_pb()),
        Err(StreamAppendError::HigherVote(vote)) => Kind::HigherVote(vote.to_pb()),
    };
    rpc::AppendReply { kind: Some(kind) }
}

pub(in crate::raft) fn append_reply_from_pb(
    pb: rpc::AppendReply,
) -> Result<StreamAppendResult<TypeConfig>, Unreadable> {
    use rpc::append_reply::Kind;
    Ok(match pb.kind.ok_or_else(Unreadable::missing)? {
        Kind::Matched(matched) => Ok(Field::from_field(matched.last)?),
        Kind::Conflict(id) => Err(StreamAppendError::Conflict(Wire::from_pb(id)?)),
        Kind::HigherVote(vote) => Err(StreamAppendError::HigherVote(Wire::from_pb(vote)?)),
    })
}

pub(in crate::raft) fn vote_request_to_pb(request: &VoteRequest<TypeConfig>) -> rpc::VoteRequest {
    rpc::VoteRequest {
        vote: request.vote.to_field(),
        last_log: request.last_log_id.to_field(),
        leadership_transfer: request.leadership_transfer,
    }
}

pub(in crate::raft) fn vote_request_from_pb(
    pb: rpc::VoteRequest,
) -> Result<VoteRequest<TypeConfig>, Unreadable> {
    let vote = Field::from_field(pb.vote).map_err(|error| error.within("vote"))?;
    let mut request =
        VoteRequest::new(vote, Field::from_field(pb.last_log).map_err(|error| error.within("last_log"))?);
    request.leadership_transfer = pb.leadership_transfer;
    Ok(request)
}

pub(in crate::raft) fn vote_reply_to_pb(reply: &VoteResponse<TypeConfig>) -> rpc::VoteReply {
    rpc::VoteReply {
        vote: reply.vote.to_field(),
        granted: reply.vote_granted,
        last_log: reply.last_log_id.to_field(),
    }
}

pub(in crate::raft) fn vote_reply_from_pb(
    pb: rpc::VoteReply,
) -> Result<VoteResponse<TypeConfig>, Unreadable> {
    Ok(VoteResponse {
        vote: Field::from_field(pb.vote).map_err(|error| error.within("vote"))?,
        vote_granted: pb.granted,
        last_log_id: Field::from_field(pb.last_log).map_err(|error| error.within("last_log"))?,
    })
}

pub(in crate::raft) fn transfer_to_pb(
    request: &TransferLeaderRequest<TypeConfig>,
) -> rpc::TransferLeaderRequest {
    rpc::TransferLeaderRequest {
        from_leader: request.from_leader().to_field(),
        to: *request.to_node_id(),
        last_log: request.last_log_id().copied().to_field(),
    }
}

pub(in crate::raft) fn transfer_from_pb(
    pb: rpc::TransferLeaderRequest,
) -> Result<TransferLeaderRequest<TypeConfig>, Unreadable> {
    let from = Field::from_field(pb.from_leader).map_err(|error| error.within("from_leader"))?;
    let last = Field::from_field(pb.last_log).map_err(|error| error.within("last_log"))?;
    Ok(TransferLeaderRequest::new(from, pb.to, last))
}

pub(in crate::raft) fn transfer_reply_to_pb(
    reply: &TransferLeaderResponse<TypeConfig>,
) -> rpc::TransferLeaderReply {
    use rpc::transfer_leader_reply::{Accepted, Kind, LogNotFlushed, VoteChanged};
    let kind = match reply {
        Ok(()) => Kind::Accepted(Accepted {}),
        Err(TransferLeaderError::VoteChanged { expected, actual }) => {
            Kind::VoteChanged(VoteChanged { expected: expected.to_field(), actual: actual.to_field() })
        }
        Err(TransferLeaderError::LogNotFlushed { expected, actual }) => {
            Kind::LogNotFlushed(LogNotFlushed { expected: expected.to_field(), actual: actual.to_field() })
        }
    };
    rpc::TransferLeaderReply { kind: Some(kind) }
}

pub(in crate::raft) fn transfer_reply_from_pb(
    pb: rpc::TransferLeaderReply,
) -> Result<TransferLeaderResponse<TypeConfig>, Unreadable> {
    use rpc::transfer_leader_reply::{Accepted, Kind};
    Ok(match pb.kind.ok_or_else(Unreadable::missing)? {
        Kind::Accepted(Accepted {}) => Ok(()),
        Kind::VoteChanged(changed) => Err(TransferLeaderError::VoteChanged {
            expected: Field::from_field(changed.expected)?,
            actual: Field::from_field(changed.actual)?,
        }),
        Kind::LogNotFlushed(behind) => Err(TransferLeaderError::LogNotFlushed {
            expected: Field::from_field(behind.expected)?,
            actual: Field::from_field(behind.actual)?,
        }),
    })
}
