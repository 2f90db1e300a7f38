//! Driver calls: which hosts share one, and how many calls an account may have under way.

use std::sync::Arc;

use skep_types::{AccountName, ClusterTime, HostId, Phase, PowerAction, Template};

use super::View;
use crate::command::Guard;
use crate::state::{Account, Host, Owner, Shard};

/// Hosts of one power or destroy call: enough to save calls, few enough that one slow instance holds up few others.
const TARGETS: usize = 16;

/// An intent to open. The leader adds what a pure planner cannot make: tokens and sealed user-data.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    pub account: AccountName,
    pub shard: Shard,
    pub guards: Vec<Guard>,
    pub kind: WishKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum WishKind {
    Create(Arc<Template>),
    Power(PowerAction),
    Destroy,
}

impl WishKind {
    fn of(host: &Host) -> Option<Self> {
        match (&host.phase, host.desired.power) {
            (Phase::Pending, _) => Some(Self::Create(Arc::clone(&host.template))),
            (Phase::Deleting { .. }, _) => Some(Self::Destroy),
            (Phase::Ready | Phase::Stopped, Some(action)) => Some(Self::Power(action)),
            _ => None,
        }
    }

    fn hosts_max(&self, account: &Account) -> usize {
        match self {
            Self::Create(_) => usize::try_from(account.create_batch_max()).unwrap_or(1),
            Self::Power(_) | Self::Destroy => TARGETS,
        }
    }
}

pub(super) fn owner_of<'a>(host: &Host, view: &View<'a>) -> Option<&'a Owner> {
    let account = view.state.accounts.get(&host.template.account)?;
    account.owner(account.shard_of(host.id))
}

/// The calls to begin now, oldest hosts first, and when to look again for those that are in a pause.
pub fn plan(view: &View<'_>, account: &Account) -> (Vec<Wish>, Vec<(ClusterTime, HostId)>) {
    let open = view.state.open_intents(&account.name);
    let room = usize::try_from(account.calls_in_flight_max().saturating_sub(open)).unwrap_or(0);
    let mut wishes: Vec<Wish> = Vec::new();
    let mut wake = Vec::new();
    if room == 0 {
        return (wishes, wake);
    }
    for host in view.state.needy(&account.name) {
        if let Some(until) = host.retry_at.filter(|until| *until > view.now) {
            wake.push((until, host.id));
            continue;
        }
        let Some(kind) = WishKind::of(host) else { continue };
        let shard = account.shard_of(host.id);
        if account.owner(shard).is_none() || host.instance.is_none() && !matches!(kind, WishKind::Create(_)) {
            continue;
        }
        let guard = Guard { host: host.id, revision: host.revision };
        let fits = |wish: &Wish| {
            wish.shard == shard && wish.kind == kind && wish.guards.len() < kind.hosts_max(account)
        };
        match wishes.iter().rposition(fits) {
            Some(at) => wishes[at].guards.push(guard),
            None if wishes.len() < room => {
                wishes.push(Wish { account: account.name.clone(), shard, guards: vec![guard], kind });
            }
            None => break,
        }
    }
    (wishes, wake)
}
