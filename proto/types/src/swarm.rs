//! Words about swarms, and about people.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NodeRole {
    Manager,
    Worker,
}

impl NodeRole {
    pub fn label(self) -> &'static str {
        match self {
            Self::Manager => "manager",
            Self::Worker => "worker",
        }
    }
}

/// A node's state as a manager sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NodeState {
    /// Also what every node looks like while the swarm elects its leader.
    #[default]
    Unknown,
    Ready,
    Down,
    Disconnected,
}

/// What a person may do: each role includes the ones after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PersonRole {
    /// People, coordinators, and everything an operator may.
    Admin,
    /// Hosts and swarms, and Docker access.
    Operator,
    /// Looks, changes nothing.
    Viewer,
}

impl PersonRole {
    pub fn label(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }

    /// Whether a person of this role may do what asks for `needed`.
    pub fn includes(self, needed: Self) -> bool {
        self <= needed
    }
}
