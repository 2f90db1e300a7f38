//! What an account is asked for at most from here, whichever program answers.
//!
//! Bounds are changed in place, not made anew: calls that wait already go on under those that hold now, and what is under way
//! is counted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skep_core::state::{Account, Share};
use skep_driver::Driver;
use skep_driver::decorators::{Begin, MaxInFlight, Throttle, decorate};
use skep_types::{CallClass, Limits, Revision};

use super::{Means, spent};

/// Of a shard's first owner: nobody has spent anything.
const FIRST_EPOCH: u64 = 1;

/// Nothing before the first call of each.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    acting: Mutex<Option<Held>>,
    looking: Mutex<Option<Looks>>,
}

/// Of the owner.
#[derive(Debug)]
struct Held {
    /// Of the account that it follows: whoever read an older one comes late.
    revision: Revision,
    /// What the throttle keeps.
    share: Share,
    throttle: Arc<Throttle>,
    in_flight: Arc<MaxInFlight>,
}

/// Of anybody who only looks.
#[derive(Debug)]
struct Looks {
    limits: Limits,
    throttle: Arc<Throttle>,
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
        let mut held = lock(&self.acting);
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
        if let Some(held) = lock(&self.acting).as_mut() {
            held.follow(account, means);
        }
    }

    /// The driver for looks: with a bucket of reads that is as large as the account's, and is not the owner's, which may be
    /// another coordinator.
    pub(super) fn around_looks(&self, driver: Arc<dyn Driver>, account: &Account) -> Arc<dyn Driver> {
        let limits = reads(account.limits());
        let mut looks = lock(&self.looking);
        let looks = match looks.as_mut() {
            Some(looks) => {
                looks.follow(limits);
                looks
            }
            None => looks.insert(Looks::first(limits)),
        };
        decorate(driver, Arc::clone(&looks.throttle))
    }
}

/// Every change is whole while the lock is held.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reads(mut limits: Limits) -> Limits {
    limits.calls.retain(|class, _| *class == CallClass::Read);
    limits.instances.retain(|class, _| *class == CallClass::Read);
    limits
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
        let in_flight = Arc::new(MaxInFlight::new(account.calls_in_flight_max()));
        Self { revision: account.revision, share, throttle, in_flight }
    }

    fn follow(&mut self, account: &Account, means: &Means) {
        if account.revision < self.revision {
            return;
        }
        self.revision = account.revision;
        self.in_flight.change(account.calls_in_flight_max());
        let share = account.share(means.id);
        if share != self.share {
            self.throttle.change(&share.limits, left(account, &share, means, false));
            self.share = share;
        }
    }
}

impl Looks {
    fn first(limits: Limits) -> Self {
        Self { throttle: Arc::new(Throttle::new(&limits, Begin::Full)), limits }
    }

    fn follow(&mut self, limits: Limits) {
        if limits != self.limits {
            let spent = Begin::After { idle: None, made: 0, paid: BTreeSet::new(), newest: None };
            self.throttle.change(&limits, spent);
            self.limits = limits;
        }
    }
}

fn left(account: &Account, share: &Share, means: &Means, first: bool) -> Begin {
    let (state, now) = (means.now)();
    spent::begin(&state, account, share, first.then(|| account.idle(means.id)), now)
}
