use std::collections::BTreeSet;

use skep_driver::{Bootstrap, Slot};
use skep_types::{HostId, InstanceRef, IntentId, Secret};

use super::*;
use crate::options::tests_support::template;

fn intent(slots: u64) -> CreateIntent {
    let bootstrap =
        Bootstrap { agent_urls: Vec::new(), agent_sha256: String::new(), agent_config: Secret::new("") };
    let slot = |n| Slot {
        name: format!("h{n}"),
        host: HostId::new(1, n),
        incarnation: 1,
        bootstrap: bootstrap.clone(),
    };
    CreateIntent {
        cluster: "c".into(),
        intent: IntentId::new(1, 1),
        token: "c-i1-1".into(),
        template: template(&[]),
        slots: (0..slots).map(slot).collect(),
        lost: false,
        inherited: None,
    }
}

fn instance() -> Instance {
    Instance {
        instance: InstanceRef { provider_id: "i-1".parse().unwrap(), name: "i-1".into() },
        intent: None,
        state: InstanceState::Starting,
        private_address: None,
        public_address: None,
        zone: "a".into(),
        kept: None,
    }
}

fn refused(code: &str, kind: ErrorKind) -> Refusal {
    Refusal { code: code.into(), named: BTreeSet::new(), error: DriverError::new(kind, code) }
}

#[test]
fn want_of_capacity_or_quota_leads_to_the_next_way() {
    for kind in [ErrorKind::Capacity, ErrorKind::Quota] {
        let Outcome::Over(ended) = outcome(refused("x", kind.clone())) else { panic!("{kind:?}") };
        assert!(ended.made.is_empty());
        assert_eq!(ended.lack.unwrap().kind, kind);
    }
    assert!(matches!(outcome(refused("x", ErrorKind::Auth)), Outcome::Failed(_)));
    for code in ["IdempotentParameterMismatch", "IdempotentInstanceTerminated"] {
        assert!(matches!(outcome(refused(code, ErrorKind::Ambiguous)), Outcome::TokenTaken));
    }
}

#[test]
fn an_error_after_something_was_made_never_says_that_nothing_was() {
    let error = |kind| DriverError::new(kind, "x");
    assert_eq!(
        cut_short(Vec::new(), error(ErrorKind::Unavailable)).unwrap_err().kind,
        ErrorKind::Unavailable
    );
    let throttled = ErrorKind::Throttled { retry_after: LOOK_EVERY };
    assert_eq!(cut_short(vec![instance()], error(throttled)).unwrap_err().kind, ErrorKind::Ambiguous);
    let placed = cut_short(vec![instance()], error(ErrorKind::Auth)).unwrap();
    assert_eq!(placed.instances.len(), 1);
    assert_eq!(placed.shortfall.unwrap().kind, ErrorKind::Auth);
}

#[test]
fn want_of_capacity_outweighs_a_quota_whichever_was_met_first() {
    use ErrorKind::{Capacity, Quota};
    let lacking = |kinds: &[ErrorKind]| {
        let ended =
            |kind: &ErrorKind| Ended { made: Vec::new(), lack: Some(DriverError::new(kind.clone(), "x")) };
        kinds.iter().map(ended).fold(Ended::default(), together).lack.unwrap().kind
    };
    assert_eq!(lacking(&[Capacity, Quota]), Capacity);
    assert_eq!(lacking(&[Quota, Capacity]), Capacity);
    assert_eq!(lacking(&[Quota, Capacity, Quota]), Capacity);
    assert_eq!(lacking(&[Quota, Quota]), Quota);
}

#[test]
fn a_way_that_gave_some_lacked_room_for_the_others() {
    assert_eq!(short(1, 3).unwrap().kind, ErrorKind::Capacity);
    assert!(short(3, 3).is_none());
}

#[test]
fn what_is_missing_in_the_end_is_told_with_the_reason() {
    assert!(concluded(vec![instance()], &intent(1), None).shortfall.is_none());
    let quota = DriverError::new(ErrorKind::Quota, "x");
    let placed = concluded(Vec::new(), &intent(2), Some(quota));
    assert_eq!(placed.shortfall.unwrap().kind, ErrorKind::Quota);
    let partial = concluded(vec![instance()], &intent(3), None);
    assert!(partial.shortfall.unwrap().message.contains("1 of 3"));
}
