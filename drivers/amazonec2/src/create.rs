//! One intent, made: attempts in order, each with a token of its own, until nothing is missing.
//!
//! A create with one attempt is one request, and EC2's token makes its repetition harmless. With several, what an
//! earlier try of the same intent did decides where to go on: this driver remembers ([`crate::tried`]). One that was opened
//! a moment ago, or whose coordinator inherited the intent from another one, waits until what was sent before can be seen,
//! and takes that for the outcome.

use std::time::Duration;

use aws_sdk_ec2::operation::run_instances::builders::RunInstancesInputBuilder;
use skep_driver::{CreateIntent, DriverError, ErrorKind, Instance, InstanceState, Placed};
use tokio::time::Instant;

use crate::driver::Ec2Driver;
use crate::errors::{Effect, Refusal, refusal};
use crate::options::{self, Options};
use crate::plan::{self, Attempt};
use crate::request::{Order, request};
use crate::resolve::Resolved;
use crate::tried::Ended;
use crate::{instance, looks};

/// Between two looks for instances that must be there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Ec2Driver {
    pub(crate) async fn make(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        let options = options::read(&self.description.flags, &intent.template)?;
        let max = self.description.batch.max as usize;
        if intent.slots.is_empty() || intent.slots.len() > max {
            return Err(DriverError::new(ErrorKind::Internal, format!("an intent has 1 to {max} slots")));
        }
        let resolved = self.resolver.resolve(&self.ec2, &intent.cluster, &options).await?;
        let attempts = plan::attempts(&options, &resolved.places)?;
        let made = self.go_through(intent, &options, &resolved, &attempts).await;
        if let Err(DriverError { kind: ErrorKind::InvalidSpec { .. }, .. }) = &made {
            self.resolver.forget();
        }
        made
    }

    async fn go_through(
        &self,
        intent: &CreateIntent,
        options: &Options,
        resolved: &Resolved,
        attempts: &[Attempt],
    ) -> Result<Placed, DriverError> {
        let mut all = Ended::default();
        let mut begun = 0;
        if attempts.len() > 1 {
            match self.begun_before(intent).await? {
                Before::Here(ended) => {
                    begun = ended.len();
                    all = ended.into_iter().fold(all, together);
                }
                Before::Elsewhere(left) => return Ok(concluded(left, intent, None)),
            }
        }
        for (number, attempt) in attempts.iter().enumerate().skip(begun) {
            if all.made.len() >= intent.slots.len() {
                break;
            }
            let wanted = intent.slots.len() - all.made.len();
            let order = Order { intent, options, resolved, attempt, number, wanted };
            match self.attempt(&order).await {
                Outcome::Over(ended) => {
                    self.tried.ended(&intent.token, number, &ended);
                    all = together(all, ended);
                }
                Outcome::TokenTaken => return self.adopt(intent).await,
                Outcome::Failed(error) => return cut_short(all.made, error),
            }
        }
        Ok(concluded(all.made, intent, all.lack))
    }

    async fn attempt(&self, order: &Order<'_>) -> Outcome {
        let request = match request(order) {
            Ok(request) => request,
            Err(error) => return Outcome::Failed(error),
        };
        let wanted = order.wanted;
        self.run(request)
            .await
            .map_or_else(outcome, |made| Outcome::Over(Ended { lack: short(made.len(), wanted), made }))
    }

    async fn run(&self, request: RunInstancesInputBuilder) -> Result<Vec<Instance>, Refusal> {
        // The SDK's future is large.
        let sent = Box::pin(request.send_with(&self.ec2.sdk)).await;
        let answer = sent.map_err(refusal("EC2 did not make the instances", Effect::Makes))?;
        self.recent.made(answer.instances());
        Ok(answer.instances().iter().filter_map(instance::convert).collect())
    }

    /// Where a create with several attempts goes on.
    async fn begun_before(&self, intent: &CreateIntent) -> Result<Before, DriverError> {
        let asked = self.tried.asked(&intent.token, intent.inherited);
        if let Some(ended) = self.tried.of(&intent.token) {
            return Ok(Before::Here(ended));
        }
        // Whoever began it did so before it was inherited; or, if this coordinator did, before this driver was opened,
        // as its program may have died.
        let since = if intent.inherited.is_some() { asked } else { self.opened };
        tokio::time::sleep_until(since + self.description.settle).await;
        let left = self.living(intent).await?;
        if left.is_empty() {
            self.tried.begin(&intent.token);
            return Ok(Before::Here(Vec::new()));
        }
        Ok(Before::Elsewhere(left))
    }

    /// EC2 knows the token from a request that differed: an image was published, or a launch template changed. What
    /// that request made carries the intent's tag.
    async fn adopt(&self, intent: &CreateIntent) -> Result<Placed, DriverError> {
        self.resolver.forget();
        let until = Instant::now() + self.description.settle;
        loop {
            let found = self.living(intent).await?;
            if found.len() >= intent.slots.len() || Instant::now() >= until {
                return Ok(concluded(found, intent, None));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn living(&self, intent: &CreateIntent) -> Result<Vec<Instance>, DriverError> {
        let found = looks::of_intent(&self.ec2, &intent.cluster, &intent.intent.to_string()).await?;
        let living = found.iter().filter_map(instance::convert);
        Ok(living.filter(|instance| instance.state != InstanceState::Destroyed).collect())
    }
}

/// What this create's earlier tries left.
enum Before {
    /// Each attempt that is over.
    Here(Vec<Ended>),
    Elsewhere(Vec<Instance>),
}

/// How one attempt ended.
#[derive(Debug)]
enum Outcome {
    /// Where fewer were made than were wanted, another type, place or market may do.
    Over(Ended),
    TokenTaken,
    Failed(DriverError),
}

fn outcome(refused: Refusal) -> Outcome {
    match (refused.code.as_str(), &refused.error.kind) {
        ("IdempotentParameterMismatch" | "IdempotentInstanceTerminated", _) => Outcome::TokenTaken,
        (_, ErrorKind::Capacity | ErrorKind::Quota) => {
            Outcome::Over(Ended { made: Vec::new(), lack: Some(refused.error) })
        }
        _ => Outcome::Failed(refused.error),
    }
}

/// EC2 makes as many as it has room for.
fn short(have: usize, wanted: usize) -> Option<DriverError> {
    let said = || DriverError::new(ErrorKind::Capacity, format!("EC2 made {have} of {wanted} instances"));
    (have < wanted).then(said)
}

/// Want of capacity passes by itself, a quota only when somebody has it raised: while one way may still do later, the
/// create is worth another try, in whatever order the ways were tried.
fn together(mut all: Ended, next: Ended) -> Ended {
    all.made.extend(next.made);
    let passes = all.lack.as_ref().is_some_and(|lack| lack.kind == ErrorKind::Capacity);
    if !passes {
        all.lack = next.lack.or(all.lack);
    }
    all
}

/// An error after some attempts made something. It must not read as if nothing had been done.
fn cut_short(made: Vec<Instance>, error: DriverError) -> Result<Placed, DriverError> {
    if made.is_empty() {
        return Err(error);
    }
    match error.kind {
        // The same call again goes on from here.
        ErrorKind::Ambiguous | ErrorKind::Throttled { .. } | ErrorKind::Unavailable => {
            Err(DriverError { kind: ErrorKind::Ambiguous, ..error })
        }
        _ => Ok(Placed { instances: made, shortfall: Some(error) }),
    }
}

/// Nothing more will be tried. `lack` is why what is missing was not made, where that is known.
fn concluded(made: Vec<Instance>, intent: &CreateIntent, lack: Option<DriverError>) -> Placed {
    let missing = short(made.len(), intent.slots.len());
    let shortfall = missing.map(|untold| lack.unwrap_or(untold));
    Placed { instances: made, shortfall }
}

#[cfg(test)]
mod tests;
