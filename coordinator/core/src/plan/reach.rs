//! Which agents have to be dialled, because they do not dial in: behind a network that lets them reach nobody.

use skep_types::{ClusterTime, ConditionKind, Phase};

use super::View;
use super::account::owner_of;
use crate::state::{Host, Owner};

/// The silent hosts of accounts that `owned` admits, and since when each is silent: whoever can reach an account's endpoint
/// is where its hosts are tried from.
pub fn silent<'a>(
    view: &View<'a>,
    owned: impl Fn(&Owner) -> bool,
) -> impl Iterator<Item = (&'a Host, ClusterTime)> {
    let mine = move |host: &&Host| owner_of(host, view).is_some_and(&owned);
    let hosts = view.state.hosts.values().map(AsRef::as_ref);
    hosts.filter(|host| awaited(host)).filter(mine).map(|host| (host, silent_since(host)))
}

/// Whether there should be an agent that nobody hears.
fn awaited(host: &Host) -> bool {
    let alive = matches!(
        host.phase,
        Phase::Booting
            | Phase::Installing
            | Phase::Joining
            | Phase::Ready
            | Phase::Starting { intent: None }
            | Phase::Demoting
            | Phase::Leaving
    );
    alive && host.address().is_some() && !host.connected()
}

fn silent_since(host: &Host) -> ClusterTime {
    let lost = host.conditions.get(ConditionKind::AgentConnected).map(|condition| condition.since);
    lost.map_or(host.phase_since, |lost| lost.max(host.phase_since))
}
