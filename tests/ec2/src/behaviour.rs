//! How the EC2 of a test behaves, and what it saw.

use std::collections::BTreeMap;
use std::time::Duration;

/// May be changed while it runs.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// RequestLimitExceeded as EC2's buckets say; without, any number of requests is taken.
    pub throttle: bool,
    /// Of calls that change something: the change is made, and the connection closed without an answer.
    pub lost_percent: u8,
    /// How long a new instance is missing from descriptions.
    pub visible_after: Duration,
    /// How many more instances there is room for, in all.
    pub room: Option<u32>,
    /// Instance types, or types in a zone as `c7g.large/us-east-1a`, with how many more there is room for.
    pub room_of: BTreeMap<String, u32>,
}

impl Behaviour {
    /// EC2's default limits, and nothing that goes wrong.
    pub fn limited() -> Self {
        Self { throttle: true, ..Self::default() }
    }

    /// How many of `wanted` there is room for.
    pub(crate) fn granted(&self, instance_type: &str, zone: &str, wanted: u32) -> u32 {
        let room = |key: &str| self.room_of.get(key).copied().unwrap_or(u32::MAX);
        let here = room(instance_type).min(room(&format!("{instance_type}/{zone}")));
        wanted.min(here).min(self.room.unwrap_or(u32::MAX))
    }

    pub(crate) fn take(&mut self, instance_type: &str, zone: &str, count: u32) {
        let take = |room: &mut u32| *room = room.saturating_sub(count);
        self.room.iter_mut().for_each(take);
        for key in [instance_type.to_owned(), format!("{instance_type}/{zone}")] {
            self.room_of.entry(key).and_modify(take);
        }
    }
}

/// What was asked, by action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// All requests, refused ones among them.
    pub requests: BTreeMap<String, u32>,
    pub throttled: BTreeMap<String, u32>,
    /// Done, and answered to a caller that had gone.
    pub unheard: BTreeMap<String, u32>,
    /// Done, but never answered.
    pub lost: BTreeMap<String, u32>,
    /// Instances made.
    pub made: u32,
    /// How long the emulator itself took for each create; it works on one at a time.
    pub creates: Vec<Duration>,
}

impl Seen {
    pub fn requests_of(&self, action: &str) -> u32 {
        self.requests.get(action).copied().unwrap_or_default()
    }

    pub fn lost_of(&self, action: &str) -> u32 {
        self.lost.get(action).copied().unwrap_or_default()
    }

    pub fn unheard_of(&self, action: &str) -> u32 {
        self.unheard.get(action).copied().unwrap_or_default()
    }

    pub fn throttled_of(&self, action: &str) -> u32 {
        self.throttled.get(action).copied().unwrap_or_default()
    }
}

pub(crate) fn count(counters: &mut BTreeMap<String, u32>, action: &str) {
    *counters.entry(action.to_owned()).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_the_least_of_what_is_said() {
        let mut behaviour = Behaviour { room: Some(10), ..Behaviour::default() };
        behaviour.room_of.insert("a/z1".to_owned(), 0);
        behaviour.room_of.insert("b".to_owned(), 3);
        assert_eq!(behaviour.granted("a", "z1", 5), 0);
        assert_eq!(behaviour.granted("a", "z2", 5), 5);
        assert_eq!(behaviour.granted("b", "z1", 5), 3);
        behaviour.take("b", "z1", 3);
        assert_eq!((behaviour.granted("b", "z1", 5), behaviour.room), (0, Some(7)));
    }
}
