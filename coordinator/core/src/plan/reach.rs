//! Which agents have to be dialled, because they do not dial in: behind a network that lets them reach nobody.

use std::time::Duration;

use skep_types::ConditionKind;

use super::View;
use super::account::owner_of;
use crate::state::{Host, Owner};

/// A host that nobody hears.
#[derive(Debug, Clone, Copy)]
pub struct Silent<'a> {
    pub host: &'a Host,
    pub silent_for: Duration,
    /// Its last session was one that it was dialled for: it will hardly come by itself.
    pub dialled_before: bool,
}

/// The silent hosts of accounts that `owned` admits: whoever can reach an account's endpoint is where its hosts are tried
/// from. Costs as much as there are silent hosts.
pub fn silent<'a>(view: &View<'a>, owned: impl Fn(&Owner) -> bool) -> impl Iterator<Item = Silent<'a>> {
    let now = view.now;
    let mine = move |host: &&Host| owner_of(host, view).is_some_and(&owned);
    let hosts = view.state.unheard().map(AsRef::as_ref);
    hosts.filter(mine).map(move |host| {
        let lost = host.conditions.get(ConditionKind::AgentConnected).map(|condition| condition.since);
        let since = lost.map_or(host.phase_since, |lost| lost.max(host.phase_since));
        let dialled_before = host.session.as_ref().is_some_and(|session| session.dialled);
        Silent { host, silent_for: now.since(since), dialled_before }
    })
}
