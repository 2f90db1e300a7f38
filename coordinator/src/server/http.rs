//! The few GETs: whether this process lives, whether it can serve, its metrics, and the agent binary.

use std::path::PathBuf;
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

use crate::api::PeerCertificates;
use crate::context::Context;
use crate::metrics::Metrics;
use crate::trust::Caller;

/// The agent that hosts download: a file, named by its digest.
#[derive(Debug, Clone)]
pub struct AgentBinary {
    pub path: PathBuf,
    pub sha256: skep_types::Digest,
}

#[derive(Debug, Clone)]
pub struct HttpState {
    pub context: Context,
    pub metrics: Arc<Metrics>,
    pub agent: AgentBinary,
}

pub(super) fn router(state: HttpState) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/agent/{sha256}", get(agent))
        .with_state(state)
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
async fn agent(State(state): State<HttpState>, Path(sha256): Path<String>) -> Response {
    if sha256 != state.agent.sha256.to_string() {
        return (StatusCode::NOT_FOUND, "this coordinator serves another agent\n").into_response();
    }
    match tokio::fs::File::open(&state.agent.path).await {
        Ok(file) => {
            let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
            (kind, Body::from_stream(ReaderStream::new(file))).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the agent binary cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
