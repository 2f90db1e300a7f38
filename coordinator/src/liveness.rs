//! Who is there, outside the log: coordinators beat to the leader once a second, and name their agents' streams.
//!
//! The leader's picture begins empty with each term, so that nobody is lost to an election: a coordinator or an agent is
//! missed only after a full grace in which it could have been heard.

mod picture;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use skep_core::State;
use skep_core::plan::owner;
use skep_types::{CoordinatorId, HostId};

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
}

impl Liveness {
    pub fn new(clock: Arc<dyn Clock>, graces: Graces) -> Self {
        let picture = Mutex::new(Picture::new(clock.boottime()));
        Self { clock, graces, picture, told: Mutex::default() }
    }

    /// This coordinator has just become the leader: what it knew of an earlier term counts for nothing.
    pub fn lead(&self) {
        *self.lock() = Picture::new(self.clock.boottime());
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
        self.lock().knocked(id, refused, self.clock.boottime())
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

    fn lock(&self) -> std::sync::MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BeatHandler for Liveness {
    async fn beat(&self, beat: Beat, term: u64) -> BeatAnswer {
        let now = self.clock.boottime();
        let mut picture = self.lock();
        picture.heard(&beat, now);
        BeatAnswer { term, sightings: picture.sightings(now, self.graces.agent) }
    }
}
