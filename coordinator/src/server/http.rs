//! The few GETs: whether this process lives, whether it can serve, its metrics, and the agent binary.

use std::io::ErrorKind;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use skep_tls::wall_now;
use skep_types::PersonRole;
use tokio_util::io::ReaderStream;

use crate::agent_binaries::{AgentBinaries, digest};
use crate::api::PeerCertificates;
use crate::context::Context;
use crate::metrics::Metrics;
use crate::trust::Caller;

#[derive(Debug, Clone)]
pub struct HttpState {
    pub context: Context,
    pub metrics: Arc<Metrics>,
    pub agent: AgentBinaries,
}

pub(super) fn router(state: HttpState) -> Router {
    let agents = agents(state.agent.clone());
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(state)
        .merge(agents)
}

fn agents(binaries: AgentBinaries) -> Router {
    Router::new().route("/agent/{sha256}", get(agent)).with_state(binaries)
}

/// Ready: a linearizable read works, so this coordinator can answer anything.
async fn ready(State(state): State<HttpState>) -> Response {
    match state.context.raft.read().await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}

async fn metrics(State(state): State<HttpState>, request: Request) -> Response {
    if let Err(status) = viewer(&state.context, &request) {
        return status.into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    (kind, state.metrics.render(&state.context)).into_response()
}

/// Names of hosts and people stand in no metric, but who runs what is nobody else's business either.
fn viewer(context: &Context, request: &Request) -> Result<(), StatusCode> {
    let peer = request.extensions().get::<PeerCertificates>().ok_or(StatusCode::UNAUTHORIZED)?;
    let caller = Caller::of(peer.leaf(), &context.cluster, wall_now()).map_err(|_| StatusCode::FORBIDDEN)?;
    let Caller::Person { name, generation } = caller else { return Err(StatusCode::UNAUTHORIZED) };
    let state = context.raft.state();
    let person = state.people.get(&name).filter(|person| person.certificate_generation <= generation);
    match person {
        Some(person) if person.role.includes(PersonRole::Viewer) => Ok(()),
        _ => Err(StatusCode::FORBIDDEN),
    }
}

/// For anybody: it is no secret, and a host that boots has no certificate yet. The digest is in the address, so that a
/// host gets exactly what its intent froze, or nothing.
async fn agent(State(binaries): State<AgentBinaries>, Path(sha256): Path<String>) -> Response {
    let unknown = || (StatusCode::NOT_FOUND, "this coordinator serves other agents\n").into_response();
    let Some(digest) = digest(&sha256) else { return unknown() };
    match tokio::fs::File::open(binaries.path(digest)).await {
        Ok(file) => {
            let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
            (kind, Body::from_stream(ReaderStream::new(file))).into_response()
        }
        Err(error) if error.kind() == ErrorKind::NotFound => unknown(),
        Err(error) => {
            tracing::error!(%error, "the agent binary cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use skep_types::Digest;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_host_gets_the_agent_that_its_intent_froze() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("skep-agent");
        let start = |version: &str| {
            std::fs::write(&file, version).unwrap();
            AgentBinaries::keep(&folder.path().join("agents"), &file).unwrap()
        };
        let frozen = start("v1").present;
        let upgraded = start("v2");
        let get = async |name: String| {
            let request = Request::get(format!("/agent/{name}")).body(Body::empty()).unwrap();
            let response = agents(upgraded.clone()).oneshot(request).await.unwrap();
            let status = response.status();
            (status, to_bytes(response.into_body(), 1024).await.unwrap())
        };
        assert_eq!(get(frozen.to_string()).await, (StatusCode::OK, "v1".into()));
        assert_eq!(get(upgraded.present.to_string()).await, (StatusCode::OK, "v2".into()));
        for other in [Digest([7; 32]).to_string(), "..%2fskep-agent".to_owned(), "agent".to_owned()] {
            assert_eq!(get(other).await.0, StatusCode::NOT_FOUND);
        }
    }
}
