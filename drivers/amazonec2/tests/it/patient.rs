//! A driver's owner, who makes a call again for as long as its outcome is open.

use std::sync::Arc;

use async_trait::async_trait;
use skep_driver::{CreateIntent, Driver, DriverError, ErrorKind, Instance, Page, Placed, Target};
use skep_types::{DriverDescription, PowerAction, Template};

/// With a third of the replies lost, twenty in a row are one in three thousand million.
const TRIES: usize = 20;

pub(crate) fn patient(driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
    Arc::new(Patient(driver))
}

#[derive(Debug)]
struct Patient(Arc<dyn Driver>);

type Results = Result<Vec<Result<(), DriverError>>, DriverError>;

fn is_open<T>(result: &Result<T, DriverError>) -> bool {
    matches!(result, Err(error) if error.kind == ErrorKind::Ambiguous)
}

/// Asks again for the targets without an outcome, and for no others.
async fn until_known<F, Fut>(targets: &[Target], call: F) -> Results
where
    F: Fn(Vec<Target>) -> Fut,
    Fut: Future<Output = Results>,
{
    let mut results = call(targets.to_vec()).await?;
    for _ in 1..TRIES {
        let open: Vec<usize> = (0..results.len()).filter(|at| is_open(&results[*at])).collect();
        if open.is_empty() {
            break;
        }
        let again = call(open.iter().map(|at| targets[*at].clone()).collect()).await?;
        for (at, result) in open.into_iter().zip(again) {
            results[at] = result;
        }
    }
    Ok(results)
}

#[async_trait]
impl Driver for Patient {
    fn describe(&self) -> &DriverDescription {
        self.0.describe()
    }

    async fn check(&self, template: &Template) -> Result<(), DriverError> {
        self.0.check(template).await
    }

    async fn ensure(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        for _ in 1..TRIES {
            let answer = self.0.ensure(intent).await;
            if !is_open(&answer) {
                return answer;
            }
        }
        self.0.ensure(intent).await
    }

    async fn list(&self, cluster: &str, page_token: Option<&str>) -> Result<Page, DriverError> {
        self.0.list(cluster, page_token).await
    }

    async fn observe(
        &self,
        cluster: &str,
        targets: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        self.0.observe(cluster, targets).await
    }

    async fn power(&self, cluster: &str, action: PowerAction, targets: &[Target]) -> Results {
        until_known(targets, |open| async move { self.0.power(cluster, action, &open).await }).await
    }

    async fn destroy(&self, cluster: &str, targets: &[Target]) -> Results {
        until_known(targets, |open| async move { self.0.destroy(cluster, &open).await }).await
    }

    async fn console(&self, cluster: &str, target: &Target) -> Result<String, DriverError> {
        self.0.console(cluster, target).await
    }
}
