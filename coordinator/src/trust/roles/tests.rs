use std::collections::BTreeSet;

use prost::Message;
use prost_types::FileDescriptorSet;
use skep_types::{CoordinatorId, Digest, HostId};

use super::*;

/// The paths of every method that a descriptor set declares in `packages`.
fn methods(descriptors: &[u8], packages: &[&str]) -> BTreeSet<String> {
    let set = FileDescriptorSet::decode(descriptors).unwrap();
    let ours = set.file.iter().filter(|file| packages.contains(&file.package()));
    ours.flat_map(|file| file.service.iter().map(move |service| (file, service)))
        .flat_map(|(file, service)| service.method.iter().map(move |method| (file, service, method)))
        .map(|(file, service, method)| format!("/{}.{}/{}", file.package(), service.name(), method.name()))
        .collect()
}

#[test]
fn every_method_of_the_control_port_has_a_row_and_every_row_a_method() {
    let mut served = methods(skep_proto::DESCRIPTORS, &["skep.v1", "skep.agent.v1"]);
    served.extend(methods(tonic_health::pb::FILE_DESCRIPTOR_SET, &["grpc.health.v1"]));
    served.extend(methods(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET, &["grpc.reflection.v1"]));
    served.extend(methods(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET, &["grpc.reflection.v1alpha"]));
    let rows: BTreeSet<String> = TABLE.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert!(served.len() > 20, "the descriptors were not read");
    assert_eq!(served.difference(&rows).collect::<Vec<_>>(), Vec::<&String>::new(), "methods without a row");
    assert_eq!(rows.difference(&served).collect::<Vec<_>>(), Vec::<&String>::new(), "rows without a method");
}

#[test]
fn the_table_is_sorted_and_every_row_is_found() {
    assert!(TABLE.is_sorted_by(|(a, _), (b, _)| a < b));
    for (path, row) in TABLE {
        assert_eq!(access(path), Some(*row), "{path}");
    }
}

#[test]
fn what_has_no_row_is_open_to_nobody() {
    for path in
        ["", "/", "/skep.v1.Hosts", "/skep.v1.Hosts/Made", "/skep.raft.v1.Raft/Vote", "/skep.v1.Hosts/Get/"]
    {
        assert_eq!(access(path), None, "{path}");
    }
}

#[test]
fn only_first_contact_and_health_are_open_without_a_certificate() {
    let open: Vec<_> =
        TABLE.iter().filter(|(_, access)| *access == Anonymous).map(|(path, _)| *path).collect();
    assert_eq!(
        open,
        [
            "/grpc.health.v1.Health/Check",
            "/grpc.health.v1.Health/Watch",
            "/skep.agent.v1.Enrolment/Enrol",
            "/skep.v1.Cluster/Join",
        ]
    );
}

fn host(expired: bool) -> Caller {
    Caller::Host { id: HostId::new(1, 2), incarnation: 1, expired, key: Digest([0; 32]) }
}

fn anna() -> Caller {
    Caller::Person { name: "anna".parse().unwrap(), generation: 1 }
}

#[test]
fn roles_include_the_ones_below() {
    let may = |needed, has| Person(needed).check(&anna(), Some(has)).is_ok();
    for (needed, allowed) in
        [(Viewer, [true, true, true]), (Operator, [true, true, false]), (Admin, [true, false, false])]
    {
        assert_eq!([Admin, Operator, Viewer].map(|has| may(needed, has)), allowed, "{needed:?}");
    }
}

#[test]
fn a_dismissed_person_may_not_even_look() {
    let refusal = Person(Viewer).check(&anna(), None).unwrap_err();
    assert_eq!(refusal.code, Code::Unauthenticated);
}

#[test]
fn an_expired_agent_may_renew_and_nothing_else() {
    assert!(ExpiredAgent.check(&host(true), None).is_ok());
    assert!(ExpiredAgent.check(&host(false), None).is_ok());
    assert!(Agent.check(&host(false), None).is_ok());
    assert_eq!(Agent.check(&host(true), None).unwrap_err().code, Code::Unauthenticated);
}

#[test]
fn an_agent_has_no_say_on_the_control_api_nor_a_person_as_an_agent() {
    // Whatever role is looked up for it.
    assert_eq!(Person(Viewer).check(&host(false), Some(Admin)).unwrap_err().code, Code::Forbidden);
    assert_eq!(Agent.check(&anna(), Some(Admin)).unwrap_err().code, Code::Forbidden);
    let coordinator = Caller::Coordinator(CoordinatorId(1));
    assert_eq!(Person(Viewer).check(&coordinator, None).unwrap_err().code, Code::Forbidden);
}

#[test]
fn without_a_certificate_a_certificate_is_asked_for() {
    for access in [Person(Viewer), Agent, ExpiredAgent] {
        assert_eq!(access.check(&Caller::Anonymous, None).unwrap_err().code, Code::Unauthenticated);
    }
}
