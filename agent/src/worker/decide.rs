//! What to do next about a permit, from what the engine says of its own node. Pure.

use crate::engine::{LocalNode, LocalState};
use crate::permit::{Done, Outcome, Work};

/// What this permit has seen so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum History {
    New,
    /// A process before this one began: the call may have been made, or not.
    Begun,
    /// The call was made; `failure` is what it answered, for people.
    Acted {
        failure: Option<String>,
    },
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Act,
    /// It is done; its result is to be read from the engine.
    Complete(LocalNode),
    Finish(Outcome),
    /// Neither done nor failed yet.
    Wait(String),
}

/// `known_swarm` is the swarm that the ledger says this host came to belong to: workers are not told by Docker.
pub(super) fn decide(work: &Work, node: &LocalNode, known_swarm: &str, history: &History) -> Step {
    match work {
        Work::Init { .. } => init(node, history),
        Work::Join { swarm_id, .. } => join(node, swarm_id, known_swarm, history),
        Work::Leave { .. } => leave(node, history),
        Work::UpdateNodes(_) | Work::RemoveNodes { .. } => on_others(history),
    }
}

fn init(node: &LocalNode, history: &History) -> Step {
    match (node.state, history) {
        (LocalState::Inactive, _) => act_once(history),
        (LocalState::Active, History::Begun | History::Acted { .. }) if node.manager => {
            Step::Complete(node.clone())
        }
        (LocalState::Pending, History::Begun | History::Acted { .. }) => {
            Step::Wait("the engine is starting its swarm".to_owned())
        }
        _ => refuse_occupied(node, history),
    }
}

fn join(node: &LocalNode, wanted: &str, known_swarm: &str, history: &History) -> Step {
    let current = if node.swarm_id.is_empty() { known_swarm } else { &node.swarm_id };
    match node.state {
        LocalState::Inactive => act_once(history),
        // Joins by itself when its path opens. A second join on top would be refused, or make a second node.
        LocalState::Pending => Step::Wait("the engine is still joining".to_owned()),
        LocalState::Active if current == wanted => Step::Complete(node.clone()),
        LocalState::Active | LocalState::Error | LocalState::Locked => refuse_occupied(node, history),
    }
}

fn leave(node: &LocalNode, history: &History) -> Step {
    match (node.state, history) {
        (LocalState::Inactive, _) => Step::Finish(Outcome::Done(Done::default())),
        (LocalState::Pending, History::Acted { failure: None }) => {
            Step::Wait("the engine is leaving".to_owned())
        }
        (_, History::Acted { failure }) => {
            let reason = failure.clone().unwrap_or_else(|| describe(node));
            Step::Finish(Outcome::NotDone { message: reason })
        }
        (_, History::New | History::Begun) => Step::Act,
    }
}

/// Idempotent by node id: after a crash it is simply done again.
fn on_others(history: &History) -> Step {
    match history {
        History::New | History::Begun => Step::Act,
        History::Acted { failure: None } => Step::Finish(Outcome::Done(Done::default())),
        History::Acted { failure: Some(failure) } => Step::Finish(Outcome::not_done(failure)),
    }
}

/// The engine is in no swarm and on its way to none: what was tried came to nothing.
fn act_once(history: &History) -> Step {
    match history {
        History::New | History::Begun => Step::Act,
        History::Acted { failure: Some(failure) } => Step::Finish(Outcome::not_done(failure)),
        History::Acted { failure: None } => {
            Step::Finish(Outcome::not_done("the engine is in no swarm afterwards"))
        }
    }
}

fn refuse_occupied(node: &LocalNode, history: &History) -> Step {
    let state = describe(node);
    let message = match history {
        History::Acted { failure: Some(failure) } => format!("{failure}; {state}"),
        _ => state,
    };
    Step::Finish(Outcome::NotDone { message })
}

fn describe(node: &LocalNode) -> String {
    let cause = if node.error.is_empty() { String::new() } else { format!(": {}", node.error) };
    match node.state {
        LocalState::Inactive => "the engine is in no swarm".to_owned(),
        LocalState::Pending => format!("the engine is joining a swarm{cause}"),
        LocalState::Active if node.swarm_id.is_empty() => {
            format!("the engine is already node {} of a swarm it does not name", node.node_id)
        }
        LocalState::Active => {
            format!("the engine is already node {} of swarm {}", node.node_id, node.swarm_id)
        }
        LocalState::Error => format!("the engine's swarm part failed{cause}"),
        LocalState::Locked => "the engine's swarm part is locked".to_owned(),
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
