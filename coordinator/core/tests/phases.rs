//! One table per phase: the host as it stands, and the step that follows, with its reason and deadline.

mod booting;
mod demoting;
mod failed;
mod installing;
mod joining;
mod leaving;
mod pending;
mod ready;
mod starting;
mod way_out;

use std::time::Duration;

use skep_core::command::Advance;
use skep_core::plan::{Action, Step, WaitReason};
use skep_types::{ClusterTime, FailureClass};

fn wait(reason: WaitReason, until_ms: Option<u64>) -> Step {
    Step::Wait { reason, until: until_ms.map(ClusterTime) }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).expect("a deadline")
}

/// Where the step leads, whatever it says about why.
fn goes(step: Step) -> Advance {
    match step {
        Step::Do(Action::Advance(to, _)) => to,
        other => panic!("does not advance: {other:?}"),
    }
}

fn fails(step: Step) -> FailureClass {
    match goes(step) {
        Advance::Failed { class, .. } => class,
        other => panic!("does not fail: {other:?}"),
    }
}
