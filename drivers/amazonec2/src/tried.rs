//! What became of the attempts of intents that have several: a repeated create goes on where the first one was.
//!
//! Memory only. Where it is gone, the driver looks for what its predecessor made before it tries anything.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_driver::{DriverError, Instance};

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

/// By the intent's token.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    intents: Mutex<VecDeque<(String, Vec<Ended>)>>,
}

impl Tried {
    /// The attempts that are over, in their order. None for an intent that was never begun here.
    pub(crate) fn of(&self, token: &str) -> Option<Vec<Ended>> {
        let intents = self.lock();
        let (_, ended) = intents.iter().find(|(known, _)| known == token)?;
        Some(ended.iter().map(Ended::again).collect())
    }

    pub(crate) fn begin(&self, token: &str) {
        let mut intents = self.lock();
        if intents.iter().any(|(known, _)| known == token) {
            return;
        }
        if intents.len() == KEPT {
            intents.pop_front();
        }
        intents.push_back((token.to_owned(), Vec::new()));
    }

    /// The attempt `number` is over. Told twice, the first word stands.
    pub(crate) fn ended(&self, token: &str, number: usize, ended: &Ended) {
        let mut intents = self.lock();
        let known = intents.iter_mut().find(|(known, _)| known == token);
        if let Some((_, attempts)) = known.filter(|(_, attempts)| attempts.len() == number) {
            attempts.push(ended.again());
        }
    }

    /// Every change is whole while the lock is held.
    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Vec<Ended>)>> {
        self.intents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use skep_driver::ErrorKind;

    use super::*;

    #[test]
    fn attempts_are_remembered_in_order_and_once() {
        let tried = Tried::default();
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

    #[test]
    fn the_oldest_intent_is_forgotten_first() {
        let tried = Tried::default();
        for number in 0..=KEPT {
            tried.begin(&number.to_string());
        }
        assert!(tried.of("0").is_none());
        assert!(tried.of("1").is_some());
    }
}
