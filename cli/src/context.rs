//! What a command works with: the surroundings, and the cluster once it is needed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use skep_proto::v1::drivers_client::DriversClient;
use skep_proto::v1::{BrokenDriver, Driver, ListDriversReply, ListDriversRequest};
use tokio::sync::OnceCell;

use crate::client::Client;
use crate::client::trust::Credentials;
use crate::config::{self, Config};
use crate::failure::{Failure, chain};
use crate::surroundings::Surroundings;

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) surroundings: Surroundings,
    /// As given by `--config`.
    pub(crate) config: Option<PathBuf>,
    /// As given by the driver's own flags, their names without dashes.
    pub(crate) options: BTreeMap<String, String>,
    client: OnceCell<Client>,
    drivers: OnceCell<ListDriversReply>,
}

impl Context {
    pub(crate) fn new(surroundings: Surroundings) -> Self {
        Self {
            surroundings,
            config: None,
            options: BTreeMap::new(),
            client: OnceCell::new(),
            drivers: OnceCell::new(),
        }
    }

    /// Results.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        Ok(self.surroundings.streams.print(text)?)
    }

    /// Everything that is no result.
    pub(crate) fn tell(&self, text: &str) {
        self.surroundings.streams.tell(text);
    }

    pub(crate) fn config_path(&self) -> Result<PathBuf, Failure> {
        config::path(self.config.as_deref(), &self.surroundings.variables)
    }

    /// The cluster of the configuration. Before the first call, a certificate past half of its life is renewed.
    pub(crate) async fn client(&self) -> Result<&Client, Failure> {
        self.client.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Client, Failure> {
        let config = Config::load(&self.config_path()?)?;
        let coordinators = config.file.coordinators.clone();
        if let Some(dial) = &self.surroundings.dial {
            return Ok(Client::new(coordinators, dial.clone(), &self.surroundings));
        }
        let credentials = Credentials::load(&config)?;
        let client = Client::new(coordinators, credentials.dial(&config)?, &self.surroundings);
        if credentials.expired() {
            return Err(Failure::Expired { path: config.certificate() });
        }
        if credentials.due()
            && let Err(failure) = credentials.renew(&client, &config).await
        {
            // The old one serves until it expires.
            self.tell(&format!("skep: the certificate was not renewed: {}\n", chain(&failure)));
        }
        Ok(client)
    }

    /// What can make hosts here.
    pub(crate) async fn drivers(&self) -> Result<&[Driver], Failure> {
        Ok(&self.list_drivers().await?.drivers)
    }

    /// What cannot, on which coordinator.
    pub(crate) async fn broken_drivers(&self) -> Result<&[BrokenDriver], Failure> {
        Ok(&self.list_drivers().await?.broken)
    }

    /// Asked once.
    async fn list_drivers(&self) -> Result<&ListDriversReply, Failure> {
        let listed = self.drivers.get_or_try_init(|| async {
            let list = |channel, request| async move { DriversClient::new(channel).list(request).await };
            self.client().await?.call(ListDriversRequest {}, list).await
        });
        listed.await
    }
}
