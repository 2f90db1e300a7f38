//! The calls behind an assignment.

use crate::engine::{Engine, EngineError, LocalNode};
use crate::error::chain;
use crate::permit::{Done, Work};

/// Makes the call. An Err is for people: what really happened is for the engine's state to say.
pub(super) async fn act(engine: &dyn Engine, work: &Work) -> Result<(), String> {
    match work {
        Work::Init { advertise } => engine.init(*advertise).await.map_err(|error| chain(&error)),
        // An engine that repeats what it was sent must not make the token public.
        Work::Join { join, .. } => {
            engine.join(join).await.map_err(|error| chain(&error).replace(join.token.reveal(), "[redacted]"))
        }
        Work::Leave { force } => engine.leave(*force).await.map_err(|error| chain(&error)),
        Work::UpdateNodes(changes) => {
            for change in changes {
                let done = engine.update_node(change).await;
                done.map_err(|error| format!("node {}: {}", change.node_id, chain(&error)))?;
            }
            Ok(())
        }
        Work::RemoveNodes { node_ids, force } => {
            for node_id in node_ids {
                let done = engine.remove_node(node_id, *force).await;
                done.map_err(|error| format!("node {node_id}: {}", chain(&error)))?;
            }
            Ok(())
        }
    }
}

/// What is told of work that the engine's state shows done.
pub(super) async fn complete(engine: &dyn Engine, work: &Work, node: LocalNode) -> Result<Done, EngineError> {
    match work {
        Work::Init { .. } => {
            let swarm = engine.swarm().await?;
            Ok(Done { node_id: node.node_id, swarm_id: swarm.id, worker_token: Some(swarm.worker_token) })
        }
        Work::Join { swarm_id, .. } => {
            Ok(Done { node_id: node.node_id, swarm_id: swarm_id.clone(), worker_token: None })
        }
        Work::Leave { .. } | Work::UpdateNodes(_) | Work::RemoveNodes { .. } => Ok(Done::default()),
    }
}
