//! How the EC2 of a test behaves, and what it saw.

use std::collections::{BTreeMap, BTreeSet};
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
    /// Whoever asks is outside the instances' network: machines have the public addresses of their instances, and the
    /// private ones lead nowhere.
    pub outside: bool,
    /// How many more instances there is room for, in all.
    pub room: Option<u32>,
    /// Instance types, types in a zone as `c7g.large/us-east-1a`, or `spot`, with how many more there is room for.
    pub room_of: BTreeMap<String, u32>,
    /// The same things, of which the account may have no more.
    pub quota_spent: BTreeSet<String>,
}

impl Behaviour {
    /// EC2's default limits, and nothing that goes wrong.
    pub fn limited() -> Self {
        Self { throttle: true, ..Self::default() }
    }

    /// How many of `wanted` there is room for.
    pub(crate) fn granted(&self, shapes: &[String], wanted: u32) -> u32 {
        let room = shapes.iter().filter_map(|shape| self.room_of.get(shape)).chain(&self.room);
        room.copied().fold(wanted, u32::min)
    }

    pub(crate) fn take(&mut self, shapes: &[String], count: u32) {
        let take = |room: &mut u32| *room = room.saturating_sub(count);
        self.room.iter_mut().for_each(take);
        for shape in shapes {
            self.room_of.entry(shape.clone()).and_modify(take);
        }
    }

    pub(crate) fn exceeds_quota(&self, shapes: &[String]) -> bool {
        shapes.iter().any(|shape| self.quota_spent.contains(shape))
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
        let shapes =
            |instance_type: &str, zone: &str| [instance_type.to_owned(), format!("{instance_type}/{zone}")];
        assert_eq!(behaviour.granted(&shapes("a", "z1"), 5), 0);
        assert_eq!(behaviour.granted(&shapes("a", "z2"), 5), 5);
        assert_eq!(behaviour.granted(&shapes("b", "z1"), 5), 3);
        behaviour.take(&shapes("b", "z1"), 3);
        assert_eq!((behaviour.granted(&shapes("b", "z1"), 5), behaviour.room), (0, Some(7)));
    }
}
