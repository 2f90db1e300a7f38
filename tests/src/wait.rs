//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// Between two looks: short beside everything that is measured here.
const LOOK: Duration = Duration::from_millis(50);

/// Looks until there is something, and returns it with the time it took. Panics after `bound`, naming `what`.
pub fn until<T>(bound: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> (T, Duration) {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return (seen, started.elapsed());
        }
        assert!(started.elapsed() < bound, "not within {bound:?}: {what}");
        std::thread::sleep(LOOK);
    }
}

/// As [`until`], for what is or is not.
pub fn until_true(bound: Duration, what: &str, mut look: impl FnMut() -> bool) -> Duration {
    until(bound, what, || look().then_some(())).1
}
