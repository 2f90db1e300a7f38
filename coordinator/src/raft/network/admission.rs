//! Who may speak here: coordinators of this cluster that were not removed.

use std::sync::Arc;

use rustls::{ClientConfig, ServerConfig};
use skep_tls::{Certificate, Subject};
use skep_types::{ClusterId, CoordinatorId};
use tokio::sync::watch;
use tonic::Status;

use crate::raft::state_machine::Published;

/// Both directions of the raft issuer's TLS: certified peers only.
#[derive(Debug, Clone)]
pub struct RaftTls {
    pub server: Arc<ServerConfig>,
    pub client: Arc<ClientConfig>,
}

/// Whom a connection speaks for, proven by its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer(pub(super) CoordinatorId);

/// The coordinator a certificate names; None for anybody else, and for other clusters.
pub(super) fn coordinator_of(certificate: &[u8], cluster: &ClusterId) -> Option<CoordinatorId> {
    let identity = Certificate::from_der(certificate).ok()?.identity?;
    match identity.subject {
        Subject::Coordinator(id) if identity.cluster == *cluster => Some(id),
        Subject::Coordinator(_) | Subject::Host { .. } | Subject::Person { .. } => None,
    }
}

/// Checks each call against the current membership.
#[derive(Debug, Clone)]
pub(in crate::raft) struct Admission {
    published: watch::Receiver<Arc<Published>>,
}

impl Admission {
    pub(in crate::raft) fn new(published: watch::Receiver<Arc<Published>>) -> Self {
        Self { published }
    }

    pub(super) fn check<T>(&self, request: &tonic::Request<T>) -> Result<CoordinatorId, Status> {
        let peer = request.extensions().get::<Peer>();
        let Peer(id) =
            peer.ok_or_else(|| Status::unauthenticated("the connection has no coordinator's identity"))?;
        if admits(&self.published.borrow(), *id) {
            return Ok(*id);
        }
        tracing::warn!(peer = %id, "refused a coordinator that is no member");
        Err(Status::permission_denied(format!("coordinator {id} is not a member of this cluster")))
    }
}

/// Members, and ids that were given out later than this coordinator's state knows of: one that was away finds its
/// peers changed, and has to hear them to learn so. Ids are never given out twice, so a removed one stays out.
fn admits(published: &Published, id: CoordinatorId) -> bool {
    let member = published.membership.get_node(&id.0).is_some();
    member || id.0 > published.state.last_coordinator || being_added(published, id)
}

/// Between its redemption of a join token and its first entry of the membership.
fn being_added(published: &Published, id: CoordinatorId) -> bool {
    published.state.coordinators.get(&id).is_some_and(|coordinator| !coordinator.removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::types::{Membership, Node, StoredMembership};

    #[test]
    fn members_and_newer_ones_are_admitted_and_removed_ones_are_not() {
        let node = |id| (id, Node::default());
        let membership = Membership::from(std::collections::BTreeMap::from([node(1), node(3)]));
        let mut published =
            Published { membership: StoredMembership::new(None, membership), ..Default::default() };
        published.state.last_coordinator = 4;
        let admitted: Vec<u64> = (1..=6).filter(|id| admits(&published, CoordinatorId(*id))).collect();
        assert_eq!(admitted, [1, 3, 5, 6]);
    }
}
