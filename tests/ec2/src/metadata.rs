//! The metadata that instances ask for: version 2, with tokens, and to each its own, told by where it calls from.
//!
//! Machines reach it at EC2's own address, which each of them leads here by itself: see [`crate::hosts`].

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::serve::ListenerExt;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use crate::WorldError;
use crate::identity::{Identity, Of, document};

const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN: &str = "x-aws-ec2-metadata-token";
/// Six hours, says EC2.
const TTL_SECONDS_MAX: u64 = 21_600;
/// Answers do not leave the machine that asked: containers on it get none.
const HOPS: u32 = 1;

/// What instances are shown for their identity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Documents {
    #[default]
    Signed,
    /// By a key that nobody trusts.
    Forged,
    Missing,
}

/// Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Metadata {
    shared: Arc<Shared>,
    address: SocketAddr,
    _server: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Shared {
    identity: Identity,
    stranger: Identity,
    state: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    instances: HashMap<IpAddr, Instance>,
    /// With whom each was given to, and its end.
    tokens: HashMap<String, (IpAddr, Instant)>,
    documents: Documents,
}

#[derive(Debug, Clone)]
struct Instance {
    id: String,
    pending: Timestamp,
}

impl Metadata {
    /// Listens where the machines' network meets this one.
    pub(crate) async fn start(gateway: Ipv4Addr) -> Result<Self, WorldError> {
        let (identity, stranger) = (Identity::generate()?, Identity::generate()?);
        let shared = Arc::new(Shared { identity, stranger, state: Mutex::default() });
        let listener = TcpListener::bind((gateway, 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, address, _server: AbortOnDropHandle::new(server) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    pub(crate) fn document(&self, instance: &str) -> Result<String, WorldError> {
        let now = Timestamp::now();
        let of = Of { instance, address: Ipv4Addr::LOCALHOST, pending: now };
        Ok(self.shared.identity.signed(&document(&of), now)?)
    }

    pub(crate) fn show(&self, documents: Documents) {
        self.shared.known().documents = documents;
    }

    /// The instance is started, and calls from there.
    pub(crate) fn started(&self, instance: &str, at: Ipv4Addr) {
        let started = Instance { id: instance.to_owned(), pending: Timestamp::now() };
        self.shared.known().instances.insert(at.into(), started);
    }

    pub(crate) fn gone(&self, instances: &[String]) {
        self.shared.known().instances.retain(|_, known| !instances.contains(&known.id));
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instance that calls from there with a token of its own.
    fn admits(&self, peer: IpAddr, headers: &HeaderMap) -> Result<Instance, StatusCode> {
        let known = self.known();
        let token = headers.get(TOKEN).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let good =
            known.tokens.get(token).is_some_and(|(owner, end)| *owner == peer && Instant::now() < *end);
        if !good {
            return Err(StatusCode::UNAUTHORIZED);
        }
        known.instances.get(&peer).cloned().ok_or(StatusCode::NOT_FOUND)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let routes = Router::new()
        .route("/latest/api/token", put(token))
        .route("/latest/meta-data/instance-id", get(instance_id))
        .route("/latest/dynamic/instance-identity/document", get(plain))
        .route("/latest/dynamic/instance-identity/rsa2048", get(signed))
        .with_state(shared)
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|stream: &mut TcpStream| {
        if let Err(error) = stream.set_ttl(HOPS) {
            warn!(%error, "metadata may travel further than it should");
        }
    });
    if let Err(error) = axum::serve(listener, routes).await {
        warn!(%error, "metadata is answered no more");
    }
}

type Caller = ConnectInfo<SocketAddr>;

async fn token(State(shared): State<Arc<Shared>>, caller: Caller, headers: HeaderMap) -> Response {
    if headers.contains_key("x-forwarded-for") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let asked = headers.get(TTL).and_then(|value| value.to_str().ok()?.parse().ok());
    let Some(seconds @ 1..=TTL_SECONDS_MAX) = asked else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let token: String = (0..56).map(|_| fastrand::alphanumeric()).collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    shared.known().tokens.insert(token.clone(), (caller.ip(), end));
    ([(TTL, seconds.to_string())], token).into_response()
}

async fn instance_id(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    Ok(shared.admits(caller.ip(), &headers)?.id)
}

async fn plain(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    let instance = shared.admits(caller.ip(), &headers)?;
    of(&instance, caller.ip()).ok_or(StatusCode::NOT_FOUND)
}

async fn signed(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    let instance = shared.admits(caller.ip(), &headers)?;
    let documents = shared.known().documents;
    let signer = match documents {
        Documents::Signed => &shared.identity,
        Documents::Forged => &shared.stranger,
        Documents::Missing => return Err(StatusCode::NOT_FOUND),
    };
    let document = of(&instance, caller.ip()).ok_or(StatusCode::NOT_FOUND)?;
    signer.signed(&document, instance.pending).map_err(|error| {
        warn!(%error, "an identity document was not signed");
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

fn of(instance: &Instance, at: IpAddr) -> Option<String> {
    let IpAddr::V4(address) = at else { return None };
    Some(document(&Of { instance: &instance.id, address, pending: instance.pending }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    use super::*;

    const IDENTITY: &str = "/latest/dynamic/instance-identity/rsa2048";

    /// The status and the text of an answer.
    async fn ask(metadata: &Metadata, method: &str, path: &str, header: (&str, &str)) -> (u16, String) {
        let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::builder().method(method).uri(format!("http://{}{path}", metadata.address()));
        let request = request.header(header.0, header.1).body(Body::empty()).unwrap();
        let answer = client.request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(Body::new(answer.into_body()), 16 * 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_instance_is_told_who_it_is_for_a_token() {
        let metadata = Metadata::start(Ipv4Addr::LOCALHOST).await.unwrap();
        assert_eq!(ask(&metadata, "GET", IDENTITY, (TOKEN, "")).await.0, 401);
        for ttl in ["", "0", "21601", "x"] {
            assert_eq!(ask(&metadata, "PUT", "/latest/api/token", (TTL, ttl)).await.0, 400, "{ttl}");
        }
        let (status, token) = ask(&metadata, "PUT", "/latest/api/token", (TTL, "60")).await;
        assert_eq!(status, 200);
        assert_eq!(ask(&metadata, "GET", IDENTITY, (TOKEN, &token)).await.0, 404, "no instance is there");
        metadata.started("i-0abc", Ipv4Addr::LOCALHOST);
        let instance = ask(&metadata, "GET", "/latest/meta-data/instance-id", (TOKEN, &token)).await;
        assert_eq!(instance, (200, "i-0abc".to_owned()));
        let (status, document) = ask(&metadata, "GET", IDENTITY, (TOKEN, &token)).await;
        assert!(status == 200 && document.starts_with("MIAGCSqGSIb3DQEHAqCAMIACAQExDzANBglghkgBZQMEAgEFAD"));
        metadata.show(Documents::Missing);
        assert_eq!(ask(&metadata, "GET", IDENTITY, (TOKEN, &token)).await.0, 404);
        metadata.gone(&["i-0abc".to_owned()]);
        assert_eq!(ask(&metadata, "GET", "/latest/meta-data/instance-id", (TOKEN, &token)).await.0, 404);
    }
}
