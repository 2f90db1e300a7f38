//! 1, 5 and 9: what a create that failed has left is some host's, is never counted, and goes with its host.

use skep_core::Command;
use skep_core::command::{Advance, CreateHosts, OutcomeCommand, Placement, Reply, Request};
use skep_core::plan::{Action, Step};
use skep_types::{FailureClass, InstanceRef, IntentId, OnFailure, OperationId, Phase, Verdict};

use crate::support::{Cluster, DriverSpec, create_hosts, delete_hosts, digest, request};

const REASON: &str = "it was cut off";

/// A host `web` in an open intent.
fn opened(on_failure: OnFailure) -> (Cluster, OperationId, IntentId) {
    let mut cluster = Cluster::founded(DriverSpec::NONE);
    let asked = CreateHosts { on_failure, min_count: 1, ..create_hosts("web", 1) };
    let operation = cluster.accepted(request("create", Request::CreateHosts(asked)));
    let intent = cluster.open_create(&[digest(100)]);
    (cluster, operation, intent)
}

fn placement(id: &str, kept: &[u8]) -> Vec<Placement> {
    vec![Placement {
        host: None,
        instance: InstanceRef { provider_id: id.parse().expect("a provider id"), name: "web".to_owned() },
        private_address: None,
        public_address: None,
        zone: String::new(),
        sealed_kept: Some(kept.to_vec()),
    }]
}

fn say(cluster: &mut Cluster, outcome: OutcomeCommand) -> Reply {
    cluster.one(Command::Outcome(outcome))
}

fn left(cluster: &mut Cluster, intent: IntentId, id: &str, kept: &[u8]) {
    let (placements, reason) = (placement(id, kept), REASON.to_owned());
    say(cluster, OutcomeCommand::Remains { intent, epoch: 1, placements, reason });
    say(cluster, OutcomeCommand::CloseCreate { intent, epoch: 1, shortfall: None });
}

fn failed() -> Phase {
    Phase::Failed { class: FailureClass::Create, message: REASON.to_owned() }
}

fn kept(cluster: &Cluster) -> &[u8] {
    let instance = cluster.host("web").instance.as_ref().expect("an instance");
    instance.sealed_kept.as_deref().expect("something is kept")
}

#[test]
fn remains_are_a_failed_hosts_and_go_with_it() {
    let (mut cluster, operation, intent) = opened(OnFailure::Keep);
    left(&mut cluster, intent, "vm-1", b"name");
    let host = cluster.host("web");
    assert_eq!((&host.phase, host.enrolment), (&failed(), None));
    assert_eq!(kept(&cluster), b"name");
    let operation = cluster.operation(operation);
    assert_eq!((operation.bound, operation.failed, operation.verdict), (0, 1, Verdict::Aborted));
    assert!(cluster.state.intents.is_empty());

    let id = cluster.id("web");
    cluster.apply(vec![delete_hosts("delete", vec![id])]);
    let step = cluster.step("web");
    assert!(matches!(step, Step::Do(Action::Advance(Advance::Deleting, _))), "{step:?}");
}

#[test]
fn what_was_bound_early_is_known_better_later_and_fails_with_its_create() {
    let (mut cluster, _, intent) = opened(OnFailure::Keep);
    for kept in [&b"begun"[..], b"made"] {
        let placements = placement("vm-1", kept);
        say(&mut cluster, OutcomeCommand::Bind { intent, epoch: 1, placements });
        assert_eq!(cluster.host("web").phase, Phase::Booting);
    }
    assert_eq!(kept(&cluster), b"made");
    left(&mut cluster, intent, "vm-1", b"left");
    assert_eq!((&cluster.host("web").phase, kept(&cluster)), (&failed(), &b"left"[..]));
}

#[test]
fn a_host_whose_agent_came_goes_on() {
    let (mut cluster, _, intent) = opened(OnFailure::Keep);
    say(&mut cluster, OutcomeCommand::Bind { intent, epoch: 1, placements: placement("vm-1", b"made") });
    cluster.with_host("web", |host| host.phase = Phase::Installing);
    left(&mut cluster, intent, "vm-1", b"made");
    assert_eq!(cluster.host("web").phase, Phase::Installing);
}

#[test]
fn where_failures_are_not_kept_they_go_by_themselves() {
    let (mut cluster, _, intent) = opened(OnFailure::Delete);
    left(&mut cluster, intent, "vm-1", b"name");
    assert!(cluster.host("web").desired.absent && cluster.host("web").instance.is_some());
}

/// Two for one slot: the second is nobody's, and goes at once.
#[test]
fn remains_beyond_the_slots_are_destroyed() {
    let (mut cluster, _, intent) = opened(OnFailure::Keep);
    let placements = [placement("vm-1", b"a"), placement("vm-2", b"b")].concat();
    say(&mut cluster, OutcomeCommand::Remains { intent, epoch: 1, placements, reason: REASON.to_owned() });
    let destroys = cluster.state.intents.values().filter(|open| open.id != intent).count();
    assert_eq!(destroys, 1);
}
