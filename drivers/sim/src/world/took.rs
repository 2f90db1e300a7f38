//! How long making the instances took, by the world's own clock: what no coordinator could have done faster.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use skep_types::IntentId;
use tokio::time::Instant;

use super::{SimWorld, ms};

/// Of everything that skep asked for in this world's life. Times are seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Took {
    pub instances: usize,
    /// Different create calls; replays are the same call.
    pub creates: usize,
    /// From the arrival of the first create to the last instance running.
    pub observed_s: f64,
    /// The same, had every create arrived as early as the calls the driver takes at once allow.
    pub own_s: f64,
}

/// One create call: when it came, and how long it was until the last of its instances ran.
#[derive(Debug, Clone, Copy)]
struct Create {
    at: Instant,
    until: Instant,
}

impl SimWorld {
    pub fn took(&self) -> Took {
        let state = self.lock();
        let mut creates: BTreeMap<(&str, IntentId), Create> = BTreeMap::new();
        let mut instances = 0;
        for record in state.instances.values() {
            let (Some(cluster), Some(intent)) = (record.cluster.as_deref(), record.intent) else { continue };
            let until = record.ready_at + ms(record.boot_ms);
            let create = creates.entry((cluster, intent)).or_insert(Create { at: record.made_at, until });
            create.at = create.at.min(record.made_at);
            create.until = create.until.max(until);
            instances += 1;
        }
        let creates: Vec<Create> = creates.into_values().collect();
        let first = creates.iter().map(|create| create.at).min();
        let last = creates.iter().map(|create| create.until).max();
        let observed = first.zip(last).map_or(Duration::ZERO, |(first, last)| last - first);
        Took {
            instances,
            creates: creates.len(),
            observed_s: observed.as_secs_f64(),
            own_s: own(&creates, self.config.calls_in_flight_max).as_secs_f64(),
        }
    }
}

/// The end of the last call when all wait at the door from the beginning, and `at_once` of them are let in at once.
fn own(creates: &[Create], at_once: u32) -> Duration {
    let places = usize::try_from(at_once.max(1)).unwrap_or(usize::MAX).min(creates.len().max(1));
    let mut free = vec![Duration::ZERO; places];
    for create in creates {
        if let Some(earliest) = free.iter_mut().min() {
            *earliest += create.until - create.at;
        }
    }
    free.into_iter().max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_wait_for_a_place() {
        let at = Instant::now();
        let create = |seconds| Create { at, until: at + Duration::from_secs(seconds) };
        let creates = [create(3), create(5), create(4)];
        assert_eq!(own(&creates, 3), Duration::from_secs(5));
        assert_eq!(own(&creates, 2), Duration::from_secs(7));
        assert_eq!(own(&creates, 1), Duration::from_secs(12));
        assert_eq!(own(&[], 1), Duration::ZERO);
    }
}
