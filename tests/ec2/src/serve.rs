//! The proxy's port. A reply is lost by closing the connection, as a network does it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::account::{Account, Reply};
use crate::upstream::BODY_BYTES;
use crate::{WorldError, xml};

/// Until `shutdown`; then every connection is dropped.
pub(crate) async fn serve(account: Arc<Account>, listener: TcpListener, shutdown: CancellationToken) {
    let connections = TaskTracker::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let Ok((stream, _)) = accepted else { continue };
        let connection = one(Arc::clone(&account), stream);
        let until = shutdown.clone();
        connections.spawn(async move { until.run_until_cancelled(connection).await });
    }
    connections.close();
    connections.wait().await;
}

async fn one(account: Arc<Account>, stream: TcpStream) {
    let service = tower::service_fn(move |request: Request<_>| {
        let account = Arc::clone(&account);
        async move { answer(&account, request.map(Body::new)).await }
    });
    let builder = Builder::new(TokioExecutor::new()).http1_only();
    // Ends with an error where a reply was lost, and that is what it is for.
    builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await.ok();
}

#[derive(Debug, thiserror::Error)]
#[error("the reply was lost on purpose")]
struct Lost;

async fn answer(account: &Arc<Account>, request: Request<Body>) -> Result<Response<Body>, Lost> {
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let reply = match axum::body::to_bytes(request.into_body(), BODY_BYTES).await {
        // A caller that goes away takes its reply with it, and not what it asked for.
        Ok(body) => {
            let account = Arc::clone(account);
            let (sender, told) = oneshot::channel();
            tokio::spawn(async move {
                let reply = account.handle(&authorization, &body).await;
                if let Err(Ok(unheard)) = sender.send(reply) {
                    account.nobody_heard(&body, &unheard);
                }
            });
            told.await.unwrap_or_else(|_| Err(std::io::Error::other("the call ended without a reply").into()))
        }
        Err(error) => Err(WorldError::from(error)),
    };
    let (status, xml) = match reply {
        Ok(Reply::Answer { status, xml }) => (status, xml),
        Ok(Reply::Lost) => return Err(Lost),
        Err(error) => {
            warn!(%error, "the emulated EC2 failed");
            (500, xml::refusal("InternalError", &error.to_string()))
        }
    };
    let mut response = Response::new(Body::from(xml));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok(response)
}
