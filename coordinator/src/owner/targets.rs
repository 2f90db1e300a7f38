//! Carries out a power or destroy intent: idempotent by nature, so it is simply done until it is done.

use skep_core::command::{Failure, FailureKind, OutcomeCommand};
use skep_core::state::{Intent, IntentKind, Target};
use skep_driver::{Driver, DriverError, ErrorKind};
use skep_types::chain;

use super::call::{Caller, failure_kind, lasting};
use super::pause::{self, wait};
use crate::kept;

/// Calls before the failure goes into the record, where the host waits longer and people can see it.
const ATTEMPTS: usize = 5;

pub(super) async fn run(caller: &Caller, intent: &Intent) {
    let targets = match &intent.kind {
        IntentKind::Power { targets, .. } | IntentKind::Destroy { targets } => targets,
        IntentKind::Create { .. } => return,
    };
    let results = results(caller, intent, targets).await;
    let outcome = OutcomeCommand::CloseTargets { intent: intent.id, epoch: caller.epoch, results };
    caller.close(intent, vec![outcome]).await;
}

async fn results(caller: &Caller, intent: &Intent, targets: &[Target]) -> Vec<Result<(), Failure>> {
    let instances: Vec<skep_driver::Target> = {
        let state = caller.context.raft.state();
        let sealer = &caller.context.trust.sealer;
        targets.iter().map(|target| kept::target_of(sealer, target, &state)).collect()
    };
    let mut interval = pause::FIRST;
    let mut attempt = 1;
    loop {
        let driver = caller.driver(intent).await;
        match call(caller, &*driver, intent, &instances).await {
            Ok(results) => return results.into_iter().map(|result| result.map_err(failure)).collect(),
            Err(error) if attempt >= ATTEMPTS || lasting(&error) => {
                let failure = failure(error);
                return instances.iter().map(|_| Err(failure.clone())).collect();
            }
            Err(error) => interval = wait(interval, &error).await,
        }
        attempt += 1;
    }
}

async fn call(
    caller: &Caller,
    driver: &dyn Driver,
    intent: &Intent,
    instances: &[skep_driver::Target],
) -> Result<Vec<Result<(), DriverError>>, DriverError> {
    let cluster = caller.context.cluster.as_str();
    let results = match &intent.kind {
        IntentKind::Power { action, .. } => driver.power(cluster, *action, instances).await?,
        IntentKind::Destroy { .. } | IntentKind::Create { .. } => driver.destroy(cluster, instances).await?,
    };
    if results.len() == instances.len() {
        return Ok(results);
    }
    let message = format!("the driver gave {} results for {} instances", results.len(), instances.len());
    Err(DriverError::new(ErrorKind::Internal, message))
}

fn failure(error: DriverError) -> Failure {
    let kind = match error.kind {
        // Power and destroy may be done again.
        ErrorKind::Ambiguous => failure_kind(&DriverError::new(ErrorKind::Unavailable, "")),
        ErrorKind::NotFound => FailureKind::Gone,
        ErrorKind::Unsupported => FailureKind::Unsupported,
        _ => failure_kind(&error),
    };
    Failure { kind, message: chain(&error) }
}
