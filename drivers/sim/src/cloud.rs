//! The simulated cloud behind an API of its own, as a provider has one: for drivers in any language.
//!
//! ```text
//!  POST /v1/ACTION, JSON both ways
//!    ─► a place among the requests ─► the key ─► the whole body ─► actions ─► SimDriver ─► SimWorld
//!    ◄─ 200 with the answer · another status with {"error": …} · nothing, where the world loses a reply
//! ```
//! An effect is there when its request was read, also when the caller hangs up before the answer.

mod actions;
mod asked;
mod create;
mod problem;
mod shown;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use skep_types::{Secret, limits};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::SimDriver;
use crate::config::{IdempotencyClass, Naming};
use crate::world::SimWorld;
use actions::Actions;
use problem::{Problem, Refusal};

/// Each holds a connection and its body, and a create as long as its latency lasts.
const REQUESTS_MAX: usize = 256;
/// As long as a call of a driver program may be: nobody has more to hand on.
const BODY_BYTES_MAX: usize = limits::GRPC_MESSAGE_BYTES;
/// Who sends slower than this holds a place that others wait for.
const BODY_TIME: Duration = Duration::from_secs(10);
/// Requests under way may take this long to end, as calls of the driver program may.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    #[error("{0} can be reached from elsewhere: that needs a key")]
    Open(SocketAddr),
    #[error("the cloud's creates have tokens and names: idempotency must be token, and naming named")]
    Unfit,
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the connections cannot be served")]
    Serve(#[from] std::io::Error),
}

/// A world's API, bound to an address.
#[derive(Debug)]
pub struct Cloud {
    listener: TcpListener,
    world: Arc<SimWorld>,
    key: Option<Secret>,
}

impl Cloud {
    /// With a `key`, every request has to bear it; without one, nobody but this machine is served.
    pub async fn bind(
        address: SocketAddr,
        key: Option<Secret>,
        world: &Arc<SimWorld>,
    ) -> Result<Self, CloudError> {
        if key.is_none() && !address.ip().is_loopback() {
            return Err(CloudError::Open(address));
        }
        let config = world.config();
        if config.idempotency != IdempotencyClass::Token || config.naming != Naming::Named {
            return Err(CloudError::Unfit);
        }
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| CloudError::Listen { address, source })?;
        Ok(Self { listener, world: Arc::clone(world), key })
    }

    /// Where to find it: `http://ADDRESS:PORT`.
    pub fn endpoint(&self) -> Result<String, CloudError> {
        Ok(format!("http://{}", self.listener.local_addr()?))
    }

    pub async fn serve(self, shutdown: CancellationToken) -> Result<(), CloudError> {
        let actions = Actions::new(SimDriver::new(self.world));
        let door = Door { actions, key: self.key, places: Semaphore::new(REQUESTS_MAX) };
        let routes = Router::new()
            .route("/v1/{action}", post(answer))
            .fallback(no_such_action)
            .method_not_allowed_fallback(no_such_action)
            .with_state(Arc::new(door));
        let served =
            axum::serve(self.listener, routes).with_graceful_shutdown(shutdown.clone().cancelled_owned());
        let late = async {
            shutdown.cancelled().await;
            tokio::time::sleep(LAST_REQUESTS).await;
        };
        tokio::select! {
            served = served => Ok(served?),
            () = late => Ok(()),
        }
    }
}

/// What a request has to pass.
struct Door {
    actions: Actions,
    key: Option<Secret>,
    places: Semaphore,
}

async fn answer(State(door): State<Arc<Door>>, Path(action): Path<String>, request: Request) -> Response {
    match door.answer(&action, request).await {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(refusal) => refusal.into_response(),
    }
}

async fn no_such_action() -> Refusal {
    Problem::no_such_action().into()
}

impl Door {
    async fn answer(&self, action: &str, request: Request) -> Result<serde_json::Value, Refusal> {
        let _place = self.places.try_acquire().map_err(|_| Problem::busy(REQUESTS_MAX))?;
        if !self.lets_in(request.headers()) {
            return Err(Problem::unauthorised().into());
        }
        let body = whole(request.into_body()).await?;
        self.actions.run(action, &body).await
    }

    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let Some(key) = &self.key else { return true };
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        given.and_then(|value| value.strip_prefix("Bearer ")) == Some(key.reveal())
    }
}

async fn whole(body: Body) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, BODY_BYTES_MAX));
    match read.await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            Err(Problem::unread(format!("the body is cut off, or has over {BODY_BYTES_MAX} bytes")))
        }
        Err(_) => Err(Problem::unread(format!("the body took longer than {} s", BODY_TIME.as_secs()))),
    }
}

fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
