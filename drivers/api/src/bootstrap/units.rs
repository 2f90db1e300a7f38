//! The agent's units, as they are shipped with the agent.

/// File name and text.
pub(super) const UNITS: [(&str, &str); 0] = [];

/// The units that are enabled and started, separated by spaces: the others are started by these.
pub(super) const ENABLED: &str = "skep-agent.service";
