//! What an account is asked for at most from here, whichever program answers.
//!
//! Bounds are changed in place, not made anew: calls that wait already go on under those that hold now, and what is under way
//! is counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_core::state::{Account, Share};
use skep_driver::Driver;
use skep_driver::decorators::{Begin, MaxInFlight, Throttle, decorate};

use super::{Means, spent};

/// Of a shard's first owner: nobody has spent anything.
const FIRST_EPOCH: u64 = 1;

/// Of the owner's calls. Nothing before the first of them.
#[derive(Debug, Default)]
pub(super) struct Bounds(Mutex<Option<Held>>);

#[derive(Debug)]
struct Held {
    /// What the throttle keeps.
    share: Share,
    throttle: Arc<Throttle>,
    in_flight: Arc<MaxInFlight>,
}

impl Bounds {
    /// The driver, bounded as the account is now. The first owner begins with full buckets; another epoch, and other
    /// limits, with what is certainly left.
    pub(super) fn around(
        &self,
        driver: Arc<dyn Driver>,
        account: &Account,
        means: &Means,
    ) -> Arc<dyn Driver> {
        let mut held = self.lock();
        let held = match held.as_mut() {
            Some(held) => {
                held.follow(account, means);
                held
            }
            None => held.insert(Held::first(account, means)),
        };
        // In this order, waiting for a turn or a token does not count against a call. How many calls there are at once,
        // the leader bounds for the account as a whole.
        decorate(decorate(driver, Arc::clone(&held.throttle)), Arc::clone(&held.in_flight))
    }

    /// For calls that wait, and while nobody makes another one.
    pub(super) fn follow(&self, account: &Account, means: &Means) {
        if let Some(held) = self.lock().as_mut() {
            held.follow(account, means);
        }
    }

    /// Every change is whole while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn first(account: &Account, means: &Means) -> Self {
        let share = account.share(means.id);
        let begin = if share.shards.values().all(|epoch| *epoch <= FIRST_EPOCH) {
            Begin::Full
        } else {
            // What came in before it began is counted once.
            left(account, &share, means, true)
        };
        let throttle = Arc::new(Throttle::new(&share.limits, begin));
        Self { share, throttle, in_flight: Arc::new(MaxInFlight::new(account.calls_in_flight_max())) }
    }

    fn follow(&mut self, account: &Account, means: &Means) {
        self.in_flight.change(account.calls_in_flight_max());
        let share = account.share(means.id);
        if share != self.share {
            self.throttle.change(&share.limits, left(account, &share, means, false));
            self.share = share;
        }
    }
}

fn left(account: &Account, share: &Share, means: &Means, first: bool) -> Begin {
    let (state, now) = (means.now)();
    spent::begin(&state, account, share, first.then(|| account.idle(means.id)), now)
}
