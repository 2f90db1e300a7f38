//! The `Raft` service: openraft's calls as they come in.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use openraft::raft::AppendEntriesRequest;
use skep_proto::raft as rpc;
use skep_proto::raft::raft_server;
use skep_types::Digest;
use tokio::sync::Mutex;
use tonic::{Request, Response, Status, Streaming};

use super::Admission;
use crate::raft::codec::{self, Unreadable};
use crate::raft::snapshot::{Incoming, SnapshotFile, SnapshotFolder};
use crate::raft::types::{Raft, Snapshot, SnapshotMeta, TypeConfig, Vote};

/// A state of millions of hosts; the disk has to hold it twice.
const SNAPSHOT_BYTES: u64 = 8 * 1024 * 1024 * 1024;

/// When a leader was last heard. openraft's own metrics name a leader long after it fell silent.
#[derive(Debug, Clone)]
pub(in crate::raft) struct Contact {
    start: Instant,
    /// Milliseconds from `start`, plus one; 0 for never.
    last: Arc<AtomicU64>,
}

impl Contact {
    pub(in crate::raft) fn new() -> Self {
        Self { start: Instant::now(), last: Arc::default() }
    }

    fn touch(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.last.store(now + 1, Ordering::Relaxed);
    }

    pub(in crate::raft) fn within(&self, span: Duration) -> bool {
        match self.last.load(Ordering::Relaxed) {
            0 => false,
            last => self.start.elapsed() <= Duration::from_millis(last) + span,
        }
    }
}

#[derive(Debug)]
pub(in crate::raft) struct RaftService {
    pub(in crate::raft) raft: Raft,
    pub(in crate::raft) admission: Admission,
    pub(in crate::raft) contact: Contact,
    pub(in crate::raft) folder: SnapshotFolder,
    /// One snapshot comes in at a time: a second leader's waits, and finds the first one outdated.
    pub(in crate::raft) receiving: Mutex<()>,
}

fn failed(error: impl std::fmt::Display) -> Status {
    Status::unavailable(error.to_string())
}

fn invalid(error: Unreadable) -> Status {
    Status::invalid_argument(error.to_string())
}

type Replies = Pin<Box<dyn Stream<Item = Result<rpc::AppendReply, Status>> + Send>>;

#[tonic::async_trait]
impl raft_server::Raft for RaftService {
    type AppendStream = Replies;

    async fn append(
        &self,
        request: Request<Streaming<rpc::AppendRequest>>,
    ) -> Result<Response<Replies>, Status> {
        self.admission.check(&request)?;
        let requests = readable(request.into_inner(), self.contact.clone());
        let replies = self.raft.stream_append(Box::pin(requests)).map(|reply| match reply {
            Ok(reply) => Ok(codec::append_reply_to_pb(&reply)),
            Err(fatal) => Err(failed(fatal)),
        });
        Ok(Response::new(Box::pin(replies)))
    }

    async fn vote(&self, request: Request<rpc::VoteRequest>) -> Result<Response<rpc::VoteReply>, Status> {
        self.admission.check(&request)?;
        let request = codec::vote_request_from_pb(request.into_inner()).map_err(invalid)?;
        let reply = self.raft.vote(request).await.map_err(failed)?;
        Ok(Response::new(codec::vote_reply_to_pb(&reply)))
    }

    async fn pre_vote(&self, request: Request<rpc::VoteRequest>) -> Result<Response<rpc::VoteReply>, Status> {
        self.admission.check(&request)?;
        let request = codec::vote_request_from_pb(request.into_inner()).map_err(invalid)?;
        let reply = self.raft.pre_vote(request).await.map_err(failed)?;
        Ok(Response::new(codec::vote_reply_to_pb(&reply)))
    }

    async fn transfer_leader(
        &self,
        request: Request<rpc::TransferLeaderRequest>,
    ) -> Result<Response<rpc::TransferLeaderReply>, Status> {
        self.admission.check(&request)?;
        let request = codec::transfer_from_pb(request.into_inner()).map_err(invalid)?;
        let reply = self.raft.handle_transfer_leader(request).await.map_err(failed)?;
        Ok(Response::new(codec::transfer_reply_to_pb(&reply)))
    }

    async fn snapshot(
        &self,
        request: Request<Streaming<rpc::SnapshotChunk>>,
    ) -> Result<Response<rpc::SnapshotReply>, Status> {
        self.admission.check(&request)?;
        let _one = self.receiving.lock().await;
        let (vote, snapshot) = self.receive(request.into_inner()).await?;
        let reply = self.raft.install_full_snapshot(vote, snapshot).await.map_err(failed)?;
        Ok(Response::new(rpc::SnapshotReply { vote: Some(codec::vote_to_pb(&reply.vote)) }))
    }
}

/// The requests up to the first one that cannot be read: the stream then ends, and the leader opens another.
fn readable(
    requests: Streaming<rpc::AppendRequest>,
    contact: Contact,
) -> impl Stream<Item = AppendEntriesRequest<TypeConfig>> + Send {
    futures::stream::unfold((requests, contact), |(mut requests, contact)| async move {
        let request = requests.message().await.ok()??;
        match codec::append_from_pb(request) {
            Ok(request) => {
                contact.touch();
                Some((request, (requests, contact)))
            }
            Err(error) => {
                tracing::error!(%error, "cannot read entries of the leader; this coordinator needs a newer version");
                None
            }
        }
    })
}

impl RaftService {
    async fn receive(&self, mut chunks: Streaming<rpc::SnapshotChunk>) -> Result<(Vote, Snapshot), Status> {
        use rpc::snapshot_chunk::Kind;
        let Some(Kind::Head(head)) = chunks.message().await?.and_then(|chunk| chunk.kind) else {
            return Err(Status::invalid_argument("a snapshot begins with its head"));
        };
        let Head { vote, meta, total, digest } = Head::read(head)?;
        let mut incoming = self.folder.receive().map_err(failed)?;
        while let Some(chunk) = chunks.message().await? {
            let Some(Kind::Data(data)) = chunk.kind else {
                return Err(Status::invalid_argument("after its head a snapshot is data"));
            };
            // A leader sends it: its appends would not come in meanwhile.
            self.contact.touch();
            incoming = write(incoming, data).await?;
            if incoming.length() > total {
                return Err(Status::invalid_argument("the snapshot is longer than announced"));
            }
        }
        let finished = tokio::task::spawn_blocking(move || incoming.finish(digest)).await.map_err(failed)?;
        let snapshot: SnapshotFile = finished.map_err(|error| Status::data_loss(error.to_string()))?;
        Ok((vote, Snapshot { meta, snapshot }))
    }
}

async fn write(mut incoming: Incoming, data: bytes::Bytes) -> Result<Incoming, Status> {
    let written = tokio::task::spawn_blocking(move || incoming.write(&data).map(|()| incoming));
    written.await.map_err(failed)?.map_err(failed)
}

struct Head {
    vote: Vote,
    meta: SnapshotMeta,
    total: u64,
    digest: Digest,
}

impl Head {
    fn read(head: rpc::SnapshotHead) -> Result<Self, Status> {
        let meta = head.meta.ok_or_else(|| Status::invalid_argument("the head has no meta data"))?;
        let digest = head.sha256.as_ref().try_into().map(Digest);
        if head.total_bytes > SNAPSHOT_BYTES {
            return Err(Status::invalid_argument("the snapshot is larger than any state can be"));
        }
        Ok(Self {
            vote: codec::vote_from_pb(head.vote).map_err(invalid)?,
            meta: codec::snapshot_meta_from_pb(meta).map_err(invalid)?,
            total: head.total_bytes,
            digest: digest.map_err(|_| Status::invalid_argument("the head has no digest"))?,
        })
    }
}
