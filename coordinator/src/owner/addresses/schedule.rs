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
/// With an answer. They take longer than a boot may take: what does not run by then has failed.
const LOOKS: u32 = 20;

/// Changes when an instance is started again.
pub(super) type Boot = (u32, u64);

/// A host that may have got another address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) host: HostId,
    pub(super) rest: Rest,
    pub(super) boot: Boot,
    pub(super) account: AccountName,
    pub(super) epoch: u64,
}

/// What keeps a look that is due waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    None,
    /// Creates of its account are under way.
    ForAWhile,
    /// Looks of its account are.
    UntilTheRoundEnds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    NotYet,
    /// There is nothing more to learn until it is started again.
    Settled,
}

/// Bounded by the hosts there are.
#[derive(Debug, Default)]
pub(super) struct Schedule(BTreeMap<HostId, Looks>);

#[derive(Debug)]
struct Looks {
    boot: Boot,
    answered: u32,
    /// None when there is nothing more to learn.
    next: Option<Instant>,
}

impl Schedule {
    /// Those are due again after the longest pause, unless their answers come before.
    pub(super) fn due(&mut self, wanted: Vec<Wanted>, now: Instant) -> Vec<Wanted> {
        let mut before = std::mem::take(&mut self.0);
        let mut due = Vec::new();
        for wanted in wanted {
            let known = before.remove(&wanted.host).filter(|looks| looks.boot == wanted.boot);
            let mut looks = known.unwrap_or_else(|| Looks::begin(wanted.boot, now));
            let host = wanted.host;
            if looks.are_due(now, wanted.rest) {
                looks.next = Some(now + PAUSE_MAX);
                due.push(wanted);
            }
            self.0.insert(host, looks);
        }
        due
    }

    /// What was asked before its instance was started again says nothing.
    pub(super) fn answered(&mut self, host: HostId, boot: Boot, answer: Answer, now: Instant) {
        let Some(looks) = self.0.get_mut(&host).filter(|looks| looks.boot == boot) else { return };
        looks.answered += 1;
        let pause = FIRST.saturating_mul(2_u32.saturating_pow(looks.answered)).min(PAUSE_MAX);
        let again = answer == Answer::NotYet && looks.answered < LOOKS;
        looks.next = again.then(|| now + pause);
    }
}

impl Looks {
    fn begin(boot: Boot, now: Instant) -> Self {
        Self { boot, answered: 0, next: Some(now + FIRST) }
    }

    fn are_due(&self, now: Instant, rest: Rest) -> bool {
        let rest = match rest {
            Rest::None => Duration::ZERO,
            Rest::ForAWhile => GATHER_MAX,
            Rest::UntilTheRoundEnds => return false,
        };
        self.next.is_some_and(|next| next + rest <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: HostId = HostId::new(1, 1);

    fn wanted(boot: u64, rest: Rest) -> Vec<Wanted> {
        vec![Wanted { host: HOST, rest, boot: (1, boot), account: "aws".parse().unwrap(), epoch: 1 }]
    }

    /// After how many seconds it is looked at, within half an hour.
    fn seconds(schedule: &mut Schedule, boot: u64, start: Instant, answer: Option<Answer>) -> Vec<u64> {
        let mut looked = Vec::new();
        for at in 0..1800 {
            let now = start + Duration::from_secs(at);
            if !schedule.due(wanted(boot, Rest::None), now).is_empty() {
                looked.push(at);
                answer.iter().for_each(|answer| schedule.answered(HOST, (1, boot), *answer, now));
            }
        }
        looked
    }

    #[test]
    fn looks_come_ever_more_slowly_and_end() {
        let seconds = seconds(&mut Schedule::default(), 1, Instant::now(), Some(Answer::NotYet));
        assert_eq!(seconds[..6], [3, 9, 21, 45, 93, 153]);
        assert_eq!((seconds.len(), seconds[19]), (20, 993));
    }

    #[test]
    fn looks_without_an_answer_are_made_for_as_long_as_it_takes() {
        let seconds = seconds(&mut Schedule::default(), 1, Instant::now(), None);
        assert_eq!((seconds.len(), &seconds[..3]), (30, &[3, 63, 123][..]));
    }

    #[test]
    fn looks_wait_for_what_is_being_made_but_not_for_ever() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        let mut due =
            |at: u64, rest| !schedule.due(wanted(1, rest), start + Duration::from_secs(at)).is_empty();
        assert!(!due(0, Rest::ForAWhile) && !due(3, Rest::ForAWhile) && !due(12, Rest::ForAWhile));
        assert!(!due(13, Rest::UntilTheRoundEnds) && due(13, Rest::ForAWhile));
        assert!(!due(73, Rest::ForAWhile) && due(73, Rest::None));
    }

    #[test]
    fn what_is_settled_is_looked_at_when_it_is_started_again() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        assert_eq!(seconds(&mut schedule, 1, start, Some(Answer::Settled)), [3]);
        assert!(schedule.due(wanted(2, Rest::None), start).is_empty());
        schedule.answered(HOST, (1, 1), Answer::Settled, start);
        assert_eq!(seconds(&mut schedule, 2, start, Some(Answer::Settled)), [3]);
        // One that is gone is forgotten.
        assert!(schedule.due(Vec::new(), start).is_empty() && schedule.0.is_empty());
    }
}
