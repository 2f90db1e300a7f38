//! Docker's swarm calls, one function each. Every address is pinned; nothing is left to the engine's guess.

use std::net::IpAddr;

use bollard::Docker;
use bollard::models::{SwarmInitRequest, SwarmJoinRequest};
use bollard::query_parameters::{DeleteNodeOptions, LeaveSwarmOptions, ListNodesOptions, UpdateNodeOptions};

use super::{EngineError, EngineErrorKind, Join, Node, NodeChange, Swarm, translate};
use skep_types::Secret;

/// Managers may be reached on every address of the host; which one is told to others is pinned by `advertise`.
const LISTEN: &str = "0.0.0.0:2377";
/// Of one node change: another writer gets in between the read and the write seldom, and never for long.
const UPDATE_TRIES: usize = 5;

pub(super) async fn nodes(client: Docker) -> Result<Vec<Node>, EngineError> {
    let nodes = client.list_nodes(None::<ListNodesOptions>).await?;
    let mut nodes: Vec<Node> = nodes.into_iter().filter_map(translate::node).collect();
    // Docker's order is by chance; a changed order is no change.
    nodes.sort_by(|a, b| a.node_id.cmp(&b.node_id));
    Ok(nodes)
}

pub(super) async fn swarm(client: Docker) -> Result<Swarm, EngineError> {
    let swarm = client.inspect_swarm().await?;
    let token = swarm.join_tokens.and_then(|tokens| tokens.worker);
    let (Some(id), Some(token)) = (swarm.id, token) else {
        return Err(EngineError::new(
            EngineErrorKind::Unknown,
            "the engine described a swarm without id or token",
        ));
    };
    Ok(Swarm { id, worker_token: Secret::new(token) })
}

pub(super) async fn init(client: Docker, advertise: IpAddr) -> Result<(), EngineError> {
    let request = SwarmInitRequest {
        listen_addr: Some(LISTEN.to_owned()),
        advertise_addr: Some(advertise.to_string()),
        ..Default::default()
    };
    client.init_swarm(request).await?;
    Ok(())
}

pub(super) async fn join(client: Docker, join: Join) -> Result<(), EngineError> {
    let request = SwarmJoinRequest {
        listen_addr: Some(LISTEN.to_owned()),
        advertise_addr: Some(join.advertise.to_string()),
        remote_addrs: Some(join.managers),
        join_token: Some(join.token.reveal().to_owned()),
        ..Default::default()
    };
    Ok(client.join_swarm(request).await?)
}

pub(super) async fn leave(client: Docker, force: bool) -> Result<(), EngineError> {
    Ok(client.leave_swarm(Some(LeaveSwarmOptions { force })).await?)
}

/// Read, change, write with the version read; again where somebody else wrote in between.
pub(super) async fn update_node(client: Docker, change: NodeChange) -> Result<(), EngineError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let node = client.inspect_node(&change.node_id).await?;
        let version =
            node.version.and_then(|version| version.index).and_then(|index| i64::try_from(index).ok());
        let (Some(spec), Some(version)) = (node.spec, version) else {
            return Err(EngineError::new(
                EngineErrorKind::Unknown,
                "the engine described a node without spec",
            ));
        };
        let wanted = translate::changed_spec(spec.clone(), &change);
        if wanted == spec {
            return Ok(());
        }
        match client.update_node(&change.node_id, wanted, UpdateNodeOptions { version }).await {
            Err(error) if tries < UPDATE_TRIES && out_of_sequence(&error) => {}
            result => return Ok(result?),
        }
    }
}

/// Docker has no code for it: 500 like any fault, told apart by this text alone. Taking another fault for it costs a
/// few more tries of an idempotent call; the reverse costs a failed permit.
fn out_of_sequence(error: &bollard::errors::Error) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code: 500, message }
        if message.contains("out of sequence"))
}

pub(super) async fn remove_node(client: Docker, node_id: String, force: bool) -> Result<(), EngineError> {
    match client.delete_node(&node_id, Some(DeleteNodeOptions { force })).await.map_err(EngineError::from) {
        Err(error) if error.kind == EngineErrorKind::NotFound => Ok(()),
        result => result,
    }
}
