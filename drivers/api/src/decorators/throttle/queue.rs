//! Whose turn it is.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skep_types::IntentId;
use tokio::sync::Notify;

/// Creates that are opened at once come within so long, in no order: each lets the others come before it asks whose turn it is.
const GATHER: Duration = Duration::from_millis(5);

/// Where a call stands among those that wait; those of one place do so as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// May have been sent by an owner before this one.
    Begun(Reverse<IntentId>),
    /// None for all but creates.
    New(Option<IntentId>),
}

impl Default for Place {
    fn default() -> Self {
        Self::New(None)
    }
}

impl Place {
    pub(super) fn of(intent: Option<IntentId>, newest_begun: Option<IntentId>) -> Self {
        match intent {
            Some(intent) if Some(intent) <= newest_begun => Self::Begun(Reverse(intent)),
            intent => Self::New(intent),
        }
    }

    fn of_a_create(self) -> bool {
        self != Self::New(None)
    }
}

/// Bounded by the calls that may be under way at once.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    tickets: BTreeSet<Ticket>,
    /// Given out so far.
    given: u64,
}

type Ticket = (Place, u64);

/// The next one's turn comes when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    queue: &'a Queue,
    ticket: Ticket,
}

impl Queue {
    /// Comes back when nobody waits before this one. Somebody who comes later may have a better place.
    pub(super) async fn turn(&self, place: Place) -> Turn<'_> {
        let turn = self.join(place);
        if place.of_a_create() {
            tokio::time::sleep(GATHER).await;
        }
        loop {
            let mut moved = pin!(self.moved.notified());
            moved.as_mut().enable();
            if self.lock().tickets.first() == Some(&turn.ticket) {
                return turn;
            }
            moved.await;
        }
    }

    fn join(&self, place: Place) -> Turn<'_> {
        let mut waiting = self.lock();
        let ticket = (place, waiting.given);
        waiting.given += 1;
        waiting.tickets.insert(ticket);
        Turn { queue: self, ticket }
    }

    /// Every change is whole while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.queue.lock().tickets.remove(&self.ticket);
        self.queue.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use futures::stream::FuturesUnordered;

    use super::*;

    fn intent(number: u64) -> Option<IntentId> {
        Some(IntentId::new(1, number))
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_begun_comes_first_and_the_newest_of_it() {
        let queue = Queue::default();
        let first = queue.turn(Place::of(intent(9), intent(9))).await;
        let queue = &queue;
        let wait = |number| async move {
            drop(queue.turn(Place::of(intent(number), intent(3))).await);
            number
        };
        let mut waiting: FuturesUnordered<_> = [6, 2, 5, 1, 4, 3].into_iter().map(wait).collect();
        assert!(futures::poll!(waiting.next()).is_pending());
        drop(first);
        let order: Vec<u64> = waiting.collect().await;
        assert_eq!(order, [3, 2, 1, 4, 5, 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn creates_opened_at_once_pass_in_the_order_of_their_intents() {
        let queue = &Queue::default();
        let come = |(late, number)| async move {
            tokio::time::sleep(Duration::from_millis(late)).await;
            drop(queue.turn(Place::of(intent(number), None)).await);
            number
        };
        let coming: FuturesUnordered<_> = (0..).zip([4, 2, 5, 1, 3]).map(come).collect();
        let order: Vec<u64> = coming.collect().await;
        assert_eq!(order, [1, 2, 3, 4, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_creates_nothing_does_not_rest() {
        let queue = Queue::default();
        assert!(futures::poll!(Box::pin(queue.turn(Place::default()))).is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_goes_away_keeps_nobody_waiting() {
        let queue = Queue::default();
        let first = queue.turn(Place::default()).await;
        let mut gone = Box::pin(queue.turn(Place::of(intent(1), None)));
        let mut last = Box::pin(queue.turn(Place::of(intent(2), None)));
        assert!(futures::poll!(&mut gone).is_pending() && futures::poll!(&mut last).is_pending());
        tokio::time::advance(GATHER).await;
        assert!(futures::poll!(&mut gone).is_pending() && futures::poll!(&mut last).is_pending());
        drop((first, gone));
        assert!(futures::poll!(last).is_ready());
    }
}
