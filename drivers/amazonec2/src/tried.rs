//! What became of the attempts of intents that have several: a repeated create goes on where the first one was.
//!
//! Memory only. Where it is gone, the driver looks for what its predecessor made before it tries anything.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_driver::{DriverError, Instance};
use tokio::time::Instant;

use crate::errors::again;

/// Creates that may still be repeated; an account has a few dozen under way.
const KEPT: usize = 1_024;

/// What one attempt came to.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) made: Vec<Instance>,
    /// Why that is less than was asked.
    pub(crate) lack: Option<DriverError>,
}

impl Ended {
    fn again(&self) -> Self {
        Self { made: self.made.clone(), lack: self.lack.as_ref().map(again) }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tried {
    intents: Mutex<VecDeque<Intent>>,
}

#[derive(Debug)]
struct Intent {
    token: String,
    /// Another coordinator may have tried it before it was asked for here.
    inherited: Option<NonZeroU64>,
    asked: Instant,
    /// The attempts that are over, in their order; None while it is not known what was tried elsewhere.
    begun: Option<Vec<Ended>>,
}

impl Tried {
    /// When the intent was first asked for here. What was known of it is forgotten once it is inherited: another
    /// coordinator has had it since.
    pub(crate) fn asked(&self, token: &str, inherited: Option<NonZeroU64>) -> Instant {
        let mut intents = self.lock();
        let known = intents.iter().find(|intent| intent.token == token && intent.inherited == inherited);
        if let Some(known) = known {
            return known.asked;
        }
        intents.retain(|intent| intent.token != token);
        if intents.len() == KEPT {
            intents.pop_front();
        }
        let asked = Instant::now();
        intents.push_back(Intent { token: token.to_owned(), inherited, asked, begun: None });
        asked
    }

    /// The attempts that are over, in their order. None for an intent that was never begun here.
    pub(crate) fn of(&self, token: &str) -> Option<Vec<Ended>> {
        let intents = self.lock();
        let begun = intents.iter().find(|intent| intent.token == token)?.begun.as_ref()?;
        Some(begun.iter().map(Ended::again).collect())
    }

    /// Nothing was made of it elsewhere.
    pub(crate) fn begin(&self, token: &str) {
        let mut intents = self.lock();
        if let Some(intent) = intents.iter_mut().find(|intent| intent.token == token) {
            intent.begun.get_or_insert_default();
        }
    }

    /// The attempt `number` is over. Told twice, the first word stands.
    pub(crate) fn ended(&self, token: &str, number: usize, ended: &Ended) {
        let mut intents = self.lock();
        let known = intents.iter_mut().find(|intent| intent.token == token);
        let begun = known.and_then(|intent| intent.begun.as_mut());
        if let Some(attempts) = begun.filter(|attempts| attempts.len() == number) {
            attempts.push(ended.again());
        }
    }

    /// Every change is whole while the lock is held.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Intent>> {
        self.intents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use skep_driver::ErrorKind;

    use super::*;

    #[test]
    fn attempts_are_remembered_in_order_and_once() {
        let tried = Tried::default();
        tried.asked("t", None);
        assert!(tried.of("t").is_none());
        tried.begin("t");
        let lack = Some(DriverError::new(ErrorKind::Quota, "no more"));
        tried.ended("t", 0, &Ended { made: Vec::new(), lack });
        tried.ended("t", 0, &Ended::default());
        tried.begin("t");
        let ended = tried.of("t").unwrap();
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].lack.as_ref().unwrap().kind, ErrorKind::Quota);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_known_is_forgotten_when_the_intent_comes_back_from_another() {
        let tried = Tried::default();
        let first = tried.asked("t", None);
        tried.begin("t");
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(tried.asked("t", None), first);
        assert!(tried.of("t").is_some());
        let inherited = tried.asked("t", NonZeroU64::new(2));
        assert_eq!(inherited - first, Duration::from_secs(60));
        assert!(tried.of("t").is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(tried.asked("t", NonZeroU64::new(2)), inherited);
        tried.begin("t");
        // And from another once more.
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(tried.asked("t", NonZeroU64::new(4)) > inherited);
        assert!(tried.of("t").is_none());
    }

    #[test]
    fn the_oldest_intent_is_forgotten_first() {
        let tried = Tried::default();
        for number in 0..=KEPT {
            tried.asked(&number.to_string(), None);
            tried.begin(&number.to_string());
        }
        assert!(tried.of("0").is_none());
        assert!(tried.of("1").is_some());
    }
}
