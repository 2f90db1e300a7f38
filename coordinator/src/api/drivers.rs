//! Drivers: what can make hosts here, and the accounts they make them in.

mod accounts;
mod meant;
mod test;

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

    async fn list_accounts(
        &self,
        _request: Request<pb::ListAccountsRequest>,
    ) -> Result<Response<pb::ListAccountsReply>, Status> {
        answer(self.list_all_accounts().await)
    }

    async fn add_account(
        &self,
        request: Request<pb::AddAccountRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.add_an_account(request).await)
    }

    async fn remove_account(
        &self,
        request: Request<pb::RemoveAccountRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.remove_an_account(request).await)
    }

    async fn set_account_limits(
        &self,
        request: Request<pb::SetAccountLimitsRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.set_an_accounts_limits(request).await)
    }

    async fn rotate_account_credentials(
        &self,
        request: Request<pb::RotateAccountCredentialsRequest>,
    ) -> Result<Response<pb::Operation>, Status> {
        answer(self.rotate_an_accounts_credentials(request).await)
    }

    async fn test_account(
        &self,
        request: Request<pb::TestAccountRequest>,
    ) -> Result<Response<pb::TestAccountReply>, Status> {
        answer(self.test_an_account(&request.get_ref().name).await)
    }
}

impl Api {
    async fn list_drivers(&self) -> Result<pb::ListDriversReply, Refusal> {
        let (state, _) = self.read().await?;
        Ok(pb::ListDriversReply { drivers: driver::list(&state), broken: driver::broken(&state) })
    }
}
