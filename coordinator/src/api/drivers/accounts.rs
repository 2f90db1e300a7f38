//! Accounts are made, changed and removed. Credentials are sealed here, and go no further in clear.

use std::collections::BTreeMap;

use skep_core::command::{AddAccount, Request as Asked};
use skep_core::state::{AccountSettings, CredentialSource};
use skep_proto::v1 as pb;
use skep_types::{AccountName, Refusal};
use tonic::Request;

use crate::accounts::seal;
use crate::api::convert::account;
use crate::api::convert::mutation::body_digest;
use crate::api::convert::requests::{self, Credentials};
use crate::api::mutate::Begun;
use crate::api::status::internal;
use crate::api::{Actor, Api};

impl Api {
    pub(super) async fn list_all_accounts(&self) -> Result<pb::ListAccountsReply, Refusal> {
        let (state, _) = self.read().await?;
        Ok(pb::ListAccountsReply { accounts: account::list(&state) })
    }

    pub(super) async fn add_an_account(
        &self,
        request: Request<pb::AddAccountRequest>,
    ) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let hidden = self.hidden(&request.credentials);
        let body =
            body_digest(actor.method(), &pb::AddAccountRequest { credentials: hidden, ..request.clone() });
        let new = requests::add_account(request)?;
        self.meant(&new.name, &new.driver, &new.options, &new.credentials)?;
        let credentials = self.sealed(&new.name, new.credentials)?;
        let (options, limits, coordinators) = (new.options, new.limits, new.coordinators);
        let settings = AccountSettings { options, credentials, limits, coordinators };
        let (account, driver, replace) = (new.name, new.driver, new.replace);
        match self.begin(&actor, mutation, body).await? {
            Begun::Repeated(operation) => Ok(*operation),
            Begun::Fresh(call) => {
                self.carry_out(*call, Asked::AddAccount(AddAccount { account, driver, settings, replace }))
                    .await
            }
        }
    }

    pub(super) async fn remove_an_account(
        &self,
        request: Request<pb::RemoveAccountRequest>,
    ) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let account = requests::account_name(&request.name)?;
        match self.begin(&actor, mutation, body_digest(actor.method(), &request)).await? {
            Begun::Repeated(operation) => Ok(*operation),
            Begun::Fresh(call) => self.carry_out(*call, Asked::RemoveAccount { account }).await,
        }
    }

    pub(super) async fn set_an_accounts_limits(
        &self,
        request: Request<pb::SetAccountLimitsRequest>,
    ) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let body = body_digest(actor.method(), &request);
        let (account, limits) = requests::account_limits(request)?;
        match self.begin(&actor, mutation, body).await? {
            Begun::Repeated(operation) => Ok(*operation),
            Begun::Fresh(call) => self.carry_out(*call, Asked::SetAccountLimits { account, limits }).await,
        }
    }

    pub(super) async fn rotate_an_accounts_credentials(
        &self,
        request: Request<pb::RotateAccountCredentialsRequest>,
    ) -> Result<pb::Operation, Refusal> {
        let actor = Actor::of(&request)?;
        let mut request = request.into_inner();
        let mutation = request.mutation.take();
        let credentials = self.hidden(&request.credentials);
        let shown = pb::RotateAccountCredentialsRequest { credentials, ..request.clone() };
        let body = body_digest(actor.method(), &shown);
        let (account, credentials) = requests::rotation(request)?;
        let known = self.read().await?.0.accounts.get(&account).cloned();
        if let Some(known) = known {
            self.meant(&account, &known.driver.name, &known.settings.options, &credentials)?;
        }
        let credentials = self.sealed(&account, credentials)?;
        match self.begin(&actor, mutation, body).await? {
            Begun::Repeated(operation) => Ok(*operation),
            Begun::Fresh(call) => {
                self.carry_out(*call, Asked::RotateCredentials { account, credentials }).await
            }
        }
    }

    fn sealed(&self, account: &AccountName, credentials: Credentials) -> Result<CredentialSource, Refusal> {
        match credentials {
            Credentials::Command { name, arguments } => Ok(CredentialSource::Command { name, arguments }),
            Credentials::Given(given) => seal(&self.context.trust.sealer, account, &given)
                .map(|sealed| CredentialSource::Stored { sealed })
                .map_err(|error| internal("a credential cannot be sealed", &error)),
        }
    }

    /// What a request's digest is made of instead of its secrets: the digest is audited, and a short secret could be
    /// guessed by it.
    fn hidden(&self, credentials: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let sealer = &self.context.trust.sealer;
        let hide = |value: &String| hex::encode(sealer.fingerprint(value.as_bytes()));
        credentials.iter().map(|(name, value)| (name.clone(), hide(value))).collect()
    }
}
