//! Starting, stopping and destroying in batches, with a result for each instance.

mod batches;

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Instance as Described;
use skep_driver::{DriverError, ErrorKind, InstanceState, Target};
use skep_types::PowerAction;

use crate::client::Ec2;
use crate::errors::{Effect, Refusal, refusal};
use crate::instance;
use crate::looks::Seen;

/// A call of EC2's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Start,
    Stop,
    /// As if the power were cut.
    Cut,
    Reboot,
    Terminate,
}

/// What an instance in `state` needs for `action`; None when it is there already. Between two states it cannot be told.
fn needed(action: PowerAction, state: InstanceState) -> Result<Option<Call>, DriverError> {
    use InstanceState::{Destroyed, Running, Starting, Stopped, Stopping};
    let busy = || DriverError::new(ErrorKind::Unavailable, "the instance is still stopping");
    match (action, state) {
        (_, Destroyed) => Err(DriverError::new(ErrorKind::NotFound, "the instance is destroyed")),
        (PowerAction::Start, Starting | Running) | (PowerAction::Stop, Stopping | Stopped) => Ok(None),
        (PowerAction::Kill, Stopped) | (PowerAction::Restart, Starting) => Ok(None),
        (PowerAction::Start | PowerAction::Restart, Stopped) => Ok(Some(Call::Start)),
        (PowerAction::Start | PowerAction::Restart, Stopping) => Err(busy()),
        (PowerAction::Stop, Starting | Running) => Ok(Some(Call::Stop)),
        (PowerAction::Restart, Running) => Ok(Some(Call::Reboot)),
        (PowerAction::Kill, Starting | Running | Stopping) => Ok(Some(Call::Cut)),
    }
}

/// What to do about each target, from what was seen.
pub(crate) fn plan_power(
    action: PowerAction,
    cluster: &str,
    seen: &Seen,
    targets: &[Target],
) -> Vec<Result<Option<Call>, DriverError>> {
    let one = |target: &Target| needed(action, state(ours(cluster, seen, target)?)?);
    targets.iter().map(one).collect()
}

pub(crate) fn plan_destruction(
    cluster: &str,
    seen: &Seen,
    targets: &[Target],
) -> Vec<Result<Option<Call>, DriverError>> {
    let one = |target: &Target| match seen.get(target.instance.provider_id.as_str()) {
        // Also one that has lost its tags: EC2 keeps what it has terminated for a while.
        Some(found) if state(found)? == InstanceState::Destroyed => Ok(None),
        // Not gone: NotFound would be believed.
        Some(found) if !instance::is_of(found, cluster) => {
            Err(DriverError { kind: ErrorKind::Unsupported, ..foreign(target) })
        }
        Some(_) => Ok(Some(Call::Terminate)),
        None => Err(unknown(target)),
    };
    targets.iter().map(one).collect()
}

/// EC2 never leaves these out.
pub(crate) fn unreadable() -> DriverError {
    DriverError::new(ErrorKind::Internal, "EC2 described an instance without id or state")
}

fn state(found: &Described) -> Result<InstanceState, DriverError> {
    instance::convert(found).map(|instance| instance.state).ok_or_else(unreadable)
}

/// The target as it was seen. An instance of another cluster, or of nobody's, is never touched.
pub(crate) fn ours<'a>(cluster: &str, seen: &'a Seen, target: &Target) -> Result<&'a Described, DriverError> {
    match seen.get(target.instance.provider_id.as_str()) {
        Some(found) if instance::is_of(found, cluster) => Ok(found),
        Some(_) => Err(foreign(target)),
        None => Err(unknown(target)),
    }
}

fn foreign(target: &Target) -> DriverError {
    let id = &target.instance.provider_id;
    DriverError::new(ErrorKind::NotFound, format!("{id} is not this cluster's, so it is not touched"))
}

fn unknown(target: &Target) -> DriverError {
    DriverError::new(ErrorKind::NotFound, format!("there is no instance {}", target.instance.provider_id))
}

/// Does what was planned, each call for all who need it.
pub(crate) async fn carry_out(
    ec2: &Ec2,
    targets: &[Target],
    planned: Vec<Result<Option<Call>, DriverError>>,
) -> Vec<Result<(), DriverError>> {
    let mut by_call: BTreeMap<Call, Vec<usize>> = BTreeMap::new();
    let mut results = Vec::with_capacity(planned.len());
    for (at, plan) in planned.into_iter().enumerate() {
        if let Ok(Some(call)) = &plan {
            by_call.entry(*call).or_default().push(at);
        }
        results.push(plan.map(drop));
    }
    for (call, positions) in by_call {
        for (at, result) in batches::send(ec2, call, targets, &positions).await {
            results[at] = result;
        }
    }
    results
}

/// One request.
async fn send(ec2: &Ec2, call: Call, ids: Vec<String>) -> Result<(), Refusal> {
    let (sdk, ids) = (&ec2.sdk, Some(ids));
    match call {
        Call::Start => {
            let sent = sdk.start_instances().set_instance_ids(ids).send().await;
            sent.map(drop).map_err(refusal("EC2 did not start the instances", Effect::Changes))
        }
        Call::Stop => {
            let sent = sdk.stop_instances().set_instance_ids(ids).send().await;
            let refused = refusal("EC2 did not stop the instances", Effect::Changes);
            sent.map(drop).map_err(refused).map_err(unstoppable)
        }
        Call::Cut => {
            let request = sdk.stop_instances().set_instance_ids(ids).force(true).skip_os_shutdown(true);
            let refused = refusal("EC2 did not cut the power", Effect::Changes);
            request.send().await.map(drop).map_err(refused).map_err(unstoppable)
        }
        Call::Reboot => {
            let sent = sdk.reboot_instances().set_instance_ids(ids).send().await;
            sent.map(drop).map_err(refusal("EC2 did not restart the instances", Effect::Changes))
        }
        Call::Terminate => {
            let sent = sdk.terminate_instances().set_instance_ids(ids).send().await;
            sent.map(drop).map_err(refusal("EC2 did not terminate the instances", Effect::Changes))
        }
    }
}

/// EC2 never stops a spot instance of a one-time request, which all of skep's are, nor one without a volume to keep.
const INSTEAD: &str = "such an instance runs until it is destroyed: remove the host with `skep rm`, and make one that is to be \
     stopped with amazonec2-market on-demand";

/// The refusal of a stop, with what to do instead where no stop will ever do.
fn unstoppable(refused: Refusal) -> Refusal {
    let error = match refused.error.kind {
        ErrorKind::Unsupported => {
            DriverError { message: format!("{}; {INSTEAD}", refused.error.message), ..refused.error }
        }
        _ => refused.error,
    };
    Refusal { error, ..refused }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aws_sdk_ec2::types::{InstanceState as State, InstanceStateName, Tag};
    use skep_types::InstanceRef;

    use super::*;
    use crate::tags;

    fn seen(instances: &[(&str, &str, InstanceStateName)]) -> Seen {
        let one = |(id, cluster, state): &(&str, &str, InstanceStateName)| {
            let found = Described::builder()
                .instance_id(*id)
                .state(State::builder().name(state.clone()).build())
                .tags(Tag::builder().key(tags::CLUSTER).value(*cluster).build())
                .build();
            ((*id).to_owned(), found)
        };
        instances.iter().map(one).collect()
    }

    fn target(id: &str) -> Target {
        InstanceRef { provider_id: id.parse().unwrap(), name: id.to_owned() }.into()
    }

    #[test]
    fn each_state_needs_what_the_action_says() {
        use InstanceState::{Running, Starting, Stopped, Stopping};
        use PowerAction::{Kill, Restart, Start, Stop};
        for (action, state, call) in [
            (Start, Running, None),
            (Start, Stopped, Some(Call::Start)),
            (Stop, Running, Some(Call::Stop)),
            (Stop, Stopping, None),
            (Stop, Stopped, None),
            (Restart, Running, Some(Call::Reboot)),
            (Restart, Starting, None),
            (Restart, Stopped, Some(Call::Start)),
            (Kill, Stopping, Some(Call::Cut)),
            (Kill, Stopped, None),
        ] {
            assert_eq!(needed(action, state).unwrap(), call, "{action:?} {state:?}");
        }
        assert_eq!(needed(Start, Stopping).unwrap_err().kind, ErrorKind::Unavailable);
    }

    #[test]
    fn foreign_and_unknown_instances_are_left_alone() {
        let seen = seen(&[
            ("i-1", "c1", InstanceStateName::Running),
            ("i-2", "c2", InstanceStateName::Running),
            ("i-4", "c1", InstanceStateName::Terminated),
        ]);
        let targets = ["i-1", "i-2", "i-3", "i-4"].map(target);
        let plan = plan_destruction("c1", &seen, &targets);
        assert_eq!(plan[0].as_ref().unwrap(), &Some(Call::Terminate));
        assert_eq!(plan[1].as_ref().unwrap_err().kind, ErrorKind::Unsupported);
        assert_eq!(plan[2].as_ref().unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(plan[3].as_ref().unwrap(), &None);
    }

    #[test]
    fn only_a_stop_that_never_works_is_told_what_to_do_instead() {
        let told = |kind| {
            let error = DriverError::new(kind, "EC2 did not stop the instances");
            let refused = Refusal { code: String::new(), named: BTreeSet::new(), error };
            unstoppable(refused).error.message.contains("skep rm")
        };
        assert!(told(ErrorKind::Unsupported));
        assert!(!told(ErrorKind::Unavailable));
    }
}
