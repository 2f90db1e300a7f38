//! The calls of the trait, as a value: for counters, hooks and messages.

use std::fmt;

use skep_types::CallClass;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    Check,
    Ensure,
    List,
    Observe,
    Power,
    Destroy,
    Console,
    Attest,
    Tunnel,
}

impl Method {
    pub const ALL: [Self; 9] = [
        Self::Check,
        Self::Ensure,
        Self::List,
        Self::Observe,
        Self::Power,
        Self::Destroy,
        Self::Console,
        Self::Attest,
        Self::Tunnel,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Ensure => "ensure",
            Self::List => "list",
            Self::Observe => "observe",
            Self::Power => "power",
            Self::Destroy => "destroy",
            Self::Console => "console",
            Self::Attest => "attest",
            Self::Tunnel => "tunnel",
        }
    }

    /// The bucket that its requests are paid from; None for those that ask no endpoint.
    pub fn class(self) -> Option<CallClass> {
        match self {
            Self::Check | Self::List | Self::Observe | Self::Console => Some(CallClass::Read),
            Self::Ensure => Some(CallClass::Create),
            Self::Power => Some(CallClass::Power),
            Self::Destroy => Some(CallClass::Destroy),
            Self::Attest | Self::Tunnel => None,
        }
    }

    /// Whether a call that got no answer may have changed something. Its failure is then `Ambiguous`; that of the
    /// others is `Unavailable`, which is safe to repeat.
    pub fn has_effect(self) -> bool {
        match self {
            Self::Ensure | Self::Power | Self::Destroy => true,
            Self::Check | Self::List | Self::Observe | Self::Console | Self::Attest | Self::Tunnel => false,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}
