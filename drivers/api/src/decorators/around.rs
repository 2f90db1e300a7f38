//! One piece of code that hands every call of the trait on, with something around it.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use skep_types::{DriverDescription, IntentId, PowerAction, Template};

use crate::{CreateIntent, Driver, DriverError, Instance, Method, Page, Placed, Target};

/// A call, before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    pub method: Method,
    /// How many instances it is about; 0 for those that name none.
    pub instances: usize,
    /// The create that it is a try of.
    pub intent: Option<IntentId>,
}

/// What happens around each call of a driver.
pub trait Around: Debug + Send + Sync + 'static {
    /// Makes the call with `go`: once, several times or not at all.
    fn around<T, F, Fut>(&self, call: Call, go: F) -> impl Future<Output = Result<T, DriverError>> + Send
    where
        T: Send,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send;
}

/// The driver with something around each of its calls.
pub(crate) fn decorate(inner: Arc<dyn Driver>, around: impl Around) -> Arc<dyn Driver> {
    Arc::new(Decorated { inner, around })
}

#[derive(Debug)]
struct Decorated<A> {
    inner: Arc<dyn Driver>,
    around: A,
}

fn of(method: Method, instances: usize) -> Call {
    Call { method, instances, intent: None }
}

#[async_trait]
impl<A: Around> Driver for Decorated<A> {
    fn describe(&self) -> &DriverDescription {
        self.inner.describe()
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        self.around.around(of(Method::Check, 0), || self.inner.check(template)).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        let call = Call { intent: Some(intent.intent), ..of(Method::Ensure, intent.slots.len()) };
        self.around.around(call, || self.inner.ensure(intent)).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        self.around.around(of(Method::List, 0), || self.inner.list(cluster, page_token)).await
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        self.around.around(of(Method::Observe, targets.len()), || self.inner.observe(cluster, targets)).await
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        let call = of(Method::Power, targets.len());
        self.around.around(call, || self.inner.power(cluster, action, targets)).await
    }

    async fn destroy(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.around.around(of(Method::Destroy, targets.len()), || self.inner.destroy(cluster, targets)).await
    }

    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError> {
        self.around.around(of(Method::Console, 1), || self.inner.console(cluster, target)).await
    }
}
