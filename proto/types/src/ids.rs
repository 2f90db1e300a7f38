//! Ids that `apply` allocates: a cluster epoch and a counter that never goes back.
//!
//! An id at or below its epoch's counter that is not present is dead: nothing of it can come back, and no
//! tombstones pile up. A restore from backup bumps the epoch, so ids given out after the backup stay dead too.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {wanted}, written like {example}")]
pub struct ParseIdError {
    text: String,
    wanted: &'static str,
    example: &'static str,
}

macro_rules! allocated_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $wanted:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name {
            /// The cluster epoch the id was given out in.
            pub epoch: u32,
            /// The position within that epoch, from 1.
            pub counter: u64,
        }

        impl $name {
            pub const fn new(epoch: u32, counter: u64) -> Self {
                Self { epoch, counter }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}-{}"), self.epoch, self.counter)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let error = || ParseIdError {
                    text: text.to_owned(),
                    wanted: $wanted,
                    example: concat!($prefix, "1-42"),
                };
                let (epoch, counter) =
                    text.strip_prefix($prefix).and_then(|rest| rest.split_once('-')).ok_or_else(error)?;
                Ok(Self {
                    epoch: epoch.parse().map_err(|_| error())?,
                    counter: counter.parse().map_err(|_| error())?,
                })
            }
        }
    };
}

allocated_id!(
    /// One host, for its whole life, over all its incarnations.
    HostId, "h", "a host id"
);
allocated_id!(
    /// A driver effect that was committed before it was tried.
    IntentId, "i", "an intent id"
);
allocated_id!(
    /// A long-running request.
    OperationId, "op", "an operation id"
);
allocated_id!(
    /// A Docker swarm that skep bootstraps and keeps.
    SwarmId, "s", "a swarm id"
);
allocated_id!(
    /// The committed right of one host to do a one-shot thing.
    PermitId, "p", "a permit id"
);
allocated_id!(
    /// A position in the history of the replicated state: every applied command is one step.
    ///
    /// Records carry the revision that changed them last; guards and watches name it.
    Revision, "r", "a revision"
);

/// A member of the replicated cluster. Never used again once removed, and never given to a wiped disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CoordinatorId(pub u64);

impl fmt::Display for CoordinatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_what_they_print() {
        let id = HostId::new(3, 42);
        assert_eq!(id.to_string(), "h3-42");
        assert_eq!("h3-42".parse(), Ok(id));
    }

    #[test]
    fn another_kind_of_id_is_refused_with_an_example() {
        let error = "op1-2".parse::<HostId>().unwrap_err();
        assert_eq!(error.to_string(), r#""op1-2" is not a host id, written like h1-42"#);
    }
}
