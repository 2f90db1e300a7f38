//! EC2's token buckets, as they are for an account that never asked for more. Pure: the time is told.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How much a bucket holds, and how much it gains in a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    pub burst: f64,
    pub per_second: f64,
}

const fn size(burst: f64, per_second: f64) -> Size {
    Size { burst, per_second }
}

/// Instances that RunInstances may make.
pub const INSTANCES: Size = size(1_000.0, 2.0);

/// Requests of one action. Some actions have buckets of their own, the others share one of their kind.
pub fn of_action(action: &str) -> (&str, Size) {
    match action {
        "RunInstances" => (action, size(5.0, 2.0)),
        "TerminateInstances" => (action, size(100.0, 5.0)),
        "CreateTags" => (action, size(100.0, 10.0)),
        reading if reading.starts_with("Describe") || reading.starts_with("Get") => {
            ("reading", size(100.0, 20.0))
        }
        _ => ("changing", size(50.0, 5.0)),
    }
}

/// How long calls take at least, whose tokens come from buckets that are full at first, and that are worked on one
/// after the other for as long as `work` says. Each takes so many tokens of each bucket.
pub fn shortest(buckets: &[(Size, u32)], work: &[Duration]) -> Duration {
    let mut end = Duration::ZERO;
    for (call, work) in (1u32..).zip(work) {
        let admitted = |(size, each): &(Size, u32)| {
            let tokens = f64::from(call) * f64::from(*each);
            Duration::from_secs_f64(((tokens - size.burst) / size.per_second).max(0.0))
        };
        let begin = buckets.iter().map(admitted).max().unwrap_or_default();
        end = end.max(begin) + *work;
    }
    end
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

/// The buckets of one account in one region.
#[derive(Debug, Default)]
pub struct Buckets {
    levels: HashMap<String, Level>,
}

impl Buckets {
    /// Takes `count` tokens, or none.
    pub fn take(&mut self, bucket: &str, size: Size, count: u32, now: Instant) -> bool {
        let full = || Level { tokens: size.burst, at: now };
        let level = self.levels.entry(bucket.to_owned()).or_insert_with(full);
        let gained = now.saturating_duration_since(level.at).as_secs_f64() * size.per_second;
        level.tokens = (level.tokens + gained).min(size.burst);
        level.at = now;
        let enough = level.tokens >= f64::from(count);
        if enough {
            level.tokens -= f64::from(count);
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_bucket_takes_its_burst_and_then_what_it_gains() {
        let (start, (name, size)) = (Instant::now(), of_action("RunInstances"));
        let mut buckets = Buckets::default();
        let taken = (0..8).filter(|_| buckets.take(name, size, 1, start)).count();
        assert_eq!(taken, 5);
        let later = start + Duration::from_secs(1);
        let taken = (0..8).filter(|_| buckets.take(name, size, 1, later)).count();
        assert_eq!(taken, 2);
    }

    #[test]
    fn too_many_tokens_at_once_take_none() {
        let (now, mut buckets) = (Instant::now(), Buckets::default());
        assert!(!buckets.take("instances", INSTANCES, 1_001, now));
        assert!(buckets.take("instances", INSTANCES, 1_000, now));
    }

    #[test]
    fn the_shortest_time_is_what_the_burst_leaves_over_and_the_last_calls_work() {
        let (requests, second) = (of_action("RunInstances").1, Duration::from_secs(1));
        let buckets = [(requests, 1), (INSTANCES, 100)];
        assert_eq!(shortest(&buckets, &[Duration::ZERO; 10]), Duration::from_millis(2_500));
        assert_eq!(shortest(&buckets, &[Duration::from_millis(100); 10]), Duration::from_millis(2_600));
        assert_eq!(shortest(&buckets, &[second; 10]), second * 10);
    }
}
