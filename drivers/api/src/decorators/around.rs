//! Something around every call of one driver.

use std::fmt::Debug;
use std::sync::Arc;

use skep_types::DriverDescription;

use crate::{Call, Driver, DriverError, Route, Routed};

/// What happens around each call of a driver.
pub trait Around: Debug + Send + Sync + 'static {
    /// Makes the call with `go`: once, several times or not at all.
    fn around<T, F, Fut>(&self, call: Call, go: F) -> impl Future<Output = Result<T, DriverError>> + Send
    where
        T: Send,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send;
}

/// Around several drivers, one and the same.
impl<A: Around> Around for Arc<A> {
    async fn around<T, F, Fut>(&self, call: Call, go: F) -> Result<T, DriverError>
    where
        T: Send,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send,
    {
        A::around(self, call, go).await
    }
}

/// The driver with something around each of its calls.
pub fn decorate(inner: Arc<dyn Driver>, around: impl Around) -> Arc<dyn Driver> {
    Arc::new(Routed(Decorated { inner, around }))
}

#[derive(Debug)]
struct Decorated<A> {
    inner: Arc<dyn Driver>,
    around: A,
}

impl<A: Around> Route for Decorated<A> {
    fn describe(&self) -> &DriverDescription {
        self.inner.describe()
    }

    async fn route<T, F, Fut>(&self, call: Call, go: F) -> Result<T, DriverError>
    where
        T: Send,
        F: Fn(Arc<dyn Driver>) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, DriverError>> + Send,
    {
        self.around.around(call, || go(Arc::clone(&self.inner))).await
    }
}
