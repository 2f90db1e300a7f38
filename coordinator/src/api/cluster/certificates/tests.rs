use skep_core::command::Request as Asked;

use super::*;
use crate::api::fixture::{ADMIN, Lab};
use crate::trust::Caller;

fn actor(name: &str) -> Actor {
    let caller = Caller::Person { name: name.parse().unwrap(), generation: 1_000 };
    Actor::new(&caller, "/skep.v1.Cluster/IssueCertificate", "127.0.0.1:1".parse().unwrap()).unwrap()
}

#[test]
fn anybody_for_oneself_and_an_admin_for_others() {
    let mut lab = Lab::new();
    lab.person("otto", PersonRole::Operator);
    let issue =
        |by: &str, to: &str| recipient(&lab.state, &actor(by), to).map(|person| person.name.to_string());
    assert_eq!(issue("otto", ""), Ok("otto".to_owned()));
    assert_eq!(issue("otto", "otto"), Ok("otto".to_owned()));
    assert_eq!(issue(ADMIN, "otto"), Ok("otto".to_owned()));
    assert_eq!(issue("otto", ADMIN).unwrap_err().code, Code::Forbidden);
    assert_eq!(issue(ADMIN, "eve").unwrap_err().code, Code::NotFound);
    assert_eq!(issue(ADMIN, "Eve!").unwrap_err().violations[0].field, "person");
}

#[test]
fn nobody_gets_another_certificate_after_a_dismissal() {
    let mut lab = Lab::new();
    lab.person("otto", PersonRole::Operator);
    lab.ask(Asked::RemovePerson { name: "otto".parse().unwrap() });
    assert_eq!(recipient(&lab.state, &actor("otto"), "").unwrap_err().code, Code::Unauthenticated);
}
