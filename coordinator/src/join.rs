//! Makes this machine one more coordinator of a cluster that is there, by a one-time token.
//!
//! The token holds the digest of the cluster's control root, so the first connection already knows whom to trust. The
//! leader finds the new record and takes it into the raft group; `skepd run` then starts empty and learns.

use bytes::Bytes;
use skep_proto::v1::cluster_client::ClusterClient;
use skep_proto::v1::{JoinReply, JoinRequest};
use skep_tls::{ALPN_GRPC, ServerTrust, Swap, client_config, connector};
use skep_types::{ClusterId, CoordinatorId, Secret};
use tonic::transport::Endpoint;

use crate::layout::{Addresses, Layout, LayoutError, Member, World};
use crate::raft::{self, FileDisk, RaftConfig, StartError};
use crate::trust::{ClusterKey, JoinToken, ParseTokenError};

#[derive(Debug)]
pub struct Options {
    pub layout: Layout,
    pub addresses: Addresses,
    pub token: Secret,
    /// Control address of any coordinator, HOST:PORT.
    pub peer: String,
}

#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error("the token cannot be used")]
    Token(#[from] ParseTokenError),
    #[error("{peer} cannot be reached, or is not of the token's cluster")]
    Connect { peer: String, source: tonic::transport::Error },
    #[error("{peer:?} is no address; write HOST:PORT")]
    Peer { peer: String },
    #[error("the cluster refused: {}", .0.message())]
    Refused(#[source] Box<tonic::Status>),
    #[error("the log could not be made")]
    Log(#[from] StartError),
    #[error("the cluster's answer has no usable {0}")]
    Answer(&'static str),
}

/// The coordinator's folder is whole when this returns. A call that was cut off is made again, with the same token.
pub async fn join(options: Options) -> Result<Member, JoinError> {
    let Options { layout, addresses, token, peer } = options;
    let token: JoinToken = token.reveal().parse()?;
    layout.create()?;
    let request = JoinRequest {
        token: token.secret.text().reveal().to_owned(),
        address: addresses.advertise.clone(),
        raft_address: addresses.raft_advertise.clone(),
        control_signing_request: signing_request(&layout, World::Control)?,
        raft_signing_request: signing_request(&layout, World::Raft)?,
    };
    let reply = ask(&token, &peer, request).await?;
    save(&layout, addresses, reply)
}

fn signing_request(layout: &Layout, world: World) -> Result<Bytes, LayoutError> {
    Ok(layout.key(world)?.signing_request_der()?.into())
}

async fn ask(token: &JoinToken, peer: &str, request: JoinRequest) -> Result<JoinReply, JoinError> {
    let tls = client_config(ServerTrust::RootDigest(token.root), &Swap::empty(), ALPN_GRPC)
        .map_err(LayoutError::from)?;
    let endpoint = Endpoint::from_shared(format!("http://{peer}"))
        .map_err(|_| JoinError::Peer { peer: peer.to_owned() })?;
    let channel = endpoint
        .connect_with_connector(connector(tls))
        .await
        .map_err(|source| JoinError::Connect { peer: peer.to_owned(), source })?;
    let reply = ClusterClient::new(channel).join(request).await;
    reply.map(tonic::Response::into_inner).map_err(|status| JoinError::Refused(Box::new(status)))
}

fn save(layout: &Layout, addresses: Addresses, reply: JoinReply) -> Result<Member, JoinError> {
    let cluster: ClusterId = reply.cluster.parse().map_err(|_| JoinError::Answer("cluster id"))?;
    layout.save_certificate(World::Control, &reply.control_certificate)?;
    layout.save_root(World::Control, &reply.control_ca)?;
    layout.save_certificate(World::Raft, &reply.raft_certificate)?;
    layout.save_root(World::Raft, &reply.raft_ca)?;
    let key = ClusterKey::from_bytes(&reply.cluster_key).map_err(LayoutError::from)?;
    layout.save_cluster_key(&key)?;
    let member = Member { cluster, coordinator: CoordinatorId(reply.coordinator_id), addresses };
    create_log(layout, &member)?;
    layout.save_member(&member)?;
    Ok(member)
}

/// An empty log that knows whose it is: an id whose log was lost is never used again.
fn create_log(layout: &Layout, member: &Member) -> Result<(), JoinError> {
    layout.clear_log()?;
    let config = RaftConfig::new(member.coordinator, member.cluster.clone(), layout.raft());
    Ok(raft::create(&config, &FileDisk)?)
}
