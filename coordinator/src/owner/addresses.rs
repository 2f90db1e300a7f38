//! Where instances are: providers that give addresses late, or others at each start, are asked until an instance runs.
//!
//! ```text
//!  bound, or started again ─► due ─► observe, several a call ─► Addressed, if the record says otherwise
//!                              ▲────── does not run yet ──────┘
//! ```

mod schedule;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use skep_core::State;
use skep_core::command::{Addresses, OutcomeCommand};
use skep_core::state::{self, Host};
use skep_driver::{DriverError, Instance, InstanceState};
use skep_types::{AccountName, HostId, Phase, chain};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::call::Caller;
use super::{Ownership, creating};
use crate::context::Context;
use crate::kept;
use schedule::{Schedule, Wanted};

/// Between two looks at what is due.
const TICK: Duration = Duration::from_secs(1);
/// Of one call: few, as each may carry what its driver keeps of it.
const TARGETS: usize = 16;
const CALLS_AT_ONCE: usize = 16;

pub(super) async fn run(context: Context, ownership: Ownership, stop: CancellationToken) {
    let mut schedule = Schedule::default();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let calls = calls(schedule.due(wanted(&context, &ownership), Instant::now()));
        let looks = stream::iter(calls).map(|call| {
            let caller = Caller::new(&context, &ownership, call.epoch, stop.clone());
            look(caller, ownership.clone(), call)
        });
        let settled: Vec<Vec<HostId>> = looks.buffer_unordered(CALLS_AT_ONCE).collect().await;
        settled.into_iter().flatten().for_each(|host| schedule.settled(host));
    }
}

struct Call {
    account: AccountName,
    epoch: u64,
    hosts: Vec<HostId>,
}

fn calls(due: Vec<Wanted>) -> Vec<Call> {
    let mut hosts: BTreeMap<(AccountName, u64), Vec<HostId>> = BTreeMap::new();
    for Wanted { host, account, epoch, .. } in due {
        hosts.entry((account, epoch)).or_default().push(host);
    }
    let mut calls = Vec::new();
    for ((account, epoch), hosts) in hosts {
        let one = |hosts: &[HostId]| Call { account: account.clone(), epoch, hosts: hosts.to_vec() };
        calls.extend(hosts.chunks(TARGETS).map(one));
    }
    calls
}

/// The hosts whose instances may have got other addresses, where this coordinator asks about them.
fn wanted(context: &Context, ownership: &Ownership) -> Vec<Wanted> {
    let state = context.raft.state();
    let accounts = state.accounts.values().filter(|account| account.driver.addresses_change);
    let creating: BTreeMap<_, _> =
        accounts.map(|account| (&account.name, creating(&state, &account.name))).collect();
    if creating.is_empty() {
        return Vec::new();
    }
    let wanted = |host: &Arc<Host>| {
        let account = state.accounts.get(&host.template.account)?;
        let owner = account.owner(account.shard_of(host.id))?;
        let mine = owner.coordinator == context.id && owner.process == ownership.process;
        let creating = *creating.get(&account.name)?;
        (mine && starts_or_runs(host)).then(|| Wanted {
            host: host.id,
            creating,
            boot: (host.incarnation, host.session_floor),
            account: account.name.clone(),
            epoch: owner.epoch,
        })
    };
    state.hosts.values().filter_map(wanted).collect()
}

fn starts_or_runs(host: &Host) -> bool {
    let phase = matches!(
        host.phase,
        Phase::Booting | Phase::Installing | Phase::Joining | Phase::Ready | Phase::Starting { intent: None }
    );
    phase && host.instance.is_some()
}

/// The hosts of which there is nothing more to learn.
async fn look(caller: Caller, ownership: Ownership, Call { account, hosts, .. }: Call) -> Vec<HostId> {
    let bound: Vec<(HostId, state::Instance)> = {
        let state = caller.context.raft.state();
        let bound = |id: &HostId| Some((*id, state.host(*id)?.instance.clone()?));
        hosts.iter().filter_map(bound).collect()
    };
    let seen = match observe(&caller, &ownership, &account, &bound).await {
        Ok(seen) => seen,
        Err(error) => {
            tracing::debug!(%account, error = %chain(&error), "instances could not be looked at");
            return Vec::new();
        }
    };
    let news = news(&caller.context.raft.state(), &bound, &seen);
    if !news.is_empty() {
        let command = OutcomeCommand::Addressed { account, epoch: caller.epoch, instances: news };
        caller.propose(vec![command]).await;
    }
    let all = bound.into_iter().zip(seen);
    all.filter(|(_, seen)| seen.as_ref().is_ok_and(settled)).map(|((host, _), _)| host).collect()
}

async fn observe(
    caller: &Caller,
    ownership: &Ownership,
    account: &AccountName,
    bound: &[(HostId, state::Instance)],
) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
    let context = &caller.context;
    let targets: Vec<_> = bound.iter().map(|(_, bound)| kept::target(&context.trust.sealer, bound)).collect();
    let driver = context.accounts.acting(account, &ownership.lease)?;
    caller.fence().await;
    driver.observe(context.cluster.as_str(), &targets).await
}

/// Whether its addresses stay as they are until it is started again.
fn settled(seen: &Instance) -> bool {
    !matches!(seen.state, InstanceState::Starting)
}

/// Where instances are now, of those that the record has elsewhere. What does not run keeps its address, or has none.
fn news(
    state: &State,
    bound: &[(HostId, state::Instance)],
    seen: &[Result<Instance, DriverError>],
) -> Vec<Addresses> {
    let all = bound.iter().zip(seen).filter_map(|((host, _), seen)| Some((*host, seen.as_ref().ok()?)));
    let new = all.filter_map(|(host, seen)| {
        let bound = state.host(host)?.instance.as_ref()?;
        let tells = seen.state == InstanceState::Running || seen.public_address.is_some();
        let moved = seen.private_address.is_some_and(|address| bound.private_address != Some(address))
            || seen.public_address != bound.public_address;
        (tells && moved).then(|| Addresses {
            host,
            provider_id: seen.instance.provider_id.clone(),
            private_address: seen.private_address,
            public_address: seen.public_address,
        })
    });
    new.collect()
}
