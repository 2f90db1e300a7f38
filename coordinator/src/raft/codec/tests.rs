//! Everything round-trips, and nothing that comes in panics.
//!
//! The macros that write the conversions write samples, too: a field or variant that is added is tested without a word
//! here.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use proptest::prelude::*;
use prost::Message as _;
use skep_core::command::{Failure, RequestCommand};
use skep_core::state::{
    Account, AuditRecord, Cluster, Conditions, Coordinator, Event, Host, Intent, IntentKind, JoinToken,
    Operation, Person, Subject, Swarm, SwarmNode,
};
use skep_core::{Command, Entry, Reply, State};
use skep_types::{
    AccountName, Bucket, CallClass, ClusterId, ClusterTime, Condition, ConditionKind, CoordinatorId, Digest,
    DriverDescription, DriverName, HostId, HostName, IntentId, NodeId, OperationId, PermitId, PersonName,
    ProviderId, RequestId, Revision, SwarmId, SwarmName, Template,
};

use super::snapshot::{StateReader, write_state};
use super::wire::Wire;
use super::{decode_entry, encode_entry, pb};
use crate::raft::types::{LogEntry, LogId, Membership, Node, Proposed};

/// Numbers drawn by proptest, which shrinks them; zeros when they are used up.
#[derive(Debug, Clone)]
pub(in crate::raft) struct Draw(std::vec::IntoIter<u64>);

impl Draw {
    fn number(&mut self) -> u64 {
        self.0.next().unwrap_or(0)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % bound as u64).unwrap()
    }

    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

pub(in crate::raft) fn draws() -> impl Strategy<Value = Draw> {
    prop::collection::vec(any::<u64>(), 0..400).prop_map(|numbers| Draw(numbers.into_iter()))
}

pub(in crate::raft) trait Sample: Sized {
    fn sample(draw: &mut Draw) -> Self;
}

macro_rules! samples {
    ($($T:ty: |$draw:ident| $sample:expr;)*) => {$(
        impl Sample for $T {
            fn sample($draw: &mut Draw) -> Self {
                $sample
            }
        }
    )*};
}

macro_rules! names {
    ($($Name:ident),*) => {$(
        impl Sample for $Name {
            fn sample(draw: &mut Draw) -> Self {
                format!("n{}", draw.number() % 1000).parse().unwrap()
            }
        }
    )*};
}

macro_rules! ids {
    ($($Id:ident),*) => {$(
        impl Sample for $Id {
            fn sample(draw: &mut Draw) -> Self {
                Self::new(Sample::sample(draw), draw.number())
            }
        }
    )*};
}

names!(AccountName, ClusterId, DriverName, HostName, SwarmName, PersonName, RequestId, ProviderId, NodeId);
ids!(HostId, IntentId, OperationId, SwarmId, PermitId, Revision);
samples! {
    bool: |draw| draw.number() % 2 == 1;
    u16: |draw| u16::try_from(draw.number() % 65_536).unwrap();
    u32: |draw| u32::try_from(draw.number() % (1 << 32)).unwrap();
    u64: |draw| draw.number();
    String: |draw| ["", "a", "two words", "ümläut", "\0\n"][draw.below(5)].to_owned();
    Vec<u8>: |draw| draw.number().to_be_bytes()[..draw.below(9)].to_vec();
    ClusterTime: |draw| Self(draw.number());
    CoordinatorId: |draw| Self(draw.number());
    Digest: |draw| Self([u8::try_from(draw.number() % 256).unwrap(); 32]);
    Duration: |draw| Self::new(draw.number(), u32::try_from(draw.number() % 1_000_000_000).unwrap());
    IpAddr: |draw| match draw.number() {
        number if number % 2 == 0 => IpAddr::from(u32::try_from(number >> 32).unwrap().to_be_bytes()),
        number => IpAddr::from(u128::from(number).to_be_bytes()),
    };
    Template: |draw| Self {
        driver: Sample::sample(draw),
        account: Sample::sample(draw),
        options: Sample::sample(draw),
        labels: Sample::sample(draw),
    };
    Subject: |draw| match draw.below(4) {
        0 => Self::Host(Sample::sample(draw)),
        1 => Self::Swarm(Sample::sample(draw)),
        2 => Self::Operation(Sample::sample(draw)),
        _ => Self::Cluster,
    };
    Result<(), Failure>: |draw| if bool::sample(draw) { Ok(()) } else { Err(Sample::sample(draw)) };
    Conditions: |draw| {
        let mut conditions = Self::default();
        for kind in ConditionKind::ALL.into_iter().take(draw.below(7)) {
            conditions.put(kind, Condition {
                status: Sample::sample(draw),
                reason: Sample::sample(draw),
                message: Sample::sample(draw),
                since: Sample::sample(draw),
            });
        }
        conditions
    };
    OrdMap<NodeId, SwarmNode>: |draw| Vec::<(NodeId, SwarmNode)>::sample(draw).into_iter().collect();
    Bucket: |draw| Self { per_minute: Sample::sample(draw), burst: Sample::sample(draw) };
    BTreeMap<CallClass, Bucket>: |draw| Vec::<(CallClass, Bucket)>::sample(draw).into_iter().collect();
    BTreeMap<String, Vec<u8>>: |draw| Vec::<(String, Vec<u8>)>::sample(draw).into_iter().collect();
    BTreeMap<String, String>: |draw| Vec::<(String, String)>::sample(draw).into_iter().collect();
    Command: |draw| match draw.below(5) {
        0 => Self::Request(Sample::sample(draw)),
        1 => Self::Plan(Sample::sample(draw)),
        2 => Self::Outcome(Sample::sample(draw)),
        3 => Self::Agent(Sample::sample(draw)),
        _ => Self::Member(Sample::sample(draw)),
    };
    Entry: |draw| Self { time: Sample::sample(draw), commands: Sample::sample(draw) };
}

impl<A: Sample, B: Sample> Sample for (A, B) {
    fn sample(draw: &mut Draw) -> Self {
        (A::sample(draw), B::sample(draw))
    }
}

impl<T: Sample> Sample for Box<T> {
    fn sample(draw: &mut Draw) -> Self {
        Self::new(T::sample(draw))
    }
}

impl<T: Sample> Sample for Arc<T> {
    fn sample(draw: &mut Draw) -> Self {
        Self::new(T::sample(draw))
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(draw: &mut Draw) -> Self {
        (draw.number() % 2 == 1).then(|| T::sample(draw))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(draw: &mut Draw) -> Self {
        (0..draw.below(4)).map(|_| T::sample(draw)).collect()
    }
}

fn round_trip<T>(draw: &mut Draw) -> Result<(), TestCaseError>
where
    T: Sample + Wire + PartialEq + std::fmt::Debug,
    T::Pb: prost::Message + Default,
{
    let value = T::sample(draw);
    let bytes = value.to_pb().encode_to_vec();
    let read = T::from_pb(T::Pb::decode(bytes.as_slice()).unwrap());
    prop_assert_eq!(read.as_ref(), Ok(&value));
    Ok(())
}

/// A state of arbitrary records. Nothing of it makes sense; all of it can be written and read.
pub(in crate::raft) fn sample_state(draw: &mut Draw) -> State {
    let mut state = State {
        cluster: Sample::sample(draw),
        time: Sample::sample(draw),
        epoch: Sample::sample(draw),
        revision: Sample::sample(draw),
        last_id: Sample::sample(draw),
        last_coordinator: Sample::sample(draw),
        events: Vec::<Arc<Event>>::sample(draw).into_iter().collect(),
        audit: Vec::<Arc<AuditRecord>>::sample(draw).into_iter().collect(),
        ..State::default()
    };
    let template = Arc::new(Template::sample(draw));
    for mut host in Vec::<Host>::sample(draw) {
        if bool::sample(draw) {
            host.template = template.clone();
        }
        state.hosts.insert(host.id, Arc::new(host));
    }
    for mut intent in Vec::<Intent>::sample(draw) {
        if let IntentKind::Create { template: own, .. } = &mut intent.kind {
            *own = template.clone();
        }
        state.intents.insert(intent.id, Arc::new(intent));
    }
    state.swarms = Vec::<Arc<Swarm>>::sample(draw).into_iter().map(|swarm| (swarm.id, swarm)).collect();
    state.operations =
        Vec::<Arc<Operation>>::sample(draw).into_iter().map(|operation| (operation.id, operation)).collect();
    state.drivers = Vec::<Arc<DriverDescription>>::sample(draw)
        .into_iter()
        .map(|driver| (driver.name.clone(), driver))
        .collect();
    state.accounts = Vec::<Arc<Account>>::sample(draw)
        .into_iter()
        .map(|account| (account.name.clone(), account))
        .collect();
    state.coordinators = Vec::<Arc<Coordinator>>::sample(draw)
        .into_iter()
        .map(|coordinator| (coordinator.id, coordinator))
        .collect();
    state.people =
        Vec::<Arc<Person>>::sample(draw).into_iter().map(|person| (person.name.clone(), person)).collect();
    state.join_tokens = Vec::<(Digest, JoinToken)>::sample(draw).into_iter().collect();
    state.reindexed()
}

fn written(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_state(state, &mut bytes).unwrap();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn commands_round_trip(mut draw in draws()) {
        round_trip::<Command>(&mut draw)?;
    }

    #[test]
    fn replies_round_trip(mut draw in draws()) {
        round_trip::<Reply>(&mut draw)?;
    }

    #[test]
    fn records_round_trip(mut draw in draws()) {
        round_trip::<Host>(&mut draw)?;
        round_trip::<Intent>(&mut draw)?;
        round_trip::<Swarm>(&mut draw)?;
        round_trip::<Operation>(&mut draw)?;
        round_trip::<Account>(&mut draw)?;
        round_trip::<Coordinator>(&mut draw)?;
        round_trip::<Person>(&mut draw)?;
        round_trip::<JoinToken>(&mut draw)?;
        round_trip::<Cluster>(&mut draw)?;
        round_trip::<Event>(&mut draw)?;
        round_trip::<AuditRecord>(&mut draw)?;
    }

    #[test]
    fn log_entries_round_trip(mut draw in draws(), term in any::<u64>(), index in any::<u64>()) {
        let log_id = LogId::new(openraft::impls::leader_id_adv::LeaderId { term, node_id: 7 }, index);
        let proposed = Proposed(Arc::new(Entry::sample(&mut draw)));
        let node = Node { raft_address: "a:1".into(), address: "b:2".into() };
        let membership = Membership::new(vec![[1, 2].into(), [2].into()], BTreeMap::from([(1, node.clone()), (2, node)]));
        for payload in [
            openraft::EntryPayload::Blank,
            openraft::EntryPayload::Normal(proposed),
            openraft::EntryPayload::Membership(membership.unwrap()),
        ] {
            let entry = <LogEntry as openraft::entry::RaftEntry>::new(log_id, payload);
            let read = decode_entry(&encode_entry(&entry)).unwrap();
            prop_assert_eq!(read.log_id, entry.log_id);
            prop_assert_eq!(read.payload, entry.payload);
        }
    }

    #[test]
    fn states_round_trip_and_share_their_templates(mut draw in draws()) {
        let state = sample_state(&mut draw);
        let bytes = written(&state);
        let read = StateReader::default().read(&mut bytes.as_slice()).unwrap();
        prop_assert_eq!(&read, &state);
        prop_assert_eq!(written(&read), bytes, "the bytes depend on more than the state");
        let templates: Vec<&Arc<Template>> = read.hosts.values().map(|host| &host.template).collect();
        let distinct: HashSet<_> = templates.iter().copied().map(Arc::as_ptr).collect();
        let different: HashSet<_> = templates.iter().map(|template| template.to_pb().encode_to_vec()).collect();
        prop_assert_eq!(distinct.len(), different.len());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_entry(&bytes);
        let _ = StateReader::default().read(&mut bytes.as_slice());
        if let Ok(command) = pb::Command::decode(bytes.as_slice()) {
            let _ = Command::from_pb(command);
        }
    }

    #[test]
    fn damaged_bytes_never_panic(mut draw in draws(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = Entry::sample(&mut draw).to_pb().encode_to_vec();
        bytes.push(0);
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(entry) = pb::Entry::decode(bytes.as_slice()) {
            let _ = Entry::from_pb(entry);
        }
    }
}

/// SplitMix64.
fn mixed(seed: u64) -> u64 {
    let z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn every_command_is_among_the_samples() {
    let mut seen = HashSet::new();
    for seed in 0..4_000 {
        let numbers: Vec<u64> = (0..40).map(|position| mixed(seed << 8 | position)).collect();
        let command = Command::sample(&mut Draw(numbers.into_iter()));
        let text = format!("{command:?}");
        let words: Vec<&str> = text.split(['(', '{', ' ']).filter(|word| !word.is_empty()).take(2).collect();
        seen.insert(match command {
            Command::Request(RequestCommand { request, .. }) => {
                format!("{request:?}").split(['(', ' ']).next().unwrap().to_owned()
            }
            Command::Plan(_) | Command::Outcome(_) | Command::Agent(_) | Command::Member(_) => {
                words.join(" ")
            }
        });
    }
    // 13 requests, 8 plans, 8 outcomes, 3 of agents, 4 of members.
    assert_eq!(seen.len(), 36, "{seen:?}");
}

#[test]
fn what_a_later_version_wrote_is_an_error_and_not_skipped() {
    let command = Command::sample(&mut Draw(vec![3, 0].into_iter())).to_pb();
    let earlier = pb::Command { version: 1, ..command.clone() };
    assert!(Command::from_pb(earlier).is_ok());
    let later = pb::Command { version: command.version + 1, ..command.clone() };
    let error = Command::from_pb(later).unwrap_err().to_string();
    assert_eq!(error, format!("version {} of the command is unknown here", command.version + 1));
    let unknown = pb::Command { kind: None, ..command };
    let error = Command::from_pb(unknown).unwrap_err();
    assert_eq!(error.to_string(), "missing, or of a kind that only a later version knows");
    let word = pb::Observation {
        host: Some(pb::Id::default()),
        session_number: 1,
        observed: Some(pb::Observed {
            kind: Some(pb::observed::Kind::Engine(pb::observed::Engine { status: 99, ..Default::default() })),
        }),
    };
    let error = skep_core::command::Observation::from_pb(word).unwrap_err();
    assert_eq!(error.to_string(), "observed.Engine.status: 99 is not a known ConditionStatus");
}
