//! The driver `sim`: a [`Driver`] on a [`SimWorld`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use skep_driver::{CreateIntent, Driver, DriverError, ErrorKind, Instance, Method, Page, Placed, Target};
use skep_types::{
    Batch, DriverDescription, DriverName, FieldViolation, InstanceRef, Limits, PowerAction, PowerActions,
    Template, WayIn,
};

use crate::options;
use crate::world::SimWorld;

/// An instance, and the cluster in whose name it is asked for.
pub(crate) type Tagged<'a> = (&'a str, &'a InstanceRef);

type Results<T> = Result<Vec<Result<T, DriverError>>, DriverError>;

/// Any number of these may stand on one world, one for each coordinator.
#[derive(Debug)]
pub struct SimDriver {
    world: Arc<SimWorld>,
    description: DriverDescription,
}

impl SimDriver {
    pub fn new(world: Arc<SimWorld>) -> Self {
        let description = describe(&world);
        Self { world, description }
    }

    pub fn world(&self) -> &Arc<SimWorld> {
        &self.world
    }

    /// Of any clusters, as the two below: the provider's own API knows none.
    pub(crate) fn look_at(&self, tagged: &[Tagged<'_>]) -> Results<Instance> {
        let _call = self.world.enter(Method::Observe)?;
        Ok(tagged.iter().map(|(cluster, instance)| self.world.look(cluster, instance)).collect())
    }

    pub(crate) async fn switch(&self, action: PowerAction, tagged: &[Tagged<'_>]) -> Results<()> {
        let call = self.world.enter(Method::Power)?;
        let switched: Vec<_> =
            tagged.iter().map(|(cluster, instance)| self.world.switch(cluster, action, instance)).collect();
        let longest = switched.iter().flatten().max().copied().unwrap_or_default();
        tokio::time::sleep(longest).await;
        self.world.reply(&call, &self.world.behaviour()).await?;
        Ok(switched.into_iter().map(|result| result.map(drop)).collect())
    }

    pub(crate) async fn remove(&self, tagged: &[Tagged<'_>]) -> Results<()> {
        let call = self.world.enter(Method::Destroy)?;
        let results = tagged.iter().map(|(cluster, instance)| self.world.remove(cluster, instance)).collect();
        self.world.reply(&call, &self.world.behaviour()).await?;
        Ok(results)
    }
}

fn of_one_cluster<'a>(cluster: &'a str, targets: &'a [Target]) -> Vec<Tagged<'a>> {
    targets.iter().map(|target| (cluster, &target.instance)).collect()
}

fn describe(world: &SimWorld) -> DriverDescription {
    let config = world.config();
    #[expect(clippy::expect_used, reason = "a literal that is a DNS label")]
    let name: DriverName = "sim".parse().expect("a valid driver name");
    DriverDescription {
        name,
        flags: options::flags(),
        account_flags: Vec::new(),
        credentials: Vec::new(),
        way_in: WayIn::UserData,
        idempotency: config.declared_idempotency(),
        batch: Batch { max: config.batch_max, naming: config.declared_naming() },
        calls_in_flight_max: config.calls_in_flight_max,
        limits: Limits::default(),
        settle: Duration::from_millis(config.behaviour.visibility_ms),
        power: PowerActions::All,
        adopts: false,
        attests: false,
        tunnels: false,
        addresses_change: false,
        console: true,
    }
}

#[async_trait]
impl Driver for SimDriver {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        let _call = self.world.enter(Method::Check)?;
        options::read(template, &self.world.behaviour(), &self.world.config().zones).map(drop)
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        let call = self.world.enter(Method::Ensure)?;
        let options = options::read(&intent.template, &self.world.behaviour(), &self.world.config().zones)?;
        let max = self.description.batch.max as usize;
        if intent.slots.is_empty() || intent.slots.len() > max {
            let description = format!("must be 1 to {max} in number");
            let violations = vec![FieldViolation { field: "slots".to_owned(), description }];
            return Err(DriverError::new(
                ErrorKind::InvalidSpec { violations },
                "slots are too many or none",
            ));
        }
        self.world.create(&call, intent, &options).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        let _call = self.world.enter(Method::List)?;
        self.world.page(cluster, page_token)
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        self.look_at(&of_one_cluster(cluster, targets))
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.switch(action, &of_one_cluster(cluster, targets)).await
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.remove(&of_one_cluster(cluster, targets)).await
    }

    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError> {
        let _call = self.world.enter(Method::Console)?;
        self.world.console(cluster, &target.instance)
    }
}
