//! Who may call: a layer over every service of the control port that admits what the role table allows, and nothing
//! else.
//!
//! ```text
//! path ── role table ──► access ┐
//! peer's certificate ──► caller ┼─► allowed? ──► the service, with an Actor
//! replicated state ──► role ────┘       └─────► PERMISSION_DENIED or UNAUTHENTICATED
//! ```

mod actor;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use skep_core::State;
use skep_tls::wall_now;
use skep_types::{ClusterId, Code, HostId, Refusal};
use tower::{Layer, Service};

use super::peer::PeerCertificates;
use super::status::status;
use crate::trust::{Access, Caller, access};
pub use actor::Actor;
use actor::role_of;

/// Where the layer looks up who is who now.
#[async_trait]
pub trait LiveState: Clone + Send + Sync + 'static {
    /// As this coordinator knows it; may be behind.
    fn local(&self) -> State;

    /// As it is now.
    async fn newest(&self) -> Result<State, Refusal>;
}

/// The layer. Requests reach it with [`PeerCertificates`] and leave it with the [`Caller`], and an [`Actor`] if the
/// caller is a person.
#[derive(Debug, Clone)]
pub struct Authorize<L> {
    cluster: ClusterId,
    live: L,
}

impl<L: LiveState> Authorize<L> {
    pub fn new(cluster: ClusterId, live: L) -> Self {
        Self { cluster, live }
    }

    async fn admit(
        &self,
        path: &str,
        peer: Option<&PeerCertificates>,
    ) -> Result<(Caller, Option<Actor>), Refusal> {
        let access = access(path)
            .ok_or_else(|| Refusal::new(Code::Forbidden, format!("{path} is open to nobody here")))?;
        if access == Access::Anonymous {
            return Ok((Caller::Anonymous, None));
        }
        let peer =
            peer.ok_or_else(|| Refusal::new(Code::Internal, "the listener did not say who is calling"))?;
        let caller = Caller::of(peer.leaf(), &self.cluster, wall_now())?;
        if allowed(access, &caller, &self.live.local()).is_err() {
            // This coordinator may be behind: one that was admitted a moment ago elsewhere is not turned away.
            allowed(access, &caller, &self.live.newest().await?)?;
        }
        let actor = Actor::new(&caller, path, peer.address);
        Ok((caller, actor))
    }
}

fn allowed(access: Access, caller: &Caller, state: &State) -> Result<(), Refusal> {
    let role = match caller {
        Caller::Person { name, generation } => role_of(state, name, *generation),
        Caller::Anonymous | Caller::Host { .. } | Caller::Coordinator(_) => None,
    };
    access.check(caller, role)?;
    match caller {
        Caller::Host { id, incarnation, key, .. } if !lives(state, *id, *incarnation, *key) => {
            Err(Refusal::new(Code::Unauthenticated, format!("{id} is gone, or was enrolled anew")))
        }
        _ => Ok(()),
    }
}

/// Whether the host is still the one the certificate was given to.
fn lives(state: &State, id: HostId, incarnation: u32, key: skep_types::Digest) -> bool {
    state.host(id).is_some_and(|host| {
        let enrolled = host.enrolment.is_some_and(|enrolment| enrolment.key == Some(key));
        host.incarnation == incarnation && enrolled
    })
}

impl<S, L: LiveState> Layer<S> for Authorize<L> {
    type Service = Authorized<S, L>;

    fn layer(&self, inner: S) -> Self::Service {
        Authorized { inner, rule: self.clone() }
    }
}

/// A service behind the layer.
#[derive(Debug, Clone)]
pub struct Authorized<S, L> {
    inner: S,
    rule: Authorize<L>,
}

impl<S, L, B, R> Service<http::Request<B>> for Authorized<S, L>
where
    S: Service<http::Request<B>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    L: LiveState,
    B: Send + 'static,
    R: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        // The service that was polled ready is the one to call; its copy is for the next request.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let rule = self.rule.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let peer = request.extensions().get::<PeerCertificates>().cloned();
            match rule.admit(&path, peer.as_ref()).await {
                Ok((caller, actor)) => {
                    request.extensions_mut().insert(caller);
                    if let Some(actor) = actor {
                        request.extensions_mut().insert(actor);
                    }
                    inner.call(request).await
                }
                Err(refusal) => {
                    tracing::info!(method = path, peer = ?peer.map(|peer| peer.address), %refusal, "call refused");
                    Ok(status(&refusal).into_http())
                }
            }
        })
    }
}

#[cfg(test)]
mod tests;
