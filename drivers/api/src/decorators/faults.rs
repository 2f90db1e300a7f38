//! A driver that a test can stop at: one hook before and one after every call.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::future::BoxFuture;
use skep_types::{DriverDescription, InstanceRef, PowerAction, Template};

use crate::{CreateIntent, Driver, DriverError, Instance, Method, Page, Placed};

/// Where a call stands when the hook is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallPhase {
    /// Nothing was sent. An error here is the call's answer, and the driver never sees it.
    Before,
    /// The driver answered. An error here replaces its answer: the effect stays, the reply is lost.
    After,
}

/// One moment of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallSite {
    pub method: Method,
    pub phase: CallPhase,
    /// The position of the call among all calls through this decorator, from 1.
    pub seq: u64,
}

type Hook = dyn Fn(CallSite) -> BoxFuture<'static, Result<(), DriverError>> + Send + Sync;

/// Asks a hook before and after each call. The hook may return an error, wait, or never come back, while the test
/// stops whoever made the call.
pub struct Faults {
    inner: Arc<dyn Driver>,
    hook: Box<Hook>,
    calls: AtomicU64,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("inner", &self.inner)
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

impl Faults {
    pub fn new<F, Fut>(inner: Arc<dyn Driver>, hook: F) -> Self
    where
        F: Fn(CallSite) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), DriverError>> + Send + 'static,
    {
        Self { inner, hook: Box::new(move |site| Box::pin(hook(site))), calls: AtomicU64::new(0) }
    }

    async fn through<T>(
        &self,
        method: Method,
        call: impl Future<Output = Result<T, DriverError>>,
    ) -> Result<T, DriverError> {
        let seq = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        (self.hook)(CallSite { method, phase: CallPhase::Before, seq }).await?;
        let answer = call.await;
        (self.hook)(CallSite { method, phase: CallPhase::After, seq }).await?;
        answer
    }
}

#[async_trait]
impl Driver for Faults {
    fn describe(&self) -> &DriverDescription {
        self.inner.describe()
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        self.through(Method::Check, self.inner.check(template)).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        self.through(Method::Ensure, self.inner.ensure(intent)).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        self.through(Method::List, self.inner.list(cluster, page_token)).await
    }

    async fn observe(
        &self,
        cluster: &str,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        self.through(Method::Observe, self.inner.observe(cluster, instances)).await
    }

    async fn power(
        &self,
        cluster: &str,
        action: PowerAction,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.through(Method::Power, self.inner.power(cluster, action, instances)).await
    }

    async fn destroy(
        &self,
        cluster: &str,
        instances: &[InstanceRef],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        self.through(Method::Destroy, self.inner.destroy(cluster, instances)).await
    }

    async fn console(&self, cluster: &str, instance: &InstanceRef) -> Result<String, DriverError> {
        self.through(Method::Console, self.inner.console(cluster, instance)).await
    }
}
