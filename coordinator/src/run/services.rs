//! Everything the control port answers, behind one rule of who may call.

use std::sync::Arc;

use skep_proto::DESCRIPTORS;
use skep_proto::agent::enrolment_server::EnrolmentServer;
use skep_proto::agent::session_server::SessionServer;
use skep_types::{CoordinatorId, limits};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_reflection::server::{Builder, Error};

use crate::agents::{EnrolmentService, Registry, SessionService};
use crate::api::{self, ClusterView};
use crate::context::Context;
use crate::liveness::Liveness;

pub(super) async fn routes(
    context: &Context,
    registry: &Arc<Registry>,
    liveness: &Arc<Liveness>,
    stopping: &CancellationToken,
) -> Result<Routes, Error> {
    let view = Arc::clone(liveness) as Arc<dyn ClusterView>;
    let mut all = api::services(context, view, stopping.clone());
    all.add_service(
        EnrolmentServer::new(EnrolmentService::new(context.clone(), Arc::clone(registry)))
            .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES),
    );
    all.add_service(
        SessionServer::new(SessionService::new(context.clone(), Arc::clone(registry)))
            .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES),
    );
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<SessionServer<SessionService>>().await;
    all.add_service(health);
    all.add_service(reflection().build_v1()?);
    // Python's client speaks only the older one.
    all.add_service(reflection().build_v1alpha()?);
    Ok(api::authorized(context, all.routes()))
}

fn reflection<'a>() -> Builder<'a> {
    Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

impl ClusterView for Liveness {
    fn sighting(&self, coordinator: CoordinatorId) -> (bool, u64) {
        let seen = self.sightings().into_iter().find(|seen| seen.coordinator == coordinator);
        seen.map_or((false, 0), |seen| (seen.alive, seen.agents))
    }
}
