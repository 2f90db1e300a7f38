//! The driver: each call of the trait, handed to the module that does it.

use async_trait::async_trait;
use bollard::Docker;
use skep_driver::{CreateIntent, Driver, DriverError, Instance, Page, Placed, Target};
use skep_types::{DriverDescription, DriverName, PowerAction, Template};

use crate::engine::{Engine, LocalConfig};
use crate::network::{self, ClusterNetwork};
use crate::options::{self, Options};
use crate::{description, ensure, errors, lifecycle};

#[derive(Debug)]
pub struct LocalDriver {
    description: DriverDescription,
    engine: Engine,
}

impl LocalDriver {
    /// Reaches for the engine only when it is needed: a coordinator starts without one.
    pub fn connect(name: DriverName, config: LocalConfig) -> Self {
        Self { description: description::description(name), engine: Engine::new(config) }
    }

    /// The network of the cluster's hosts, made if there is none.
    pub async fn ensure_network(&self, cluster: &str) -> Result<ClusterNetwork, DriverError> {
        network::ensure(self.docker().await?, cluster).await
    }

    async fn docker(&self) -> Result<&Docker, DriverError> {
        self.engine.docker().await
    }
}

#[async_trait]
impl Driver for LocalDriver {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        let options = Options::read(template)?;
        let docker = self.docker().await?;
        check_image(docker, &options).await?;
        check_cpus(docker, &options).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        ensure::ensure(self.docker().await?, intent).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        lifecycle::list(self.docker().await?, cluster, page_token).await
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        lifecycle::observe(self.docker().await?, cluster, targets).await
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        Ok(lifecycle::power(self.docker().await?, cluster, action, targets).await)
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        Ok(lifecycle::destroy(self.docker().await?, cluster, targets).await)
    }

    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError> {
        lifecycle::console(self.docker().await?, cluster, &target.instance).await
    }
}

async fn check_image(docker: &Docker, options: &Options) -> Result<(), DriverError> {
    match docker.inspect_image(&options.image).await {
        Ok(_) => Ok(()),
        Err(error) if errors::status(&error) == Some(404) => Err(options::missing_image(&options.image)),
        Err(error) => Err(errors::reading("the engine did not say whether it has the image")(error)),
    }
}

/// The engine refuses a host with more processors than the machine has, but only when it is made.
async fn check_cpus(docker: &Docker, options: &Options) -> Result<(), DriverError> {
    let Some(wanted) = options.nano_cpus else { return Ok(()) };
    let info =
        docker.info().await.map_err(errors::reading("the engine did not say how many processors it has"))?;
    let Some(present) = info.ncpu else { return Ok(()) };
    if wanted > present.saturating_mul(1_000_000_000) {
        return Err(options::too_many_cpus(present));
    }
    Ok(())
}
