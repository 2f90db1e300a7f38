//! Who is there, outside the log: coordinators beat to the leader once a second, and name their agents' streams.
//!
//! The leader's picture begins empty with each term, so that nobody is lost to an election: a coordinator or an agent is
//! missed only after a full grace in which it could have been heard.

mod picture;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use skep_core::State;
use skep_core::plan::owner;
use skep_types::{CoordinatorId, HostId};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::raft::{Beat, BeatAnswer, BeatHandler, Sighting};
use picture::Picture;

/// How long silence proves nothing.
#[derive(Debug, Clone, Copy)]
pub struct Graces {
    /// Of an agent, and of a coordinator whose agents may have gone elsewhere.
    pub agent: Duration,
    /// Of an owner: its lease, measured from the sending of a beat.
    pub owner_lease: Duration,
    /// The longest a driver call of an owner may go on after its lease ended.
    pub driver_call: Duration,
}

#[derive(Debug)]
pub struct Liveness {
    clock: Arc<dyn Clock>,
    graces: Graces,
    picture: Mutex<Picture>,
    /// What the leader answered last.
    told: Mutex<Vec<Sighting>>,
    /// What may move an account.
    news: Notify,
}

impl Liveness {
    pub fn new(clock: Arc<dyn Clock>, graces: Graces) -> Self {
        let picture = Mutex::new(Picture::new(0, clock.boottime()));
        Self { clock, graces, picture, told: Mutex::default(), news: Notify::new() }
    }

    /// This coordinator leads in `term`: what it knew of an earlier one counts for nothing. Within a term a leader that
    /// lost touch for a moment keeps its picture: begun anew at each such moment, no silence would ever be long enough.
    pub fn lead(&self, term: u64) {
        drop(self.of_term(term));
    }

    fn of_term(&self, term: u64) -> MutexGuard<'_, Picture> {
        let mut picture = self.lock();
        if picture.term < term {
            *picture = Picture::new(term, self.clock.boottime());
        }
        picture
    }

    pub fn owners(&self, state: &State) -> owner::Liveness {
        self.lock().owners(state, self.clock.boottime(), self.graces.agent, self.silence())
    }

    /// After which an owner has certainly ended whatever it had begun.
    fn silence(&self) -> Duration {
        self.graces.owner_lease + self.graces.driver_call
    }

    /// Coordinators that missed beats, and may have ended.
    pub(crate) fn silent(&self, state: &State) -> Vec<CoordinatorId> {
        self.lock().silent(state, self.clock.boottime(), self.silence())
    }

    /// Whether a silent coordinator is known to have ended, now that it was `refused` at its ports or not.
    pub(crate) fn knocked(&self, id: CoordinatorId, refused: bool) -> bool {
        let ended = self.lock().knocked(id, refused, self.clock.boottime());
        if ended {
            self.news.notify_one();
        }
        ended
    }

    /// Comes back when a coordinator's process has come or is known to have ended.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    /// Connected hosts whose agents nobody has heard for the grace, with their session numbers.
    pub fn lost_agents(&self, state: &State) -> Vec<(HostId, u64)> {
        self.lock().lost_agents(state, self.clock.boottime(), self.graces.agent)
    }

    pub(crate) fn told(&self, sightings: Vec<Sighting>) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = sightings;
    }

    /// Every coordinator, as the leader saw it at this coordinator's last beat.
    pub fn sightings(&self) -> Vec<Sighting> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BeatHandler for Liveness {
    async fn beat(&self, beat: Beat, term: u64) -> BeatAnswer {
        let now = self.clock.boottime();
        let mut picture = self.of_term(term);
        if picture.heard(&beat, now) {
            self.news.notify_one();
        }
        BeatAnswer { term, sightings: picture.sightings(now, self.graces.agent) }
    }

    fn lost_touch(&self, peer: CoordinatorId) {
        self.lock().lost_touch(peer, self.clock.boottime());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::BootClock;

    #[tokio::test]
    async fn the_picture_is_kept_within_a_term() {
        let second = Duration::from_secs(1);
        let graces = Graces { agent: second, owner_lease: second, driver_call: second };
        let liveness = Liveness::new(Arc::new(BootClock), graces);
        let beat = |id| Beat { coordinator: CoordinatorId(id), process: 1, agents: Vec::new() };
        let mut seen = Vec::new();
        // A beat may come before the leader's own loops have begun.
        for (id, term) in [(1, 3), (2, 3), (1, 5), (2, 5), (2, 3), (2, 5)] {
            seen.push(liveness.beat(beat(id), term).await.sightings.len());
            liveness.lead(term);
        }
        assert_eq!(seen, [1, 2, 1, 2, 2, 2]);
    }
}
