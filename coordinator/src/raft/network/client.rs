//! openraft's network, over the `Raft` service.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use openraft::base::{BoxFuture, BoxStream};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{AnyError, OptionalSend};
use skep_proto::raft as rpc;
use skep_proto::raft::raft_client::RaftClient;
use skep_types::CoordinatorId;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::{CHUNK_BYTES, Dialer, MESSAGE_BYTES};
use crate::raft::beat::BeatHandler;
use crate::raft::codec::{self, Unreadable};
use crate::raft::snapshot::SnapshotFile;
use crate::raft::types::{Node, Snapshot, TypeConfig, Vote};

/// Between two tries at a stream to a peer that did not take the last one: well below an election, so that a coordinator
/// that comes back is heard at once.
const REDIAL: Duration = Duration::from_millis(100);

/// Makes a connection of its own for each of openraft's tasks: a snapshot does not stand in the way of heartbeats.
#[derive(Debug, Clone)]
pub(in crate::raft) struct Network {
    dialer: Dialer,
    /// Told of each peer whose stream of entries fails.
    beats: Arc<dyn BeatHandler>,
}

impl Network {
    pub(in crate::raft) fn new(dialer: Dialer, beats: Arc<dyn BeatHandler>) -> Self {
        Self { dialer, beats }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Connection;

    async fn new_client(&mut self, target: u64, node: &Node) -> Connection {
        let peer = CoordinatorId(target);
        let channel = self.dialer.channel(peer, node);
        let client = RaftClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES);
        Connection { client, peer, beats: Arc::clone(&self.beats) }
    }
}

#[derive(Debug)]
pub(in crate::raft) struct Connection {
    client: RaftClient<Channel>,
    peer: CoordinatorId,
    beats: Arc<dyn BeatHandler>,
}

type RpcError = RPCError<TypeConfig>;
type AppendReplies<'s> = BoxStream<'s, Result<StreamAppendResult<TypeConfig>, RpcError>>;

/// Unreachable makes openraft back off, Network makes it try again at once: only a peer that answers deserves that.
fn failed(status: &Status) -> RpcError {
    let error = AnyError::error(format!("{:?}: {}", status.code(), status.message()));
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::PermissionDenied | Code::Unauthenticated => {
            RPCError::Unreachable(Unreachable::new(&error))
        }
        _ => RPCError::Network(NetworkError::new(&error)),
    }
}

fn unreadable(error: &Unreadable) -> RpcError {
    RPCError::Network(NetworkError::new(error))
}

fn late(within: Duration) -> RpcError {
    let error = AnyError::error(format!("no answer within {} ms", within.as_millis()));
    RPCError::Unreachable(Unreachable::new(&error))
}

/// One answer, within the time openraft gives it.
async fn answer<T>(
    option: &RPCOption,
    call: impl Future<Output = Result<tonic::Response<T>, Status>>,
) -> Result<T, RpcError> {
    let within = option.soft_ttl();
    let answered = timeout(within, call).await.map_err(|_| late(within))?;
    answered.map(tonic::Response::into_inner).map_err(|status| failed(&status))
}

impl RaftNetworkV2<TypeConfig> for Connection {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RpcError> {
        let within = option.soft_ttl();
        let requests = futures::stream::iter([request]);
        let mut replies = self.stream_append(requests, option).await?;
        let reply = timeout(within, replies.next()).await.map_err(|_| late(within))?;
        let reply =
            reply.ok_or_else(|| failed(&Status::unavailable("the stream ended without an answer")))?;
        Ok(reply?.into())
    }

    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        option: RPCOption,
    ) -> BoxFuture<'s, Result<AppendReplies<'s>, RpcError>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        Box::pin(async move {
            let requests = input.map(|request| codec::append_to_pb(&request));
            let replies = match answer(&option, self.client.append(requests)).await {
                Ok(replies) => replies,
                Err(error) => {
                    self.beats.lost_touch(self.peer);
                    // openraft waits where it takes the next request from `input`, and a peer that cannot be dialled never
                    // takes one: without this pause a coordinator that is down keeps the leader's cores busy.
                    tokio::time::sleep(REDIAL).await;
                    return Err(error);
                }
            };
            let (peer, beats) = (self.peer, Arc::clone(&self.beats));
            let replies = replies.map(move |reply| {
                let reply = reply.map_err(|status| {
                    beats.lost_touch(peer);
                    failed(&status)
                })?;
                codec::append_reply_from_pb(reply).map_err(|error| unreadable(&error))
            });
            Ok(Box::pin(replies) as AppendReplies<'s>)
        })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let reply = answer(&option, self.client.vote(codec::vote_request_to_pb(&request))).await?;
        codec::vote_reply_from_pb(reply).map_err(|error| unreadable(&error))
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let reply = answer(&option, self.client.pre_vote(codec::vote_request_to_pb(&request))).await?;
        codec::vote_reply_from_pb(reply).map_err(|error| unreadable(&error))
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let request = Request::new(chunks(&vote, snapshot));
        tokio::select! {
            reply = answer(&option, self.client.snapshot(request)) => {
                let vote = codec::vote_from_pb(reply?.vote).map_err(|error| unreadable(&error))?;
                Ok(SnapshotResponse::new(vote))
            }
            closed = cancel => Err(StreamingError::Closed(closed)),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RpcError> {
        let reply = answer(&option, self.client.transfer_leader(codec::transfer_to_pb(&request))).await?;
        codec::transfer_reply_from_pb(reply).map_err(|error| unreadable(&error))
    }
}

/// The head, then the file piece by piece, read as it is sent.
fn chunks(vote: &Vote, snapshot: Snapshot) -> impl Stream<Item = rpc::SnapshotChunk> + Send + 'static {
    use rpc::snapshot_chunk::Kind;
    let file = snapshot.snapshot;
    let head = rpc::SnapshotHead {
        vote: Some(codec::vote_to_pb(vote)),
        meta: Some(codec::snapshot_meta_to_pb(&snapshot.meta)),
        total_bytes: file.length(),
        sha256: Bytes::copy_from_slice(&file.digest().0),
    };
    let data = futures::stream::unfold((file, 0_u64), |(file, offset)| async move {
        let reader = file.clone();
        let read = tokio::task::spawn_blocking(move || reader.chunk(offset, CHUNK_BYTES)).await;
        // A file that cannot be read ends the stream early: the receiver misses bytes and refuses it.
        let chunk = read.ok()?.inspect_err(|error| tracing::error!(%error, "cannot read a snapshot")).ok()?;
        let length = u64::try_from(chunk.len()).ok().filter(|length| *length > 0)?;
        Some((Kind::Data(chunk.into()), (file, offset + length)))
    });
    let head = futures::stream::iter([Kind::Head(head)]);
    head.chain(data).map(|kind| rpc::SnapshotChunk { kind: Some(kind) })
}
