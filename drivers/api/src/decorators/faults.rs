//! A driver that a test can stop at: one hook before and one after every call.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;

use super::around::{Around, decorate};
use crate::{Call, Driver, DriverError, Method};

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
    hook: Box<Hook>,
    calls: AtomicU64,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Faults {
    pub fn on<F, Fut>(driver: Arc<dyn Driver>, hook: F) -> Arc<dyn Driver>
    where
        F: Fn(CallSite) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), DriverError>> + Send + 'static,
    {
        let hook = Box::new(move |site| Box::pin(hook(site)) as _);
        decorate(driver, Self { hook, calls: AtomicU64::new(0) })
    }
}

impl Around for Faults {
    async fn around<T, F, Fut>(&self, call: Call, go: F) -> Result<T, DriverError>
    where
        T: Send,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send,
    {
        let seq = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        (self.hook)(CallSite { method: call.method, phase: CallPhase::Before, seq }).await?;
        let answer = go().await;
        (self.hook)(CallSite { method: call.method, phase: CallPhase::After, seq }).await?;
        answer
    }
}
