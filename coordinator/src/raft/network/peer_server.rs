//! The `Peer` service: what other coordinators ask the leader.

use std::sync::Arc;

use skep_proto::raft as rpc;
use skep_proto::raft::peer_server;
use skep_types::CoordinatorId;
use tonic::{Code, Request, Response, Status};

use super::Admission;
use crate::raft::beat::Beat;
use crate::raft::codec;
use crate::raft::core::Core;
use crate::raft::error::{ProposeError, ProposeErrorKind};

#[derive(Debug)]
pub(in crate::raft) struct PeerService {
    pub(in crate::raft) core: Arc<Core>,
    pub(in crate::raft) admission: Admission,
}

/// Read back by [`PeerClient`](super::PeerClient).
fn refused(error: &ProposeError) -> Status {
    let code = match error.kind() {
        ProposeErrorKind::NoLeader | ProposeErrorKind::Busy => Code::FailedPrecondition,
        ProposeErrorKind::Timeout => Code::DeadlineExceeded,
        ProposeErrorKind::Exhausted => Code::ResourceExhausted,
        ProposeErrorKind::TooLarge => Code::OutOfRange,
        ProposeErrorKind::Shutdown => Code::Unavailable,
        ProposeErrorKind::Storage => Code::Internal,
    };
    Status::new(code, error.to_string())
}

#[tonic::async_trait]
impl peer_server::Peer for PeerService {
    async fn propose(
        &self,
        request: Request<rpc::ProposeRequest>,
    ) -> Result<Response<rpc::ProposeReply>, Status> {
        self.admission.check(&request)?;
        let commands = codec::commands_from_pb(request.into_inner().commands);
        let commands = commands.map_err(|error| Status::invalid_argument(error.to_string()))?;
        if commands.len() > skep_types::limits::COMMANDS_PER_ENTRY {
            return Err(Status::invalid_argument("more commands than one entry carries"));
        }
        let applied = self.core.propose_here(commands).await.map_err(|error| refused(&error))?;
        let replies = codec::replies_to_pb(&applied.replies);
        Ok(Response::new(rpc::ProposeReply { replies, index: applied.index }))
    }

    async fn read_index(
        &self,
        request: Request<rpc::ReadIndexRequest>,
    ) -> Result<Response<rpc::ReadIndexReply>, Status> {
        self.admission.check(&request)?;
        let index = self.core.read_index_here().await.map_err(|error| refused(&error))?;
        Ok(Response::new(rpc::ReadIndexReply { index }))
    }

    async fn beat(&self, request: Request<rpc::BeatRequest>) -> Result<Response<rpc::BeatReply>, Status> {
        let peer = self.admission.check(&request)?;
        let beat = Beat::try_from(request.into_inner())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        if beat.coordinator != peer {
            return Err(Status::permission_denied(format!("{peer} cannot beat for {}", beat.coordinator)));
        }
        let answer = self.core.beat_here(beat).await.map_err(|error| refused(&error))?;
        Ok(Response::new(rpc::BeatReply::from(answer)))
    }

    async fn hand_over(
        &self,
        request: Request<rpc::HandOverRequest>,
    ) -> Result<Response<rpc::HandOverReply>, Status> {
        self.admission.check(&request)?;
        let to = Some(request.into_inner().to).filter(|to| *to > 0).map(CoordinatorId);
        self.core.transfer_leadership(to).await.map_err(|error| refused(&error))?;
        Ok(Response::new(rpc::HandOverReply {}))
    }
}
