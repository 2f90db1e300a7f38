//! When which instance is looked at. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use skep_types::{AccountName, HostId};
use tokio::time::Instant;

/// Addresses come within seconds, as a rule; each look that finds the instance still starting doubles the pause.
const FIRST: Duration = Duration::from_secs(3);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// While its account creates others, which are best looked at with it.
const GATHER_MAX: Duration = Duration::from_secs(10);
/// For longer than a boot may take: what does not run by then has failed.
const LOOKS: u32 = 20;

/// A host that may have got another address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) host: HostId,
    /// Whether its account has creates under way.
    pub(super) creating: bool,
    /// Changes with every start of its instance.
    pub(super) boot: (u32, u64),
    pub(super) account: AccountName,
    pub(super) epoch: u64,
}

/// Bounded by the hosts there are.
#[derive(Debug, Default)]
pub(super) struct Schedule(BTreeMap<HostId, Looks>);

#[derive(Debug)]
struct Looks {
    boot: (u32, u64),
    made: u32,
    /// None when there is nothing more to learn.
    next: Option<Instant>,
}

impl Schedule {
    /// The next look at each of them comes after a longer pause.
    pub(super) fn due(&mut self, wanted: Vec<Wanted>, now: Instant) -> Vec<Wanted> {
        let mut before = std::mem::take(&mut self.0);
        let mut due = Vec::new();
        for wanted in wanted {
            let known = before.remove(&wanted.host).filter(|looks| looks.boot == wanted.boot);
            let mut looks = known.unwrap_or_else(|| Looks::begin(wanted.boot, now));
            let host = wanted.host;
            if looks.are_due(now, wanted.creating) {
                due.push(wanted);
            }
            self.0.insert(host, looks);
        }
        due
    }

    /// Until it is started again.
    pub(super) fn settled(&mut self, host: HostId) {
        if let Some(looks) = self.0.get_mut(&host) {
            looks.next = None;
        }
    }
}

impl Looks {
    fn begin(boot: (u32, u64), now: Instant) -> Self {
        Self { boot, made: 0, next: Some(now + FIRST) }
    }

    fn are_due(&mut self, now: Instant, creating: bool) -> bool {
        let rest = if creating { GATHER_MAX } else { Duration::ZERO };
        if self.next.is_none_or(|next| next + rest > now) {
            return false;
        }
        self.made += 1;
        let pause = FIRST.saturating_mul(2_u32.saturating_pow(self.made)).min(PAUSE_MAX);
        self.next = (self.made < LOOKS).then(|| now + pause);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(boot: u64) -> Vec<Wanted> {
        let account = "aws".parse().unwrap();
        vec![Wanted { host: HostId::new(1, 1), creating: false, boot: (1, boot), account, epoch: 1 }]
    }

    /// After how many seconds it is looked at, within half an hour.
    fn seconds(schedule: &mut Schedule, boot: u64, start: Instant) -> Vec<u64> {
        let due = |at: &u64| !schedule.due(wanted(boot), start + Duration::from_secs(*at)).is_empty();
        (0..1800).filter(due).collect()
    }

    #[test]
    fn looks_come_ever_more_slowly_and_end() {
        let mut schedule = Schedule::default();
        let seconds = seconds(&mut schedule, 1, Instant::now());
        assert_eq!(seconds[..6], [3, 9, 21, 45, 93, 153]);
        assert_eq!((seconds.len(), seconds[19]), (20, 993));
    }

    #[test]
    fn looks_wait_for_what_is_being_made_but_not_for_ever() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        let creating = || wanted(1).into_iter().map(|wanted| Wanted { creating: true, ..wanted }).collect();
        let mut due = |at: u64, wanted| !schedule.due(wanted, start + Duration::from_secs(at)).is_empty();
        assert!(!due(0, creating()) && !due(3, creating()) && !due(12, creating()));
        assert!(due(13, creating()));
        assert!(!due(19, creating()) && due(19, wanted(1)));
    }

    #[test]
    fn what_is_settled_is_looked_at_when_it_is_started_again() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        assert!(schedule.due(wanted(1), start).is_empty());
        assert_eq!(schedule.due(wanted(1), start + FIRST), wanted(1));
        schedule.settled(HostId::new(1, 1));
        assert_eq!(seconds(&mut schedule, 1, start), Vec::<u64>::new());
        assert_eq!(seconds(&mut schedule, 2, start)[0], 3);
        // One that is gone is forgotten.
        assert!(schedule.due(Vec::new(), start).is_empty() && schedule.0.is_empty());
    }
}
