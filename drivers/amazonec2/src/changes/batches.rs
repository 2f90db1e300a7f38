//! One call for many instances, and again for those that it did not fail for: EC2 does all of a request or nothing.
//!
//! ```text
//! refused for the sake of some ─┬─► it names them: they are over, the rest once more as a whole
//!                               └─► it does not, or did so before: halves
//! ```
//! Each request is over with what it names, or halves: of n instances never more than 2n - 1 requests, of which mostly two.

use std::collections::VecDeque;

use skep_driver::{DriverError, Target};

use super::Call;
use crate::client::Ec2;
use crate::errors::{Refusal, again};

/// Instances of one call. EC2 takes a thousand, but one that it refuses fails them all.
const BATCH: usize = 100;

/// Positions among the targets.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Batch {
    at: Vec<usize>,
    /// What is left of one that was refused for the sake of others.
    rest: bool,
}

impl Batch {
    fn new(at: &[usize]) -> Self {
        Self { at: at.to_vec(), rest: false }
    }
}

pub(super) async fn send(
    ec2: &Ec2,
    call: Call,
    targets: &[Target],
    positions: &[usize],
) -> Vec<(usize, Result<(), DriverError>)> {
    let mut waiting: VecDeque<Batch> = positions.chunks(BATCH).map(Batch::new).collect();
    let mut results = Vec::with_capacity(positions.len());
    while let Some(batch) = waiting.pop_front() {
        let ids = batch.at.iter().map(|at| targets[*at].instance.provider_id.to_string()).collect();
        match super::send(ec2, call, ids).await {
            Ok(()) => results.extend(batch.at.iter().map(|at| (*at, Ok(())))),
            Err(refused) => {
                let (over, next) = apart(batch, targets, &refused);
                results.extend(over.iter().map(|at| (*at, Err(again(&refused.error)))));
                waiting.extend(next);
            }
        }
    }
    results
}

/// Whom the refusal of a batch is the result for, and what is tried next.
fn apart(batch: Batch, targets: &[Target], refused: &Refusal) -> (Vec<usize>, Vec<Batch>) {
    if batch.at.len() == 1 || !is_of_some(&refused.code) {
        return (batch.at, Vec::new());
    }
    let named = |at: &usize| refused.named.contains(targets[*at].instance.provider_id.as_str());
    let (over, others): (Vec<usize>, Vec<usize>) = batch.at.into_iter().partition(named);
    let next = match (over.is_empty(), batch.rest) {
        (false, false) => vec![Batch { at: others, rest: true }],
        _ => {
            let (left, right) = others.split_at(others.len() / 2);
            vec![Batch::new(left), Batch::new(right)]
        }
    };
    (over, next.into_iter().filter(|batch| !batch.at.is_empty()).collect())
}

/// Whether EC2 refused a batch for the sake of some instances in it.
fn is_of_some(code: &str) -> bool {
    [
        "InvalidInstanceID",
        "IncorrectInstanceState",
        "IncorrectState",
        "OperationNotPermitted",
        "UnsupportedOperation",
    ]
    .contains(&code.split('.').next().unwrap_or(code))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use skep_driver::ErrorKind;
    use skep_types::InstanceRef;

    use super::*;

    /// Requests for a hundred, of whom EC2 refuses those in `bad`, and names at most so many of them.
    fn requests(bad: &[usize], names: usize) -> usize {
        let target = |at: usize| {
            let provider_id = format!("i-{at:017x}").parse().unwrap();
            Target::from(InstanceRef { provider_id, name: String::new() })
        };
        let targets: Vec<Target> = (0..100).map(target).collect();
        let mut waiting = vec![Batch::new(&(0..100).collect::<Vec<_>>())];
        let (mut sent, mut over, mut done) = (0, BTreeSet::new(), 0);
        while let Some(batch) = waiting.pop() {
            sent += 1;
            let found = batch.at.iter().filter(|at| bad.contains(at));
            let ids = |at: &usize| targets[*at].instance.provider_id.to_string();
            if found.clone().next().is_none() {
                done += batch.at.len();
                continue;
            }
            let error = DriverError::new(ErrorKind::NotFound, "refused");
            let named = found.take(names).map(ids).collect();
            let refused = Refusal { code: "InvalidInstanceID.NotFound".to_owned(), named, error };
            let (now, next) = apart(batch, &targets, &refused);
            over.extend(now);
            waiting.extend(next);
        }
        assert_eq!(over, bad.iter().copied().collect());
        assert_eq!(done, 100 - bad.len());
        sent
    }

    #[test]
    fn those_that_are_named_are_left_out() {
        let all: Vec<usize> = (0..100).collect();
        assert_eq!(requests(&all, 100), 1);
        assert_eq!(requests(&[3, 50, 98], 100), 2);
        assert_eq!(requests(&[7], 1), 2);
        assert!(requests(&all, 1) <= 100);
    }

    #[test]
    fn a_batch_is_halved_where_nobody_is_named() {
        let all: Vec<usize> = (0..100).collect();
        assert_eq!(requests(&all, 0), 199);
        assert!(requests(&[7], 0) <= 15);
    }

    #[test]
    fn a_refusal_of_the_call_is_everybodys() {
        assert!(is_of_some("InvalidInstanceID.NotFound") && is_of_some("IncorrectInstanceState"));
        assert!(!is_of_some("RequestLimitExceeded") && !is_of_some(""));
    }
}
