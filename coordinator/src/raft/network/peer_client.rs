//! The `Peer` service of whichever coordinator leads.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use skep_core::Command;
use skep_proto::raft as rpc;
use skep_types::CoordinatorId;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::{Dialer, MESSAGE_BYTES};
use crate::raft::beat::{Beat, BeatAnswer};
use crate::raft::codec;
use crate::raft::error::{ProposeError, ProposeErrorKind};
use crate::raft::proposer::Accepted;
use crate::raft::types::Node;

type Client = rpc::peer_client::PeerClient<Channel>;

/// Channels to the coordinators that have led, one each.
#[derive(Debug)]
pub(in crate::raft) struct PeerClient {
    dialer: Dialer,
    channels: Mutex<HashMap<CoordinatorId, (Node, Channel)>>,
}

fn failed(status: Status) -> ProposeError {
    let kind = match status.code() {
        Code::ResourceExhausted => ProposeErrorKind::Exhausted,
        Code::OutOfRange => ProposeErrorKind::TooLarge,
        // What else goes wrong there, its storage included, another leader mends.
        _ => ProposeErrorKind::NoLeader,
    };
    ProposeError::caused(kind, status)
}

async fn answer<T>(
    within: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, ProposeError> {
    let answered = timeout(within, call).await.map_err(|_| ProposeError::new(ProposeErrorKind::Timeout))?;
    answered.map(Response::into_inner).map_err(failed)
}

impl PeerClient {
    pub(in crate::raft) fn new(dialer: Dialer) -> Self {
        Self { dialer, channels: Mutex::default() }
    }

    pub(in crate::raft) async fn propose(
        &self,
        leader: CoordinatorId,
        node: &Node,
        commands: &[Command],
        within: Duration,
    ) -> Result<Accepted, ProposeError> {
        let request = rpc::ProposeRequest { commands: codec::commands_to_pb(commands) };
        let reply = answer(within, self.client(leader, node).propose(request)).await?;
        let replies = codec::replies_from_pb(reply.replies);
        let replies = replies.map_err(|error| ProposeError::caused(ProposeErrorKind::NoLeader, error))?;
        Ok(Accepted { replies, index: reply.index })
    }

    pub(in crate::raft) async fn read_index(
        &self,
        leader: CoordinatorId,
        node: &Node,
        within: Duration,
    ) -> Result<u64, ProposeError> {
        Ok(answer(within, self.client(leader, node).read_index(rpc::ReadIndexRequest {})).await?.index)
    }

    pub(in crate::raft) async fn beat(
        &self,
        leader: CoordinatorId,
        node: &Node,
        beat: &Beat,
        within: Duration,
    ) -> Result<BeatAnswer, ProposeError> {
        let reply = answer(within, self.client(leader, node).beat(rpc::BeatRequest::from(beat))).await?;
        Ok(BeatAnswer::from(reply))
    }

    pub(in crate::raft) async fn hand_over(
        &self,
        leader: CoordinatorId,
        node: &Node,
        to: Option<CoordinatorId>,
        within: Duration,
    ) -> Result<(), ProposeError> {
        let request = rpc::HandOverRequest { to: to.map_or(0, |to| to.0) };
        answer(within, self.client(leader, node).hand_over(request)).await.map(drop)
    }

    fn client(&self, target: CoordinatorId, node: &Node) -> Client {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            channels.get(&target).filter(|(known, _)| known == node).map(|(_, channel)| channel.clone());
        let channel = known.unwrap_or_else(|| {
            let channel = self.dialer.channel(target, node);
            channels.insert(target, (node.clone(), channel.clone()));
            channel
        });
        Client::new(channel).max_decoding_message_size(MESSAGE_BYTES).max_encoding_message_size(MESSAGE_BYTES)
    }
}
