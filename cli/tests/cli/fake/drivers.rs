//! Drivers.

use skep_proto::v1::drivers_server::Drivers;
use skep_proto::v1::{
    AddAccountRequest, ListAccountsReply, ListAccountsRequest, ListDriversReply, ListDriversRequest,
    Operation, RemoveAccountRequest, RotateAccountCredentialsRequest, SetAccountLimitsRequest,
    TestAccountReply, TestAccountRequest,
};
use tonic::{Request, Response, Status};

use super::Fake;

#[tonic::async_trait]
impl Drivers for Fake {
    async fn list(&self, request: Request<ListDriversRequest>) -> Result<Response<ListDriversReply>, Status> {
        self.heard("Drivers/List", request)?;
        let world = self.world();
        Ok(Response::new(ListDriversReply {
            drivers: world.drivers.clone(),
            broken: world.broken_drivers.clone(),
        }))
    }

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsReply>, Status> {
        self.heard("Drivers/ListAccounts", request)?;
        let drivers = self.world().drivers.clone();
        Ok(Response::new(ListAccountsReply {
            accounts: drivers.into_iter().flat_map(|driver| driver.accounts).collect(),
        }))
    }

    async fn add_account(&self, request: Request<AddAccountRequest>) -> Result<Response<Operation>, Status> {
        let request = self.heard("Drivers/AddAccount", request)?;
        let mut world = self.world();
        world.credentials = request.credentials;
        world.account = Some(AddAccountRequest { credentials: Default::default(), ..request });
        Ok(Response::new(world.answer.clone()))
    }

    async fn remove_account(
        &self,
        request: Request<RemoveAccountRequest>,
    ) -> Result<Response<Operation>, Status> {
        self.heard("Drivers/RemoveAccount", request)?;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn set_account_limits(
        &self,
        request: Request<SetAccountLimitsRequest>,
    ) -> Result<Response<Operation>, Status> {
        self.heard("Drivers/SetAccountLimits", request)?;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn rotate_account_credentials(
        &self,
        request: Request<RotateAccountCredentialsRequest>,
    ) -> Result<Response<Operation>, Status> {
        let request = self.heard("Drivers/RotateAccountCredentials", request)?;
        self.world().credentials = request.credentials;
        Ok(Response::new(self.world().answer.clone()))
    }

    async fn test_account(
        &self,
        request: Request<TestAccountRequest>,
    ) -> Result<Response<TestAccountReply>, Status> {
        self.heard("Drivers/TestAccount", request)?;
        Ok(Response::new(self.world().tested.clone()))
    }
}
