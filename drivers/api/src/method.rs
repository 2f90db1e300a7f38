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
}

impl Method {
    pub const ALL: [Self; 7] =
        [Self::Check, Self::Ensure, Self::List, Self::Observe, Self::Power, Self::Destroy, Self::Console];

    pub fn label(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Ensure => "ensure",
            Self::List => "list",
            Self::Observe => "observe",
            Self::Power => "power",
            Self::Destroy => "destroy",
            Self::Console => "console",
        }
    }

    /// The bucket that its requests are paid from.
    pub fn class(self) -> CallClass {
        match self {
            Self::Check | Self::List | Self::Observe | Self::Console => CallClass::Read,
            Self::Ensure => CallClass::Create,
            Self::Power => CallClass::Power,
            Self::Destroy => CallClass::Destroy,
        }
    }

    /// Whether a call that got no answer may have changed something. Its failure is then `Ambiguous`; that of the
    /// others is `Unavailable`, which is safe to repeat.
    pub fn has_effect(self) -> bool {
        match self {
            Self::Ensure | Self::Power | Self::Destroy => true,
            Self::Check | Self::List | Self::Observe | Self::Console => false,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}
