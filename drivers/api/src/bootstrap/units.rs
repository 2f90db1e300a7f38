//! The agent's units, as they are shipped with the agent.

/// File name and text.
pub(super) const UNITS: [(&str, &str); 2] = [
    ("skep-agent.service", include_str!("../../../../agent/units/skep-agent.service")),
    ("skep-agent-proxy.service", include_str!("../../../../agent/units/skep-agent-proxy.service")),
];

/// The units that are enabled and started, separated by spaces.
pub(super) const ENABLED: &str = "skep-agent.service skep-agent-proxy.service";
