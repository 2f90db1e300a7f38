//! 14: an enrolment token serves one key, for its host, within its time.

use std::net::{IpAddr, Ipv4Addr};

use skep_core::Command;
use skep_core::command::{Addresses, AgentCommand, OutcomeCommand, Placement, Reply, Request};
use skep_core::state::Account;
use skep_types::{Code, Digest, HostName, InstanceRef, IntentId, Phase, ProviderId, limits};

use crate::support::{Cluster, DriverSpec, create_hosts, delete_hosts, digest, host_name, request};

/// Hosts `web-1` and `web-2` in one open intent; the token of each slot.
fn opened(spec: DriverSpec) -> (Cluster, [Digest; 2]) {
    let mut cluster = Cluster::founded(spec);
    cluster.accepted(request("create", Request::CreateHosts(create_hosts("web", 2))));
    let shared = spec.naming == skep_types::SlotNaming::Interchangeable;
    let tokens = [digest(100), digest(if shared { 100 } else { 101 })];
    cluster.open_create(&tokens);
    (cluster, tokens)
}

fn intent(cluster: &Cluster) -> IntentId {
    *cluster.state.intents.keys().next().expect("an open intent")
}

fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
}

fn bind(cluster: &mut Cluster, named: Option<&str>, last: u8) -> Reply {
    let placement = Placement {
        host: named.map(|name| cluster.id(name)),
        instance: InstanceRef {
            provider_id: format!("vm-{last}").parse().expect("a provider id"),
            name: format!("i-{last}"),
        },
        private_address: Some(address(last)),
        public_address: None,
        zone: String::new(),
        sealed_kept: None,
    };
    let intent = intent(cluster);
    cluster.one(Command::Outcome(OutcomeCommand::Bind { intent, epoch: 1, placements: vec![placement] }))
}

fn close(cluster: &mut Cluster) {
    let intent = intent(cluster);
    cluster.one(Command::Outcome(OutcomeCommand::CloseCreate { intent, epoch: 1, shortfall: None }));
}

fn enrol(cluster: &mut Cluster, token: Digest, key: u64, last: u8) -> Result<HostName, Code> {
    claim(cluster, token, key, last, None)
}

/// From an address that is nobody's.
fn prove(cluster: &mut Cluster, token: Digest, key: u64, last: u8) -> Result<HostName, Code> {
    claim(cluster, token, key, 99, Some(format!("vm-{last}").parse().expect("a provider id")))
}

fn claim(
    cluster: &mut Cluster,
    token: Digest,
    key: u64,
    last: u8,
    instance: Option<ProviderId>,
) -> Result<HostName, Code> {
    let enrol = AgentCommand::Enrol { token, key: digest(key), peer: address(last), instance };
    match cluster.one(Command::Agent(enrol)) {
        Reply::Enrolled { name, .. } => Ok(name),
        Reply::Refused(refusal) => Err(refusal.code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn invariant_14_a_token_serves_one_key() {
    let (mut cluster, [first, second]) = opened(DriverSpec::TOKEN);
    bind(&mut cluster, Some("web-1"), 1);
    assert_eq!(enrol(&mut cluster, first, 1, 1), Ok(host_name("web-1")));
    assert_eq!(enrol(&mut cluster, first, 1, 9), Ok(host_name("web-1")), "the same key, the same answer");
    assert_eq!(enrol(&mut cluster, first, 2, 1), Err(Code::Forbidden), "another key");
    assert_eq!(enrol(&mut cluster, digest(5), 1, 1), Err(Code::Forbidden), "no token of ours");
    assert_eq!(enrol(&mut cluster, second, 2, 2), Ok(host_name("web-2")), "faster than its driver's answer");
    assert!(matches!(cluster.host("web-2").phase, Phase::Provisioning { .. }));
    bind(&mut cluster, Some("web-2"), 2);
    assert_eq!(cluster.host("web-2").phase, Phase::Installing);
}

#[test]
fn invariant_14_a_tokens_time_runs_from_the_close() {
    let life = u64::try_from(limits::ENROLMENT_TOKEN_LIFE.as_millis()).unwrap();
    let (mut cluster, [first, second]) = opened(DriverSpec::TOKEN);
    cluster.now.0 += 10 * life;
    bind(&mut cluster, Some("web-1"), 1);
    bind(&mut cluster, Some("web-2"), 2);
    close(&mut cluster);
    cluster.now.0 += life;
    assert_eq!(enrol(&mut cluster, first, 1, 1), Ok(host_name("web-1")));
    cluster.now.0 += 1;
    assert_eq!(enrol(&mut cluster, second, 2, 2), Err(Code::Forbidden), "expired");
    assert_eq!(enrol(&mut cluster, first, 1, 1), Ok(host_name("web-1")), "used in time");
}

/// Instances of one call share a token: the address the driver saw says which host it is.
#[test]
fn invariant_14_a_shared_token_is_told_apart_by_the_address() {
    let (mut cluster, [token, _]) = opened(DriverSpec::SHARED);
    assert_eq!(enrol(&mut cluster, token, 1, 1), Err(Code::Unavailable), "nothing is bound yet");
    bind(&mut cluster, None, 1);
    bind(&mut cluster, None, 2);
    let first = enrol(&mut cluster, token, 1, 1).unwrap();
    assert_eq!(enrol(&mut cluster, token, 2, 3), Err(Code::Unavailable), "nobody's address");
    assert_eq!(enrol(&mut cluster, token, 2, 1), Err(Code::Forbidden), "the first host's address");
    assert_eq!(enrol(&mut cluster, token, 1, 2), Err(Code::Unavailable), "a key speaks for one host");
    let second = enrol(&mut cluster, token, 2, 2).unwrap();
    assert_ne!(first, second);
}

fn addressed(cluster: &mut Cluster, epoch: u64, host: &HostName, id: &str, last: Option<u8>) -> Reply {
    let host = cluster.id(host.as_str());
    let account = cluster.state.hosts[&host].template.account.clone();
    let provider_id = id.parse().expect("a provider id");
    let seen = Addresses { host, provider_id, private_address: None, public_address: last.map(address) };
    cluster.one(Command::Outcome(OutcomeCommand::Addressed { account, epoch, instances: vec![seen] }))
}

/// Providers tell public addresses when an instance runs, which is after it was bound.
#[test]
fn invariant_14_a_shared_token_is_told_apart_by_the_address_that_the_instance_has_now() {
    let (mut cluster, [token, _]) = opened(DriverSpec::SHARED);
    bind(&mut cluster, None, 1);
    bind(&mut cluster, None, 2);
    let web_2 = host_name("web-2");
    assert_eq!(enrol(&mut cluster, token, 2, 22), Err(Code::Unavailable), "not seen there yet");
    for (epoch, id) in [(1, "vm-1"), (9, "vm-2")] {
        let told = addressed(&mut cluster, epoch, &web_2, id, Some(22));
        assert!(matches!(told, Reply::Unchanged(_)), "another instance, or another owner's word");
    }
    assert_eq!(addressed(&mut cluster, 1, &web_2, "vm-2", Some(22)), Reply::Done);
    assert!(matches!(addressed(&mut cluster, 1, &web_2, "vm-2", Some(22)), Reply::Unchanged(_)));
    assert_eq!(enrol(&mut cluster, token, 2, 22), Ok(web_2.clone()));
    // Stopped and started, it is elsewhere, or nowhere in public; inside, it is where it was.
    assert_eq!(addressed(&mut cluster, 1, &web_2, "vm-2", None), Reply::Done);
    let bound = cluster.host("web-2").instance.clone().expect("an instance");
    assert_eq!((bound.private_address, bound.public_address), (Some(address(2)), None));
}

/// What an instance has proven counts, and not where it calls from.
#[test]
fn invariant_14_a_shared_token_is_told_apart_by_what_was_proven() {
    let (mut cluster, [token, _]) = opened(DriverSpec::SHARED);
    assert_eq!(prove(&mut cluster, token, 1, 1), Err(Code::Unavailable), "nothing is bound yet");
    bind(&mut cluster, None, 1);
    assert_eq!(prove(&mut cluster, token, 3, 3), Err(Code::Unavailable), "it may be the other one");
    bind(&mut cluster, None, 2);
    let before = cluster.state.hosts.clone();
    assert_eq!(prove(&mut cluster, token, 3, 3), Err(Code::Forbidden), "another intent's instance");
    assert_eq!(cluster.state.hosts, before, "a refusal binds nothing");
    let first = prove(&mut cluster, token, 1, 1).unwrap();
    assert_eq!(prove(&mut cluster, token, 1, 1), Ok(first.clone()), "the same again, the same answer");
    assert_eq!(prove(&mut cluster, token, 3, 1), Err(Code::Forbidden), "its evidence with another key");
    assert_eq!(prove(&mut cluster, token, 1, 2), Err(Code::Forbidden), "a key speaks for one host");
    assert_ne!(prove(&mut cluster, token, 2, 2).unwrap(), first);
}

/// Also where the token would do.
#[test]
fn invariant_14_a_token_of_one_host_is_not_for_another_instance() {
    let (mut cluster, [first, _]) = opened(DriverSpec::TOKEN);
    assert_eq!(prove(&mut cluster, first, 1, 1), Err(Code::Unavailable), "its instance is not known yet");
    bind(&mut cluster, Some("web-1"), 1);
    assert_eq!(prove(&mut cluster, first, 2, 2), Err(Code::Forbidden));
    assert_eq!(prove(&mut cluster, first, 1, 1), Ok(host_name("web-1")));
}

#[test]
fn only_a_driver_that_reads_no_evidence_is_not_asked_about_it() {
    let (mut cluster, [token, _]) = opened(DriverSpec::SHARED);
    assert_eq!(cluster.state.attesting(token), None);
    let name = cluster.state.accounts.keys().next().expect("an account").clone();
    let mut account = Account::clone(&cluster.state.accounts[&name]);
    account.driver.attests = true;
    cluster.state.accounts.insert(name.clone(), account.into());
    assert_eq!(cluster.state.attesting(token), Some(&name));
    assert_eq!(cluster.state.attesting(digest(5)), None, "nobody's token");
    cluster.state.accounts.remove(&name);
    assert_eq!(cluster.state.attesting(token), Some(&name), "an account that is not there passes nobody");
}

#[test]
fn invariant_14_a_host_that_goes_enrols_nobody() {
    let (mut cluster, [first, _]) = opened(DriverSpec::TOKEN);
    bind(&mut cluster, Some("web-1"), 1);
    let id = cluster.id("web-1");
    cluster.one(delete_hosts("delete", vec![id]));
    assert_eq!(enrol(&mut cluster, first, 1, 1), Err(Code::Forbidden));
}

/// What comes of a session of before, or in another host's name.
#[test]
fn a_bind_twice_is_a_bind_once_and_a_third_instance_is_surplus() {
    let (mut cluster, _) = opened(DriverSpec::SHARED);
    assert_eq!(bind(&mut cluster, None, 1), Reply::Done);
    assert!(matches!(bind(&mut cluster, None, 1), Reply::Unchanged(_)));
    bind(&mut cluster, None, 2);
    assert_eq!(cluster.state.intents.len(), 1);
    bind(&mut cluster, None, 3);
    assert_eq!(cluster.state.intents.len(), 2, "the third is destroyed under an intent of its own");
    assert!(matches!(bind(&mut cluster, None, 3), Reply::Unchanged(_)));
    assert_eq!(cluster.state.intents.len(), 2);
}
