//! Who is dialled now, and by which ways. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use skep_types::HostId;
use tokio::time::Instant;

use super::way::Way;

/// Hosts dialled at once. Most that do not answer cost nothing but waiting; a login costs a few milliseconds.
const AT_ONCE: usize = 64;
/// After the first try of a host: an agent that enrolled over one connection needs a second one, for its session.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Connections by one way that should have led to a session.
const ENOUGH: u32 = 2;

/// A host that should be heard and is not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Silent {
    pub(super) host: HostId,
    pub(super) silent_for: Duration,
    /// Whoever owned its account then dialled it for its last session.
    pub(super) dialled_before: bool,
    /// Whether its driver has a way in.
    pub(super) tunnels: bool,
}

/// A host to dial, and the ways to try, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) host: HostId,
    pub(super) ways: &'static [Way],
}

/// What was tried. Bounded by the hosts that are silent.
#[derive(Debug)]
pub(super) struct Tries {
    /// How long agents are given to dial in by themselves.
    patience: Duration,
    hosts: BTreeMap<HostId, Try>,
}

#[derive(Debug, Clone, Copy)]
struct Try {
    next: Instant,
    /// The next one.
    pause: Duration,
    under_way: bool,
    led: Option<Led>,
}

/// The way that led there last, and did not end the silence: there was an enrolment, or nothing.
#[derive(Debug, Clone, Copy)]
struct Led {
    way: Way,
    /// One after the other.
    times: u32,
}

impl Tries {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, hosts: BTreeMap::new() }
    }

    /// The hosts to dial now; those that wait longest first, so that many that are gone hold up no other for ever.
    pub(super) fn due(&mut self, silent: &[Silent], now: Instant) -> Vec<Due> {
        self.forget_heard(silent);
        let mut due: Vec<(Instant, Due)> =
            silent.iter().filter_map(|silent| self.consider(silent, now)).collect();
        due.sort_by_key(|(since, _)| *since);
        let under_way = self.hosts.values().filter(|tried| tried.under_way).count();
        due.truncate(AT_ONCE.saturating_sub(under_way));
        for (_, due) in &due {
            let new = Try { next: now, pause: PAUSE_FIRST, under_way: false, led: None };
            self.hosts.entry(due.host).or_insert(new).under_way = true;
        }
        due.into_iter().map(|(_, due)| due).collect()
    }

    /// A host that is heard starts over when it falls silent again.
    fn forget_heard(&mut self, silent: &[Silent]) {
        let silent: BTreeSet<HostId> = silent.iter().map(|silent| silent.host).collect();
        self.hosts.retain(|host, tried| silent.contains(host) || tried.under_way);
    }

    /// Since when it is due, if it is.
    fn consider(&self, silent: &Silent, now: Instant) -> Option<(Instant, Due)> {
        let tried = self.hosts.get(&silent.host);
        let led = tried.and_then(|tried| tried.led);
        let dialled_before = silent.dialled_before || led.is_some();
        let patience = if dialled_before { Duration::ZERO } else { self.patience };
        let over = silent.silent_for.checked_sub(patience)?;
        let since = tried.map_or_else(|| now.checked_sub(over).unwrap_or(now), |tried| tried.next);
        if since > now || tried.is_some_and(|tried| tried.under_way) {
            return None;
        }
        Some((since, Due { host: silent.host, ways: ways(silent.tunnels, led) }))
    }

    /// Whether the try that is under way is the first of its host since that fell silent.
    pub(super) fn is_first(&self, host: HostId) -> bool {
        self.hosts.get(&host).is_some_and(|tried| tried.pause == PAUSE_FIRST)
    }

    /// Also a connection is followed by a longer and longer pause: if it led to a session, nobody waits for the next.
    pub(super) fn ended(&mut self, host: HostId, way: Option<Way>, now: Instant) {
        let Some(tried) = self.hosts.get_mut(&host) else { return };
        tried.under_way = false;
        if let Some(way) = way {
            let times = tried.led.filter(|led| led.way == way).map_or(0, |led| led.times);
            tried.led = Some(Led { way, times: times + 1 });
        }
        tried.next = now + tried.pause;
        tried.pause = (tried.pause * 2).min(PAUSE_MAX);
    }
}

/// Directly first: a tunnel costs a login, and lasts no longer than that. Then the way that led there, as an address that
/// a firewall hides is waited for; until it has led to nothing, as it does where somebody else has the host's address.
fn ways(tunnels: bool, led: Option<Led>) -> &'static [Way] {
    let first = match led {
        None => Way::Direct,
        Some(led) if led.times < ENOUGH => led.way,
        Some(led) => led.way.other(),
    };
    match (tunnels, first) {
        (false, _) => &[Way::Direct],
        (true, Way::Direct) => &[Way::Direct, Way::Tunnel],
        (true, Way::Tunnel) => &[Way::Tunnel, Way::Direct],
    }
}

#[cfg(test)]
mod tests;
