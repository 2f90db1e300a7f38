//! Swarms.

use serde_json::{Value, json};
use skep_proto::v1::Swarm;

pub(crate) fn swarm(swarm: &Swarm) -> Value {
    json!({
        "id": swarm.id,
        "name": swarm.name,
        "revision": swarm.revision,
        "state": swarm.state,
        "docker_id": swarm.docker_id,
        "managers": swarm.managers,
        "managers_ready": swarm.managers_ready,
        "workers": swarm.workers,
        "workers_ready": swarm.workers_ready,
        "foreign_nodes": swarm.foreign_nodes,
        "leader": swarm.leader,
        "age_ms": swarm.age_ms,
    })
}
