//! The leader's picture of who is there. All times are CLOCK_BOOTTIME.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use skep_core::State;
use skep_core::plan::owner;
use skep_core::state::Host;
use skep_types::{CoordinatorId, HostId};

use crate::raft::{AgentStream, Beat, Sighting};

/// With fewer connected hosts than this, "most of them vanished" says nothing.
const FLEET_TO_FREEZE: usize = 10;
/// However many vanished at once, after this many graces they are believed to be gone.
const FREEZE_GRACES: u32 = 10;
/// One beat, and a moment for one that is late: it costs nothing to knock in vain. Sooner at one that a connection broke to.
const MISSED_BEATS: Duration = Duration::from_millis(1_250);
/// In a row, a period of the knocks apart.
const REFUSALS: u32 = 2;

#[derive(Debug)]
pub(super) struct Picture {
    pub(super) term: u64,
    began: Duration,
    coordinators: BTreeMap<CoordinatorId, Heard>,
    /// To whom a connection broke, or could not be made, since the last beat or knock that was answered.
    out_of_touch: BTreeSet<CoordinatorId>,
    /// When a silent one last answered a knock: its connections may break for a while all the same.
    answered: BTreeMap<CoordinatorId, Duration>,
    refusals: BTreeMap<CoordinatorId, Refusals>,
    /// Hosts that should be connected and are in no coordinator's list, since when.
    missing: BTreeMap<HostId, Duration>,
}

/// Nobody listened at the ports of a silent one.
#[derive(Debug)]
struct Refusals {
    since: Duration,
    in_a_row: u32,
}

#[derive(Debug)]
struct Heard {
    at: Duration,
    process: u64,
    /// Session number and when the agent was heard, by host.
    agents: BTreeMap<HostId, (u64, Duration)>,
}

impl Picture {
    pub(super) fn new(term: u64, now: Duration) -> Self {
        Self {
            term,
            began: now,
            coordinators: BTreeMap::new(),
            out_of_touch: BTreeSet::new(),
            answered: BTreeMap::new(),
            refusals: BTreeMap::new(),
            missing: BTreeMap::new(),
        }
    }

    /// Whether this process of it was not heard of before.
    pub(super) fn heard(&mut self, beat: &Beat, now: Duration) -> bool {
        let agent =
            |stream: &AgentStream| (stream.host, (stream.session_number, now.saturating_sub(stream.silent)));
        let heard = Heard { at: now, process: beat.process, agents: beat.agents.iter().map(agent).collect() };
        self.refusals.remove(&beat.coordinator);
        self.out_of_touch.remove(&beat.coordinator);
        let before = self.coordinators.insert(beat.coordinator, heard);
        before.is_none_or(|before| before.process != beat.process)
    }

    pub(super) fn lost_touch(&mut self, id: CoordinatorId, now: Duration) {
        if self.answered.get(&id).is_none_or(|at| now >= *at + MISSED_BEATS) {
            self.out_of_touch.insert(id);
        }
    }

    pub(super) fn sightings(&self, now: Duration, grace: Duration) -> Vec<Sighting> {
        let sighting = |(id, heard): (&CoordinatorId, &Heard)| Sighting {
            coordinator: *id,
            alive: now < heard.at + grace,
            agents: u64::try_from(heard.agents.len()).unwrap_or(u64::MAX),
        };
        self.coordinators.iter().map(sighting).collect()
    }

    pub(super) fn owners(
        &self,
        state: &State,
        now: Duration,
        grace: Duration,
        silence: Duration,
    ) -> owner::Liveness {
        let alive = self.coordinators.iter().filter(|(_, heard)| now < heard.at + grace);
        let owners = state.accounts.values().flat_map(|account| account.owners.iter().flatten());
        owner::Liveness {
            alive: alive.map(|(id, heard)| (*id, heard.process)).collect(),
            expired: owners
                .map(|owner| owner.coordinator)
                .filter(|id| now >= self.last(id) + silence)
                .collect(),
            ended: self.ended().collect(),
            idle: self.idle(now),
        }
    }

    fn last(&self, id: &CoordinatorId) -> Duration {
        self.coordinators.get(id).map_or(self.began, |heard| heard.at)
    }

    /// Those whose doors may still tell something: after `silence` an owner has expired without.
    pub(super) fn silent(&self, state: &State, now: Duration, silence: Duration) -> Vec<CoordinatorId> {
        let members = state.coordinators.values().filter(|coordinator| !coordinator.removed);
        let open = |id: &CoordinatorId| self.is_silent(id, now) && now < self.last(id) + silence;
        members.map(|coordinator| coordinator.id).filter(|id| open(id) && !self.has_ended(id)).collect()
    }

    fn is_silent(&self, id: &CoordinatorId, now: Duration) -> bool {
        self.out_of_touch.contains(id) || now >= self.last(id) + MISSED_BEATS
    }

    /// Whether with this one it is known to have ended. A knock that a beat has overtaken says nothing.
    pub(super) fn knocked(&mut self, id: CoordinatorId, refused: bool, now: Duration) -> bool {
        if refused && self.is_silent(&id, now) {
            let refusals = self.refusals.entry(id).or_insert(Refusals { since: now, in_a_row: 0 });
            refusals.in_a_row = refusals.in_a_row.saturating_add(1);
        } else {
            self.refusals.remove(&id);
        }
        if !refused {
            self.out_of_touch.remove(&id);
            self.answered.insert(id, now);
        }
        self.has_ended(&id)
    }

    /// One that has ended had done so when it was first knocked at in vain; of others that are silent, nothing is known
    /// before their leases are over.
    fn idle(&self, now: Duration) -> BTreeMap<CoordinatorId, Duration> {
        let refusals = self.ended().filter_map(|id| Some((id, self.refusals.get(&id)?)));
        refusals.map(|(id, refusals)| (id, now.saturating_sub(refusals.since))).collect()
    }

    /// A process that is being replaced may have closed its ports a moment ago and not ended yet.
    fn has_ended(&self, id: &CoordinatorId) -> bool {
        self.refusals.get(id).is_some_and(|refusals| refusals.in_a_row >= REFUSALS)
    }

    fn ended(&self) -> impl Iterator<Item = CoordinatorId> {
        self.refusals.keys().copied().filter(|id| self.has_ended(id))
    }

    pub(super) fn lost_agents(
        &mut self,
        state: &State,
        now: Duration,
        grace: Duration,
    ) -> Vec<(HostId, u64)> {
        let connected: Vec<&Host> =
            state.hosts.values().map(AsRef::as_ref).filter(|host| host.connected()).collect();
        let missing: BTreeMap<HostId, Duration> = connected
            .iter()
            .filter_map(|host| Some((host.id, self.missing_since(host, now, grace)?)))
            .collect();
        self.missing = missing;
        let long = |wait: Duration| self.missing.values().filter(|since| now >= **since + wait).count();
        let most = connected.len() >= FLEET_TO_FREEZE && long(grace) * 2 > connected.len();
        let wait = if most { grace * FREEZE_GRACES } else { grace };
        if most {
            tracing::warn!(
                missing = long(grace),
                connected = connected.len(),
                "most agents vanished; waiting"
            );
        }
        let lost = |host: &&Host| {
            let since = self.missing.get(&host.id).filter(|since| now >= **since + wait);
            Some((host.id, since.and(host.session.as_ref())?.number))
        };
        connected.iter().filter_map(lost).collect()
    }

    /// When the host's agent was heard last, if it is not being heard now.
    fn missing_since(&self, host: &Host, now: Duration, grace: Duration) -> Option<Duration> {
        let session = host.session.as_ref()?;
        let heard = self.coordinators.get(&session.coordinator);
        let unheard = self.missing.get(&host.id).copied().unwrap_or(now);
        match heard {
            // It may have been heard by nobody since the term began: the coordinator has not said yet.
            None => Some(self.missing.get(&host.id).copied().unwrap_or(self.began)),
            Some(heard) if now >= heard.at + grace => {
                Some(self.missing.get(&host.id).copied().unwrap_or(heard.at))
            }
            Some(heard) => match heard.agents.get(&host.id) {
                Some((number, at)) if *number == session.number => (now >= *at + grace).then_some(*at),
                _ => Some(unheard),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: CoordinatorId = CoordinatorId(2);

    fn ended(picture: &Picture) -> bool {
        picture.ended().any(|id| id == ID)
    }

    #[test]
    fn a_refusal_counts_when_it_is_repeated_and_a_beat_ends_it() {
        let mut picture = Picture::new(1, Duration::ZERO);
        let late = MISSED_BEATS;
        assert!(!picture.knocked(ID, true, late));
        picture.knocked(ID, false, late);
        assert!(!picture.knocked(ID, true, late));
        assert!(picture.knocked(ID, true, late) && ended(&picture));
        let back = Duration::from_secs(3);
        picture.heard(&Beat { coordinator: ID, process: 1, agents: Vec::new() }, back);
        assert!(!ended(&picture));
        // Knocks from before the beat, answered after it.
        assert!(!picture.knocked(ID, true, back) && !picture.knocked(ID, true, back));
        let later = Duration::from_secs(5) + MISSED_BEATS;
        assert_eq!(picture.idle(later), BTreeMap::new());
        assert!(!picture.knocked(ID, true, later));
        let again = later + Duration::from_millis(250);
        assert!(picture.knocked(ID, true, again));
        assert_eq!(picture.idle(again), [(ID, again - later)].into());
    }

    #[test]
    fn one_that_a_connection_broke_to_is_silent_until_it_beats() {
        let (mut picture, now) = (Picture::new(1, Duration::ZERO), Duration::from_millis(10));
        let beat = Beat { coordinator: ID, process: 1, agents: Vec::new() };
        assert!(picture.heard(&beat, now) && !picture.heard(&beat, now));
        assert!(!picture.is_silent(&ID, now));
        picture.lost_touch(ID, now);
        assert!(picture.is_silent(&ID, now));
        let later = Duration::from_millis(260);
        assert!(!picture.knocked(ID, true, now) && picture.knocked(ID, true, later));
        assert_eq!(picture.idle(later), [(ID, later - now)].into());
        picture.heard(&beat, later);
        assert!(!picture.is_silent(&ID, later) && !ended(&picture));
        // Refused before the beat, and no answer that would leave it in peace.
        assert!(!picture.knocked(ID, true, later));
        picture.lost_touch(ID, later);
        assert!(picture.is_silent(&ID, later));
    }

    #[test]
    fn one_that_answers_a_knock_is_left_in_peace_for_a_while() {
        let (mut picture, now) = (Picture::new(1, Duration::ZERO), Duration::from_millis(10));
        picture.heard(&Beat { coordinator: ID, process: 1, agents: Vec::new() }, now);
        picture.lost_touch(ID, now);
        assert!(!picture.knocked(ID, false, now) && !picture.is_silent(&ID, now));
        picture.lost_touch(ID, now);
        assert!(!picture.is_silent(&ID, now));
        let later = now + MISSED_BEATS;
        picture.heard(&Beat { coordinator: ID, process: 1, agents: Vec::new() }, later);
        picture.lost_touch(ID, later);
        assert!(picture.is_silent(&ID, later));
    }
}
