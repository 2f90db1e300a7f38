//! What became of the attempts of intents that have several: a repeated create goes on where the first one was.
//!
//! Memory only. Where it is gone, the driver looks for what its predecessor made before it tries anything.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use skep_driver::Instance;

/// Creates that may still be repeated; an account has a few dozen under way.
const KEPT: usize = 1_024;

/// By the intent's token.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    intents: Mutex<VecDeque<(String, Vec<Vec<Instance>>)>>,
}

impl Tried {
    /// What each attempt made that is over, in their order. None for an intent that was never begun here.
    pub(crate) fn of(&self, token: &str) -> Option<Vec<Vec<Instance>>> {
        self.lock().iter().find(|(known, _)| known == token).map(|(_, made)| made.clone())
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

    /// The attempt `number` is over and made these. Told twice, the first word stands.
    pub(crate) fn ended(&self, token: &str, number: usize, made: &[Instance]) {
        let mut intents = self.lock();
        let known = intents.iter_mut().find(|(known, _)| known == token);
        if let Some((_, attempts)) = known.filter(|(_, attempts)| attempts.len() == number) {
            attempts.push(made.to_vec());
        }
    }

    /// Every change is whole while the lock is held.
    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Vec<Vec<Instance>>)>> {
        self.intents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_remembered_in_order_and_once() {
        let tried = Tried::default();
        assert_eq!(tried.of("t"), None);
        tried.begin("t");
        tried.ended("t", 0, &[]);
        tried.ended("t", 0, &[]);
        tried.begin("t");
        assert_eq!(tried.of("t"), Some(vec![Vec::new()]));
    }

    #[test]
    fn the_oldest_intent_is_forgotten_first() {
        let tried = Tried::default();
        for number in 0..=KEPT {
            tried.begin(&number.to_string());
        }
        assert_eq!(tried.of("0"), None);
        assert!(tried.of("1").is_some());
    }
}
