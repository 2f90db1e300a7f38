//! The public gRPC services: what people and their programs ask of a cluster, on any of its coordinators.
//!
//! ```text
//! request ─► authorize ─► service ─► convert ─► Request ─► propose ─► Operation      mutations
//!                            └─────► read (linearizable) ─► convert ─► message       the rest
//! ```
//!
//! One file per service. `convert` checks and translates, and knows no I/O; what the services share stands beside
//! them: `mutate` the way of a mutation, `paging` and `filter` of lists, `follow` of watches.

mod authorize;
mod cluster;
mod convert;
mod drivers;
mod dry_run;
mod events;
mod filter;
#[cfg(test)]
pub(crate) mod fixture;
mod follow;
mod hosts;
mod mutate;
mod operations;
mod paging;
mod peer;
pub mod status;
mod swarms;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use skep_core::State;
use skep_proto::v1::{
    cluster_server::ClusterServer, drivers_server::DriversServer, events_server::EventsServer,
    hosts_server::HostsServer, operations_server::OperationsServer, swarms_server::SwarmsServer,
};
use skep_types::{ClusterTime, CoordinatorId, Refusal, limits};
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};

use crate::context::Context;
use crate::raft::{Published, RaftHandle};
pub use authorize::{Actor, Authorize, LiveState};
pub use peer::PeerCertificates;

/// What is known of the coordinators beside their records: it changes too often for the log.
pub trait ClusterView: Send + Sync + Debug + 'static {
    /// Whether it is alive, and how many agent streams it holds, as far as is known here.
    fn sighting(&self, coordinator: CoordinatorId) -> (bool, u64);
}

/// All public services.
#[derive(Debug, Clone)]
struct Api {
    context: Context,
    view: Arc<dyn ClusterView>,
    stopping: CancellationToken,
}

/// The public services. Watches end when `stopping` is cancelled, so that their clients go on elsewhere.
pub fn services(context: &Context, view: Arc<dyn ClusterView>, stopping: CancellationToken) -> RoutesBuilder {
    let api = Api { context: context.clone(), view, stopping };
    let mut routes = RoutesBuilder::default();
    // A macro, as every generated server is a type of its own.
    macro_rules! add {
        ($($server:ident),*) => {
            $(routes.add_service(
                $server::new(api.clone())
                    .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES)
                    .max_encoding_message_size(limits::GRPC_MESSAGE_BYTES),
            );)*
        };
    }
    add!(HostsServer, OperationsServer, SwarmsServer, DriversServer, EventsServer, ClusterServer);
    routes
}

/// Whatever services, behind the authorization layer: what has no row in the role table is open to nobody.
pub fn authorized(context: &Context, routes: Routes) -> Routes {
    let layer = Authorize::new(context.cluster.clone(), context.raft.clone());
    Routes::from(routes.into_axum_router().layer(layer))
}

impl Api {
    /// The state as it is now, and the time to tell ages by.
    async fn read(&self) -> Result<(Arc<Published>, ClusterTime), Refusal> {
        // Boxed, here and at proposals: the future of a forwarded call is large, and every handler would hold it.
        let state = Box::pin(self.context.raft.read()).await?;
        Ok((state, self.context.raft.now()))
    }
}

#[async_trait]
impl LiveState for RaftHandle {
    fn local(&self) -> State {
        State::clone(&self.state())
    }

    async fn newest(&self) -> Result<State, Refusal> {
        Ok(State::clone(&*Box::pin(self.read()).await?))
    }
}
