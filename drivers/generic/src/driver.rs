//! The driver: each call of the trait, handed to the module that does it.

use async_trait::async_trait;
use futures::{StreamExt, stream};
use skep_driver::{CreateIntent, Driver, DriverError, ErrorKind, Instance, Page, Placed, Target, Tunnel};
use skep_ssh::Connection;
use skep_ssh::machine::Marker;
use skep_types::{DriverDescription, PowerAction, Template};

use crate::access::Account;
use crate::instance::{Id, Kept};
use crate::options::Options;
use crate::reach::reach;
use crate::{ensure, errors, key_files, look, restart, tunnel};

#[derive(Debug)]
pub(crate) struct GenericDriver {
    description: DriverDescription,
    account: Account,
}

impl GenericDriver {
    pub(crate) fn new(description: DriverDescription, account: Account) -> Self {
        Self { description, account }
    }

    /// The machine of an instance, and the marker it must have for anything to be done to it. NotFound for an id that
    /// was never given out.
    fn known(&self, cluster: &str, target: &Target) -> Result<(Kept, Marker), DriverError> {
        let id = &target.instance.provider_id;
        let id = Id::parse(id).ok_or_else(|| errors::not_found(id.as_str()))?;
        let kept = Kept::of(target, &id, &self.account.inventory);
        Ok((kept, id.marker(cluster, &target.instance.name)))
    }

    async fn machine(&self, cluster: &str, target: &Target) -> Result<(Connection, Marker), DriverError> {
        let (kept, marker) = self.known(cluster, target)?;
        Ok((reach(&self.account, &kept).await?, marker))
    }

    async fn release(&self, cluster: &str, target: &Target) -> Result<(), DriverError> {
        let (connection, marker) = self.machine(cluster, target).await?;
        connection.release(&marker).await.map_err(errors::amid)?;
        self.account.adopted.forget(&target.instance.provider_id).await;
        connection.close().await;
        Ok(())
    }

    async fn restart(&self, cluster: &str, target: &Target) -> Result<(), DriverError> {
        let (kept, marker) = self.known(cluster, target)?;
        restart::restart(&self.account, &kept, &marker).await
    }
}

#[async_trait]
impl Driver for GenericDriver {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    /// Whether the options can be meant and the key can be read. No machine is asked: which one is not known yet.
    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        let options = Options::read(template)?;
        options.check(&self.account.inventory, &self.account.ssh_config)?;
        if let Some(file) = options.key_file() {
            key_files::named(file, self.account.passphrase.as_ref(), self.account.rsa).await?;
        }
        Ok(())
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        ensure::ensure(&self.account, intent).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        look::list(&self.account, cluster, page_token).await
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        Ok(look::observe(&self.account, cluster, targets).await)
    }

    /// Restart reboots, as Docker Machine's generic driver does. Nothing over SSH turns a machine on, so none is
    /// turned off.
    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        if action != PowerAction::Restart {
            let why =
                "a machine that is only reached over SSH can be restarted, not stopped, started or killed";
            return Err(DriverError::new(ErrorKind::Unsupported, why));
        }
        let calls: Vec<_> = targets.iter().map(|target| self.restart(cluster, target)).collect();
        unless_all_refused(stream::iter(calls).buffered(look::AT_ONCE).collect().await)
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let calls: Vec<_> = targets.iter().map(|target| self.release(cluster, target)).collect();
        unless_all_refused(stream::iter(calls).buffered(look::AT_ONCE).collect().await)
    }

    async fn console(&self, _cluster: &str, _target: &Target) -> Result<String, DriverError> {
        Err(DriverError::new(ErrorKind::Unsupported, "a machine's console is not reached over SSH"))
    }

    async fn tunnel(&self, cluster: &str, target: &Target, port: u16) -> Result<Tunnel, DriverError> {
        let (connection, marker) = self.machine(cluster, target).await?;
        tunnel::tunnel(&connection, &marker, target.instance.provider_id.as_str(), port).await
    }
}

type Results = Vec<Result<(), DriverError>>;

/// When no machine takes the account's credentials, others may mend it: nothing was done, and the call as a whole says so.
fn unless_all_refused(results: Results) -> Result<Results, DriverError> {
    let refused =
        |result: &Result<(), DriverError>| result.as_ref().is_err_and(|error| error.kind == ErrorKind::Auth);
    if !results.iter().all(refused) {
        return Ok(results);
    }
    let machines = results.len();
    match results.into_iter().find_map(Result::err) {
        None => Ok(Vec::new()),
        Some(error) if machines == 1 => Err(error),
        Some(first) => {
            let message =
                format!("none of {machines} machines can be acted on; the first: {}", first.message);
            Err(DriverError { message, ..first })
        }
    }
}
