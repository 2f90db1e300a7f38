//! `apply` takes whatever comes, the same way everywhere and every time.

use proptest::prelude::*;
use skep_core::command::{AgentCommand, Request};
use skep_core::{Command, Entry, State, apply};
use skep_types::Phase;

use super::config;
use crate::support::{Chance, DriverSpec, Faults, Fleet, Wild, create_hosts, create_swarm, request};

/// A cluster in the middle of things.
fn busy(seed: u64, spec: usize, rounds: usize) -> Fleet {
    let mut fleet = Fleet::new(DriverSpec::ALL[spec], Faults::MANY, seed);
    fleet.cluster.accepted(request("hosts", Request::CreateHosts(create_hosts("web", 3))));
    fleet.cluster.accepted(request("swarm", Request::CreateSwarm(create_swarm("demo", 3, 1))));
    fleet.rounds(rounds);
    fleet
}

fn wild(fleet: &Fleet, chance: &mut Chance) -> Command {
    Wild { state: &fleet.cluster.state, chance }.command()
}

/// What a repetition may change: the position in the log, the audit, and events about things that are told each time.
fn timeless(state: &State) -> State {
    let told = ["EnrolmentRefused", "DuplicateIdentity", "NodeChanged", "NodeRefused"];
    let mut state = state.clone();
    state.revision = 0;
    state.audit = imbl::Vector::new();
    state.events.retain(|event| !told.contains(&event.reason.as_str()));
    state
}

proptest! {
    #![proptest_config(config())]

    /// Panics, index and item accounting are checked inside the cluster, after every entry.
    #[test]
    fn apply_takes_any_command(seed: u64, spec in 0..4_usize, rounds in 0..60_usize) {
        let mut fleet = busy(seed, spec, rounds);
        let mut chance = Chance::new(seed ^ 1);
        for _ in 0..80 {
            let command = wild(&fleet, &mut chance);
            fleet.cluster.now.0 += chance.next() % 2_000;
            fleet.cluster.one(command);
            let changes = fleet.everything();
            let plan = fleet.cluster.view().plan(&changes);
            if chance.percent(30) {
                fleet.cluster.apply(plan.commands.into_iter().map(Command::Plan).collect());
            }
        }
    }

    #[test]
    fn a_repeated_proposal_changes_nothing(seed: u64, spec in 0..4_usize, rounds in 0..60_usize) {
        let mut fleet = busy(seed, spec, rounds);
        let mut chance = Chance::new(seed ^ 2);
        for _ in 0..40 {
            let command = wild(&fleet, &mut chance);
            // Several reports in one command may go there and back again.
            if matches!(&command, Command::Agent(AgentCommand::Observe(seen)) if seen.len() > 1) {
                continue;
            }
            fleet.cluster.one(command.clone());
            let before = timeless(&fleet.cluster.state);
            let reply = fleet.cluster.one(command.clone());
            let after = timeless(&fleet.cluster.state);
            prop_assert!(before == after, "{command:?} changed something again: {reply:?}");
        }
    }

    /// A second coordinator that replays the log, and a third that begins with a snapshot of the middle.
    #[test]
    fn invariant_17_replay_and_snapshot_give_the_same_state(seed: u64, spec in 0..4_usize, rounds in 0..60_usize) {
        let mut fleet = busy(seed, spec, rounds);
        let mut chance = Chance::new(seed ^ 3);
        for _ in 0..20 {
            let command = wild(&fleet, &mut chance);
            fleet.cluster.one(command);
        }
        let log: &[Entry] = &fleet.cluster.log;
        let mut replayed = State::default();
        let mut restored = State::default();
        for (at, entry) in log.iter().enumerate() {
            apply(&mut replayed, entry);
            if at == log.len() / 2 {
                restored = replayed.clone().reindexed();
            } else if at > log.len() / 2 {
                apply(&mut restored, entry);
            }
        }
        prop_assert!(replayed == fleet.cluster.state);
        prop_assert!(restored == fleet.cluster.state);
    }

    /// Time that goes back in an entry does not go back in the state.
    #[test]
    fn time_never_goes_back(times in proptest::collection::vec(any::<u64>(), 1..20)) {
        let mut state = State::default();
        let mut highest = state.time;
        for time in times {
            let time = skep_types::ClusterTime(time);
            apply(&mut state, &Entry { time, commands: Vec::new() });
            highest = highest.max(time);
            prop_assert_eq!(state.time, highest);
        }
    }

    /// A plan is made of what is seen only: planning changes nothing, and planning again gives the same.
    #[test]
    fn planning_twice_gives_the_same_plan(seed: u64, spec in 0..4_usize, rounds in 0..60_usize) {
        let fleet = busy(seed, spec, rounds);
        let changes = fleet.everything();
        prop_assert_eq!(fleet.cluster.view().plan(&changes), fleet.cluster.view().plan(&changes));
        for host in fleet.cluster.state.hosts.values() {
            let step = skep_core::plan::next_step(host, &fleet.cluster.view());
            let rest = matches!(step, skep_core::plan::Step::Done);
            prop_assert!(!rest || matches!(host.phase, Phase::Ready | Phase::Stopped), "{} rests", host.name);
        }
    }
}
