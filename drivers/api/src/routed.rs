//! One piece of code that hands every call of the trait on to another driver.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use skep_types::{DriverDescription, InstanceRef, IntentId, PowerAction, Template};

use crate::{CreateIntent, Driver, DriverError, Instance, Method, Page, Placed, Target, Tunnel};

/// A call, before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    pub method: Method,
    /// How many instances it is about; 0 for those that name none.
    pub instances: usize,
    /// The create that it is a try of.
    pub intent: Option<IntentId>,
    /// Whether it only asks what became of that create.
    pub lost: bool,
}

impl Call {
    fn of(method: Method, instances: usize) -> Self {
        Self { method, instances, intent: None, lost: false }
    }
}

/// Finds who answers a call, when it is made.
pub trait Route: Debug + Send + Sync + 'static {
    fn describe(&self) -> &DriverDescription;

    /// Makes the call with `go`: once, several times or not at all.
    fn route<T, F, Fut>(&self, call: Call, go: F) -> impl Future<Output = Result<T, DriverError>> + Send
    where
        T: Send,
        F: Fn(Arc<dyn Driver>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send;
}

/// The driver that answers by its route.
#[derive(Debug)]
pub struct Routed<R>(pub R);

#[async_trait]
impl<R: Route> Driver for Routed<R> {
    fn describe(&self) -> &DriverDescription {
        self.0.describe()
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        let go = |driver: Arc<dyn Driver>| async move { driver.check(template).await };
        self.0.route(Call::of(Method::Check, 0), go).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        let call = Call::of(Method::Ensure, intent.slots.len());
        let call = Call { intent: Some(intent.intent), lost: intent.lost, ..call };
        self.0.route(call, |driver| async move { driver.ensure(intent).await }).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        let go = |driver: Arc<dyn Driver>| async move { driver.list(cluster, page_token).await };
        self.0.route(Call::of(Method::List, 0), go).await
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        let go = |driver: Arc<dyn Driver>| async move { driver.observe(cluster, targets).await };
        self.0.route(Call::of(Method::Observe, targets.len()), go).await
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let go = |driver: Arc<dyn Driver>| async move { driver.power(cluster, action, targets).await };
        self.0.route(Call::of(Method::Power, targets.len()), go).await
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let go = |driver: Arc<dyn Driver>| async move { driver.destroy(cluster, targets).await };
        self.0.route(Call::of(Method::Destroy, targets.len()), go).await
    }

    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError> {
        let go = |driver: Arc<dyn Driver>| async move { driver.console(cluster, target).await };
        self.0.route(Call::of(Method::Console, 1), go).await
    }

    async fn attest(&self, cluster: &str, evidence: &[u8]) -> Result<Option<InstanceRef>, DriverError> {
        let go = |driver: Arc<dyn Driver>| async move { driver.attest(cluster, evidence).await };
        self.0.route(Call::of(Method::Attest, 0), go).await
    }

    async fn tunnel(&self, cluster: &str, target: &Target, port: u16) -> Result<Tunnel, DriverError> {
        let go = |driver: Arc<dyn Driver>| async move { driver.tunnel(cluster, target, port).await };
        self.0.route(Call::of(Method::Tunnel, 1), go).await
    }
}
