//! Failed and Quarantined: kept for a person, who may delete them.

use skep_core::command::Advance;
use skep_core::plan::WaitReason;
use skep_types::{FailureClass, Phase};

use super::{goes, wait};
use crate::support::place::{bound, lone};

fn phases() -> [Phase; 2] {
    let failed = Phase::Failed { class: FailureClass::Boot, message: String::new() };
    [failed, Phase::Quarantined { reason: String::new() }]
}

#[test]
fn waits_for_a_person() {
    for phase in phases() {
        let mut cluster = lone();
        cluster.with_host("web", |host| host.phase = phase);
        assert_eq!(cluster.step("web"), wait(WaitReason::Person, None));
    }
}

#[test]
fn goes_on_a_persons_word() {
    for phase in phases() {
        let mut cluster = lone();
        cluster.with_host("web", |host| {
            host.phase = phase.clone();
            host.desired.absent = true;
        });
        assert_eq!(goes(cluster.step("web")), Advance::Deleted);
        cluster.with_host("web", |host| bound(host, phase));
        assert_eq!(goes(cluster.step("web")), Advance::Deleting);
    }
}
