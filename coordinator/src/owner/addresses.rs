//! Where instances are: providers that give addresses late, or others at each start, are asked until an instance runs.
//!
//! ```text
//!  bound, or started again ─► due ─► observe, several a call ─► Addressed, if the record says otherwise
//!                              ▲────── does not run yet ──────┘
//! ```

mod rounds;
mod schedule;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use skep_core::State;
use skep_core::command::{Addresses, OutcomeCommand};
use skep_core::state::{self, Host};
use skep_driver::{DriverError, Instance, InstanceState};
use skep_types::{AccountName, ClusterTime, HostId, Phase, chain};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::call::Caller;
use super::{Ownership, creating};
use crate::context::Context;
use crate::kept;
use rounds::{Answers, Rounds};
use schedule::{Answer, Boot, Rest, Schedule, Wanted};

/// Between two looks at what is due.
const TICK: Duration = Duration::from_secs(1);
/// Of one call: few, as each may carry what its driver keeps of it.
const TARGETS: usize = 16;
const CALLS_AT_ONCE: usize = 16;
/// What has been ready for longer was looked at, by whoever owned its account: more than all looks take.
const RECENT: Duration = Duration::from_secs(20 * 60);

pub(super) async fn run(context: Context, ownership: Ownership, stop: CancellationToken) {
    let mut schedule = Schedule::default();
    let mut rounds = Rounds::default();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let wanted = wanted(&context, &ownership, &rounds);
                for (account, calls) in calls(schedule.due(wanted, Instant::now())) {
                    rounds.begin(account, round(&context, &ownership, &stop, calls));
                }
            }
            answers = rounds.next(), if !rounds.is_empty() => {
                for (host, boot, answer) in answers {
                    schedule.answered(host, boot, answer, Instant::now());
                }
            }
        }
    }
}

fn round(
    context: &Context,
    ownership: &Ownership,
    stop: &CancellationToken,
    calls: Vec<Call>,
) -> impl Future<Output = Answers> + use<> {
    let (context, ownership, stop) = (context.clone(), ownership.clone(), stop.clone());
    async move {
        let looks = stream::iter(calls).map(|call| {
            let caller = Caller::new(&context, &ownership, call.epoch, stop.clone());
            look(caller, ownership.clone(), call)
        });
        looks.buffer_unordered(CALLS_AT_ONCE).concat().await
    }
}

struct Call {
    account: AccountName,
    epoch: u64,
    hosts: Vec<(HostId, Boot)>,
}

fn calls(due: Vec<Wanted>) -> BTreeMap<AccountName, Vec<Call>> {
    let mut hosts: BTreeMap<(AccountName, u64), Vec<(HostId, Boot)>> = BTreeMap::new();
    for Wanted { host, boot, account, epoch, .. } in due {
        hosts.entry((account, epoch)).or_default().push((host, boot));
    }
    let mut calls: BTreeMap<AccountName, Vec<Call>> = BTreeMap::new();
    for ((account, epoch), hosts) in hosts {
        let one = |hosts: &[(HostId, Boot)]| Call { account: account.clone(), epoch, hosts: hosts.to_vec() };
        calls.entry(account.clone()).or_default().extend(hosts.chunks(TARGETS).map(one));
    }
    calls
}

/// The hosts whose instances may have got other addresses, where this coordinator asks about them.
fn wanted(context: &Context, ownership: &Ownership, rounds: &Rounds) -> Vec<Wanted> {
    let state = context.raft.state();
    let accounts = state.accounts.values().filter(|account| account.driver.addresses_change);
    let rests: BTreeMap<&AccountName, Rest> =
        accounts.map(|account| (&account.name, rest(&state, &account.name, rounds))).collect();
    if rests.is_empty() {
        return Vec::new();
    }
    let wanted = |host: &Arc<Host>| {
        let account = state.accounts.get(&host.template.account)?;
        let owner = account.owner(account.shard_of(host.id))?;
        let mine = owner.coordinator == context.id && owner.process == ownership.process;
        let rest = *rests.get(&account.name)?;
        (mine && starts_or_runs(host, state.time)).then(|| Wanted {
            host: host.id,
            rest,
            boot: (host.incarnation, host.session_floor),
            account: account.name.clone(),
            epoch: owner.epoch,
        })
    };
    state.hosts.values().filter_map(wanted).collect()
}

fn rest(state: &State, account: &AccountName, rounds: &Rounds) -> Rest {
    if rounds.is_under_way(account) {
        Rest::UntilTheRoundEnds
    } else if creating(state, account) {
        Rest::ForAWhile
    } else {
        Rest::None
    }
}

fn starts_or_runs(host: &Host, now: ClusterTime) -> bool {
    let phase = match host.phase {
        Phase::Booting | Phase::Installing | Phase::Joining | Phase::Starting { intent: None } => true,
        Phase::Ready => now.since(host.phase_since) < RECENT,
        _ => false,
    };
    phase && host.instance.is_some()
}

/// What a look is about.
#[derive(Debug)]
struct Asked {
    host: HostId,
    boot: Boot,
    bound: state::Instance,
}

async fn look(caller: Caller, ownership: Ownership, Call { account, hosts, .. }: Call) -> Answers {
    let asked: Vec<Asked> = {
        let state = caller.context.raft.state();
        let asked = |(host, boot): &(HostId, Boot)| {
            let bound = state.host(*host)?.instance.clone()?;
            Some(Asked { host: *host, boot: *boot, bound })
        };
        hosts.iter().filter_map(asked).collect()
    };
    let seen: Vec<(Asked, Instance)> = match observe(&caller, &ownership, &account, &asked).await {
        Ok(seen) => {
            asked.into_iter().zip(seen).filter_map(|(asked, seen)| Some((asked, seen.ok()?))).collect()
        }
        Err(error) => {
            tracing::debug!(%account, error = %chain(&error), "instances could not be looked at");
            return Answers::default();
        }
    };
    let instances: Vec<Addresses> = seen.iter().filter_map(|(asked, seen)| news(asked, seen)).collect();
    if !instances.is_empty() {
        caller.propose(vec![OutcomeCommand::Addressed { account, epoch: caller.epoch, instances }]).await;
    }
    seen.iter().map(|(asked, seen)| (asked.host, asked.boot, answer(seen))).collect()
}

async fn observe(
    caller: &Caller,
    ownership: &Ownership,
    account: &AccountName,
    asked: &[Asked],
) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
    let context = &caller.context;
    let targets: Vec<_> =
        asked.iter().map(|asked| kept::target(&context.trust.sealer, &asked.bound)).collect();
    let driver = context.accounts.acting(account, &ownership.lease)?;
    caller.fence().await;
    driver.observe(context.cluster.as_str(), &targets).await
}

/// Right after its start, an instance may still be told as it was before.
fn answer(seen: &Instance) -> Answer {
    match seen.state {
        InstanceState::Running | InstanceState::Destroyed => Answer::Settled,
        InstanceState::Starting | InstanceState::Stopping | InstanceState::Stopped => Answer::NotYet,
    }
}

/// Where the instance is now, if the record has it elsewhere. What does not run has no address that would last.
fn news(Asked { host, bound, .. }: &Asked, seen: &Instance) -> Option<Addresses> {
    let lasts = seen.state == InstanceState::Running || seen.public_address.is_some();
    let private = seen.private_address.or(bound.private_address);
    let moved = (private, seen.public_address) != (bound.private_address, bound.public_address);
    (lasts && moved).then(|| Addresses {
        host: *host,
        provider_id: seen.instance.provider_id.clone(),
        private_address: seen.private_address,
        public_address: seen.public_address,
    })
}

#[cfg(test)]
mod tests {
    use skep_types::{InstanceRef, IntentId};

    use super::*;

    fn told(state: InstanceState, private: Option<u8>, public: Option<u8>) -> Option<(bool, bool)> {
        let address = |last: Option<u8>| last.map(|last| [10, 0, 0, last].into());
        let instance = InstanceRef { provider_id: "i-1".parse().unwrap(), name: "web".to_owned() };
        let bound = state::Instance {
            instance: instance.clone(),
            intent: IntentId::new(1, 1),
            private_address: address(Some(1)),
            public_address: address(Some(2)),
            zone: String::new(),
            sealed_kept: None,
            bound_at: ClusterTime(0),
        };
        let (private_address, public_address) = (address(private), address(public));
        let zone = String::new();
        let seen =
            Instance { instance, intent: None, state, private_address, public_address, zone, kept: None };
        let news = news(&Asked { host: HostId::new(1, 1), boot: (1, 0), bound }, &seen)?;
        Some((news.private_address.is_some(), news.public_address.is_some()))
    }

    #[test]
    fn news_are_other_addresses_that_last() {
        assert_eq!(told(InstanceState::Running, Some(1), Some(2)), None);
        assert_eq!(told(InstanceState::Running, None, Some(2)), None);
        assert_eq!(told(InstanceState::Running, Some(1), Some(3)), Some((true, true)));
        assert_eq!(told(InstanceState::Running, Some(1), None), Some((true, false)));
        assert_eq!(told(InstanceState::Starting, Some(1), None), None);
        assert_eq!(told(InstanceState::Starting, Some(1), Some(3)), Some((true, true)));
    }
}
