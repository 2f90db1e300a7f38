//! What this driver made a moment ago, for as long as EC2 may not show it yet.
//!
//! Memory only: a successor gets NotFound for such instances, which proves nothing within the settle window.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_ec2::types::{Instance as Described, InstanceState as State, InstanceStateName};
use tokio::time::Instant;

use crate::looks::Seen;

/// A settle window's worth of the largest account; beyond it the newest are not kept.
const KEPT: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Recent {
    settle: Duration,
    made: Mutex<HashMap<String, (Described, Instant)>>,
}

impl Recent {
    pub(crate) fn new(settle: Duration) -> Self {
        Self { settle, made: Mutex::default() }
    }

    pub(crate) fn made(&self, instances: &[Described]) {
        let (mut made, now) = (self.lock(), Instant::now());
        made.retain(|_, (_, since)| since.elapsed() < self.settle);
        let room = KEPT.saturating_sub(made.len());
        let told = instances.iter().take(room);
        made.extend(told.filter_map(|one| Some((one.instance_id()?.to_owned(), (one.clone(), now)))));
    }

    /// EC2 took the request to end it, and may not show that either.
    pub(crate) fn destroyed(&self, id: &str) {
        if let Some((one, _)) = self.lock().get_mut(id) {
            one.state = Some(State::builder().name(InstanceStateName::ShuttingDown).build());
        }
    }

    /// Those of `ids` that should be in `seen` and are not yet.
    pub(crate) fn missing_in(&self, seen: &Seen, ids: &[String]) -> Vec<(String, Described)> {
        let made = self.lock();
        let young = |id: &String| made.get(id).filter(|(_, since)| since.elapsed() < self.settle);
        let missing = ids.iter().filter(|id| !seen.contains_key(*id));
        missing.filter_map(|id| Some((id.clone(), young(id)?.0.clone()))).collect()
    }

    /// Every change is whole while the lock is held.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Described, Instant)>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(30);

    fn missing(recent: &Recent, seen: &Seen) -> usize {
        recent.missing_in(seen, &["i-1".to_owned(), "i-2".to_owned()]).len()
    }

    #[tokio::test(start_paused = true)]
    async fn an_instance_is_known_until_it_must_be_seen() {
        let recent = Recent::new(SETTLE);
        let one = Described::builder().instance_id("i-1").build();
        recent.made(std::slice::from_ref(&one));
        assert_eq!(missing(&recent, &Seen::new()), 1);
        assert_eq!(missing(&recent, &Seen::from([("i-1".to_owned(), one)])), 0);
        tokio::time::advance(SETTLE).await;
        assert_eq!(missing(&recent, &Seen::new()), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_destroyed_is_on_its_way_out() {
        let recent = Recent::new(SETTLE);
        recent.made(&[Described::builder().instance_id("i-1").build()]);
        recent.destroyed("i-1");
        recent.destroyed("i-2");
        let left = recent.missing_in(&Seen::new(), &["i-1".to_owned()]);
        let state = left[0].1.state().and_then(State::name);
        assert_eq!(state, Some(&InstanceStateName::ShuttingDown));
    }
}
