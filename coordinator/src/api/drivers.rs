//! Drivers: what can make hosts here.

use skep_proto::v1 as pb;
use skep_types::Refusal;
use tonic::{Request, Response, Status};

use super::Api;
use super::convert::driver;
use super::status::answer;

#[tonic::async_trait]
impl pb::drivers_server::Drivers for Api {
    async fn list(
        &self,
        _request: Request<pb::ListDriversRequest>,
    ) -> Result<Response<pb::ListDriversReply>, Status> {
        answer(self.list_drivers().await)
    }
}

impl Api {
    async fn list_drivers(&self) -> Result<pb::ListDriversReply, Refusal> {
        let (state, _) = self.read().await?;
        let broken = driver::broken(self.context.id, self.context.drivers.broken());
        Ok(pb::ListDriversReply { drivers: driver::list(&state), broken })
    }
}
