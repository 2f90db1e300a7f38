//! People, join tokens, coordinators.

use skep_core::Command;
use skep_core::command::{MemberCommand, Reply, Request};
use skep_core::state::BrokenProgram;
use skep_types::{ClusterTime, Code, CoordinatorId, PersonName, PersonRole, limits};

use super::{code, field};
use crate::support::{Cluster, DriverSpec, digest, person, request};

fn cluster() -> Cluster {
    Cluster::founded(DriverSpec::TOKEN)
}

fn put(name: &str, role: PersonRole, dismiss_certificates: bool) -> Request {
    Request::PutPerson { name: name.parse().expect("a name"), role, dismiss_certificates }
}

fn generation(cluster: &Cluster, name: &str) -> u64 {
    let name: PersonName = name.parse().expect("a name");
    cluster.state.people[&name].certificate_generation
}

#[test]
fn the_last_admin_stays_one() {
    let mut cluster = cluster();
    assert_eq!(code(&mut cluster, put("ada", PersonRole::Viewer, false)), Code::Precondition);
    assert_eq!(code(&mut cluster, Request::RemovePerson { name: person() }), Code::Precondition);
    cluster.accepted(request("bob", put("bob", PersonRole::Admin, false)));
    cluster.accepted(request("ada", put("ada", PersonRole::Viewer, false)));
    let bob = "bob".parse().unwrap();
    assert_eq!(code(&mut cluster, Request::RemovePerson { name: bob }), Code::Precondition);
}

#[test]
fn a_dismissed_or_removed_person_is_refused_with_the_certificates_of_before() {
    let mut cluster = cluster();
    cluster.accepted(request("bob", put("bob", PersonRole::Admin, false)));
    let first = generation(&cluster, "bob");
    let mut by_bob = request("by-bob", put("eve", PersonRole::Viewer, false));
    by_bob.meta.actor = "bob".parse().unwrap();
    by_bob.meta.generation = first;
    cluster.accepted(request("dismiss", put("bob", PersonRole::Admin, true)));
    assert!(generation(&cluster, "bob") > first);
    let Reply::Refused(refusal) = cluster.request(by_bob.clone()) else { panic!("accepted") };
    assert_eq!(refusal.code, Code::Forbidden);
    let bob = "bob".parse().unwrap();
    cluster.accepted(request("remove", Request::RemovePerson { name: bob }));
    cluster.accepted(request("again", put("bob", PersonRole::Admin, false)));
    let Reply::Refused(refusal) = cluster.request(by_bob) else {
        panic!("old certificates came back to life")
    };
    assert_eq!(refusal.code, Code::Forbidden);
}

#[test]
fn who_is_not_there_cannot_be_removed() {
    let mut cluster = cluster();
    assert_eq!(code(&mut cluster, Request::RemovePerson { name: "eve".parse().unwrap() }), Code::NotFound);
    let coordinator = CoordinatorId(9);
    assert_eq!(code(&mut cluster, Request::RemoveCoordinator { coordinator }), Code::NotFound);
    let coordinator = CoordinatorId(1);
    assert_eq!(code(&mut cluster, Request::RemoveCoordinator { coordinator }), Code::Precondition);
}

fn redeem(cluster: &mut Cluster, token: u64, key: u64) -> Reply {
    cluster.one(Command::Member(MemberCommand::Redeem {
        token: digest(token),
        address: String::new(),
        raft_address: String::new(),
        control_key: digest(key),
        raft_key: digest(key + 1),
    }))
}

fn token(cluster: &mut Cluster, number: u64, expires_at: u64) {
    let create = Request::CreateJoinToken { token: digest(number), expires_at: ClusterTime(expires_at) };
    cluster.accepted(request(&format!("token-{number}"), create));
}

fn is_forbidden(reply: &Reply) -> bool {
    matches!(reply, Reply::Refused(refusal) if refusal.code == Code::Forbidden)
}

#[test]
fn a_join_token_is_good_for_one_coordinator() {
    let mut cluster = cluster();
    token(&mut cluster, 7, 10_000);
    assert!(is_forbidden(&redeem(&mut cluster, 8, 100)), "not known");
    assert_eq!(redeem(&mut cluster, 7, 100), Reply::Joined(CoordinatorId(2)));
    assert_eq!(redeem(&mut cluster, 7, 100), Reply::Joined(CoordinatorId(2)), "the same answer again");
    assert!(is_forbidden(&redeem(&mut cluster, 7, 200)), "used by another");
    let coordinator = CoordinatorId(2);
    cluster.accepted(request("remove", Request::RemoveCoordinator { coordinator }));
    assert!(is_forbidden(&redeem(&mut cluster, 7, 100)), "removed");
}

#[test]
fn a_join_token_ends() {
    let mut cluster = cluster();
    let over = Request::CreateJoinToken { token: digest(1), expires_at: ClusterTime(1_000) };
    assert_eq!(field(&mut cluster, over), "life_ms");
    token(&mut cluster, 7, 2_000);
    cluster.now = ClusterTime(2_000);
    assert!(is_forbidden(&redeem(&mut cluster, 7, 100)));
}

#[test]
fn open_join_tokens_are_bounded_and_expired_ones_make_room() {
    let mut cluster = cluster();
    for number in 0..64 {
        token(&mut cluster, number, 2_000);
    }
    let more = Request::CreateJoinToken { token: digest(99), expires_at: ClusterTime(3_000) };
    assert_eq!(code(&mut cluster, more), Code::Exhausted);
    cluster.now = ClusterTime(2_000);
    token(&mut cluster, 100, 3_000);
}

#[test]
fn an_unregistered_or_removed_coordinator_cannot_register() {
    let mut cluster = cluster();
    let register = |coordinator| MemberCommand::Register {
        coordinator,
        process: 1,
        address: String::new(),
        raft_address: String::new(),
        version: String::new(),
        drivers: Vec::new(),
        broken: Vec::new(),
    };
    assert!(is_forbidden(&cluster.one(Command::Member(register(CoordinatorId(5))))));
}

#[test]
fn accounts_have_shards_within_bounds_and_one_driver() {
    let mut cluster = cluster();
    let mut put = |name: &str, driver: DriverSpec, shards| {
        let (name, driver) = (name.parse().unwrap(), Box::new(driver.describe()));
        cluster.one(Command::Member(MemberCommand::PutAccount { name, driver, shards }))
    };
    let other = DriverSpec { name: "other", ..DriverSpec::TOKEN };
    for (reply, wanted) in [
        (put("wide", DriverSpec::TOKEN, 0), "shards"),
        (put("wide", DriverSpec::TOKEN, 17), "shards"),
        (put("sim", other, 1), "name"),
    ] {
        let Reply::Refused(refusal) = reply else { panic!("accepted") };
        assert_eq!(refusal.violations[0].field, wanted);
    }
    assert_eq!(put("wide", DriverSpec::TOKEN, 16), Reply::Done);
}

/// People see them wherever they ask, bounded as everything that is kept.
#[test]
fn programs_that_a_coordinator_cannot_use_are_known_everywhere() {
    let mut cluster = cluster();
    let mut broken = |count: usize, reason: &str| {
        let one = |at: usize| BrokenProgram {
            name: format!("x{at}"),
            program: "/x".to_owned(),
            reason: reason.to_owned(),
        };
        cluster.one(Command::Member(MemberCommand::Register {
            coordinator: CoordinatorId(1),
            process: 1,
            address: String::new(),
            raft_address: String::new(),
            version: String::new(),
            drivers: vec![DriverSpec::TOKEN.describe()],
            broken: (0..count).map(one).collect(),
        }));
        cluster.state.coordinators[&CoordinatorId(1)].broken.clone()
    };
    assert_eq!(broken(2, "is not executable")[1].reason, "is not executable");
    let many = broken(1_000, &"long".repeat(1_000));
    assert_eq!((many.len(), many[0].reason.len()), (limits::BROKEN_PROGRAMS, limits::MESSAGE_BYTES));
    assert_eq!(broken(0, ""), []);
}
