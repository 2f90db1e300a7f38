//! Drivers.

use skep_proto::v1::drivers_server::Drivers;
use skep_proto::v1::{ListDriversReply, ListDriversRequest};
use tonic::{Request, Response, Status};

use super::Fake;

#[tonic::async_trait]
impl Drivers for Fake {
    async fn list(&self, request: Request<ListDriversRequest>) -> Result<Response<ListDriversReply>, Status> {
        self.heard("Drivers/List", request)?;
        Ok(Response::new(ListDriversReply {
            drivers: self.world().drivers.clone(),
            broken: self.world().broken_drivers.clone(),
        }))
    }
}
