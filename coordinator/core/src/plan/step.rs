//! What a planner answers for one host.

use std::fmt;

use skep_types::{ClusterTime, IntentId};

use crate::command::Advance;
use crate::state::Task;

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Not yet. `until` is when it is looked at again though nothing changed: a deadline, or the end of a back-off.
    Wait {
        reason: WaitReason,
        until: Option<ClusterTime>,
    },
    Do(Action),
    /// Where people want it.
    Done,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Advance(Advance, String),
    Grant(Task),
}

/// Why a host stays where it is. Printed by `explain`, counted in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// A driver call is under way.
    DriverCall(IntentId),
    /// No living coordinator has the driver and reaches the account.
    NoEligibleCoordinator,
    /// The account's calls in flight are at their bound, or a batch is being filled.
    AccountBusy,
    Backoff,
    Enrolment,
    Engine,
    Verdict,
    SwarmInit,
    JoinGate,
    Permit,
    NodeListed,
    NodeLabels,
    Promotion,
    AgentBack,
    Demotion,
    Leave,
    NodeRemoval,
    /// Ambiguous, or failed and kept: only a person goes on from here.
    Person,
}

impl WaitReason {
    pub fn label(self) -> &'static str {
        match self {
            Self::DriverCall(_) => "DriverCall",
            Self::NoEligibleCoordinator => "NoEligibleCoordinator",
            Self::AccountBusy => "AccountBusy",
            Self::Backoff => "Backoff",
            Self::Enrolment => "Enrolment",
            Self::Engine => "Engine",
            Self::Verdict => "Verdict",
            Self::SwarmInit => "SwarmInit",
            Self::JoinGate => "JoinGate",
            Self::Permit => "Permit",
            Self::NodeListed => "NodeListed",
            Self::NodeLabels => "NodeLabels",
            Self::Promotion => "Promotion",
            Self::AgentBack => "AgentBack",
            Self::Demotion => "Demotion",
            Self::Leave => "Leave",
            Self::NodeRemoval => "NodeRemoval",
            Self::Person => "Person",
        }
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DriverCall(intent) => write!(f, "the driver works on intent {intent}"),
            Self::NoEligibleCoordinator => f.write_str(
                "no eligible coordinator: none that is alive has the driver and reaches the account",
            ),
            Self::AccountBusy => f.write_str("the account has as many driver calls under way as it may"),
            Self::Backoff => f.write_str("the last try failed; the next one comes after a pause"),
            Self::Enrolment => f.write_str("the instance exists; its agent has not called yet"),
            Self::Engine => f.write_str("the agent is there; the Docker Engine does not answer yet"),
            Self::Verdict => f.write_str("the request has not reached its minimum of instances yet"),
            Self::SwarmInit => f.write_str("the swarm is not initialised yet"),
            Self::JoinGate => f.write_str("as many hosts join the swarm as may at once"),
            Self::Permit => f.write_str("the agent works under its permit"),
            Self::NodeListed => f.write_str("no manager lists the node as ready yet"),
            Self::NodeLabels => f.write_str("the node does not have its labels yet"),
            Self::Promotion => f.write_str("managers are promoted one at a time; its turn comes"),
            Self::AgentBack => f.write_str("the instance was started; its agent has not called yet"),
            Self::Demotion => f.write_str("the node is still a manager; it goes when quorum allows"),
            Self::Leave => f.write_str("the engine is leaving its swarm"),
            Self::NodeRemoval => f.write_str("a manager still lists the node"),
            Self::Person => f.write_str("only a person can go on from here: rm it, or look at the instance"),
        }
    }
}
