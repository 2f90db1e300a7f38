//! The same request again.

use skep_core::command::{Reply, Request};
use skep_types::Code;

use crate::support::{Cluster, DriverSpec, create_hosts, digest, request};

#[test]
fn another_body_or_another_person_is_a_conflict() {
    let mut cluster = Cluster::founded(DriverSpec::TOKEN);
    let first = request("same", Request::CreateHosts(create_hosts("web", 1)));
    cluster.accepted(first.clone());
    let mut other_body = first.clone();
    other_body.meta.body = digest(77);
    let mut other_person = first;
    other_person.meta.actor = "eve".parse().unwrap();
    for command in [other_body, other_person] {
        let Reply::Refused(refusal) = cluster.request(command) else { panic!("accepted") };
        assert_eq!(
            (refusal.code, refusal.violations[0].field.as_str()),
            (Code::Conflict, "mutation.request_id")
        );
    }
    assert_eq!(cluster.state.hosts.len(), 1);
}

#[test]
fn every_try_is_in_the_audit() {
    let mut cluster = Cluster::founded(DriverSpec::TOKEN);
    let create = request("same", Request::CreateHosts(create_hosts("web", 1)));
    for _ in 0..3 {
        cluster.accepted(create.clone());
    }
    let verdicts: Vec<&str> = cluster.state.audit.iter().map(|record| record.verdict.as_str()).collect();
    assert_eq!(verdicts, ["accepted"; 3]);
}

/// A refused request may be sent again when what stood in its way is gone.
#[test]
fn a_refusal_is_not_remembered() {
    let mut cluster = Cluster::founded(DriverSpec::TOKEN);
    let mut create = request("same", Request::CreateHosts(create_hosts("web", 0)));
    assert!(matches!(cluster.request(create.clone()), Reply::Refused(_)));
    create.request = Request::CreateHosts(create_hosts("web", 1));
    cluster.accepted(create);
}
