//! Events.

use std::pin::Pin;

use futures::Stream;
use skep_proto::v1::events_server::Events;
use skep_proto::v1::{AuditReply, AuditRequest, Event, WatchEventsRequest};
use tonic::{Request, Response, Status};

use super::{Fake, unroll};

#[tonic::async_trait]
impl Events for Fake {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        self.heard("Events/Watch", request)?;
        let mut world = self.world();
        if let Some(watching) = &world.watching {
            watching.send(()).unwrap();
        }
        Ok(Response::new(unroll(world.event_reels.pop_front())))
    }

    async fn audit(&self, request: Request<AuditRequest>) -> Result<Response<AuditReply>, Status> {
        self.heard("Events/Audit", request)?;
        Ok(Response::new(AuditReply::default()))
    }
}
