//! Events: watched from any point that is still kept; and the audit trail, in pages.

mod cursor;
mod watch;

use skep_core::State;
use skep_proto::v1 as pb;
use skep_types::{ClusterTime, Code, Refusal, Revision, limits};
use tonic::{Request, Response, Status};

use super::convert::event;
use super::follow::Watched;
use super::paging::Page;
use super::status::answer;
use super::{Actor, Api};
use cursor::partition_point;
use watch::EventWatch;

#[tonic::async_trait]
impl pb::events_server::Events for Api {
    type WatchStream = Watched<pb::Event>;

    async fn watch(
        &self,
        request: Request<pb::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        answer(self.watch_events(request).await)
    }

    async fn audit(&self, request: Request<pb::AuditRequest>) -> Result<Response<pb::AuditReply>, Status> {
        answer(self.read_audit(request.get_ref()).await)
    }
}

impl Api {
    async fn watch_events(
        &self,
        request: Request<pb::WatchEventsRequest>,
    ) -> Result<Watched<pb::Event>, Refusal> {
        let actor = Actor::of(&request)?;
        // The newest state first: a revision that was told elsewhere must not be in this coordinator's future.
        let (state, _) = self.read().await?;
        let watch = EventWatch::begin(request.into_inner(), &state)?;
        Ok(self.follow(actor, watch, state))
    }

    async fn read_audit(&self, request: &pb::AuditRequest) -> Result<pb::AuditReply, Refusal> {
        let page: Page<Revision> = Page::read(request.page_size, &request.page_token)?;
        let (state, now) = self.read().await?;
        audit(&state, &page, now)
    }
}

fn audit(state: &State, page: &Page<Revision>, now: ClusterTime) -> Result<pb::AuditReply, Refusal> {
    let first =
        page.after().map_or(0, |after| partition_point(&state.audit, |record| record.revision <= after));
    // Every mutation has a revision of its own: if the one before this page is gone, others may be.
    let dropped = first == 0 && state.audit.len() >= limits::EVENTS_KEPT;
    if dropped && page.after().is_some() {
        let message = "compacted: the next page is no longer kept whole; begin anew without page_token";
        return Err(Refusal::new(Code::Compacted, message));
    }
    let rows = state.audit.skip(first);
    let rows = rows.iter().map(|record| (record.revision, event::audit(record, now)));
    let (records, next_page_token) = page.fill(rows);
    Ok(pb::AuditReply { records, next_page_token })
}

#[cfg(test)]
mod tests;
