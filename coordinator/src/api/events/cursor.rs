//! Where a watch is in the history of events.
//!
//! A command may cause several events, all at its revision, and a client may lose its connection between two of them.
//! So an event is named by its revision and by how many of the same revision follow it. Counted from the end, that
//! stays true when the oldest events are dropped.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use imbl::Vector;
use skep_core::state::Event;
use skep_types::{Code, Refusal, Revision, limits};

/// Everything up to and with this has been seen. Written "r1-42", or "r1-42.3" when three more events of the revision
/// follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) revision: Revision,
    pub(super) following: usize,
}

impl Cursor {
    pub(super) fn at(revision: Revision) -> Self {
        Self { revision, following: 0 }
    }

    /// Of one of the events.
    pub(super) fn of(events: &Vector<Arc<Event>>, at: usize) -> Option<Self> {
        let revision = events.get(at)?.revision;
        let end = partition_point(events, |event| event.revision <= revision);
        Some(Self { revision, following: end.saturating_sub(at + 1) })
    }

    /// Before the oldest event that is kept.
    pub(super) fn beginning(events: &Vector<Arc<Event>>) -> Option<Self> {
        let first = Self::of(events, 0)?;
        Some(Self { following: first.following + 1, ..first })
    }

    /// The position of the next event, which may be one past the last.
    pub(super) fn next(&self, events: &Vector<Arc<Event>>) -> Result<usize, Refusal> {
        let start = partition_point(events, |event| event.revision < self.revision);
        let end = partition_point(events, |event| event.revision <= self.revision);
        let dropped_some = events.len() >= limits::EVENTS_KEPT;
        let before_all = end == 0 && !events.is_empty();
        if end - start < self.following || (dropped_some && before_all) {
            return Err(Refusal::new(
                Code::Compacted,
                format!(
                    "compacted: the events after {self} are no longer kept whole; list again and watch from there"
                ),
            ));
        }
        Ok(end - self.following)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.following {
            0 => write!(f, "{}", self.revision),
            following => write!(f, "{}.{following}", self.revision),
        }
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (revision, following) = match text.split_once('.') {
            None => (text, "0"),
            Some(parts) => parts,
        };
        let revision = revision.parse().map_err(|error| format!("{error}"))?;
        let following =
            following.parse().map_err(|_| format!("{text:?} is no revision that a watch told"))?;
        Ok(Self { revision, following })
    }
}

/// How many of the first rows `holds` is true for, where it is true for none after one it is false for.
pub(super) fn partition_point<T: Clone>(rows: &Vector<T>, holds: impl Fn(&T) -> bool) -> usize {
    let (mut low, mut high) = (0, rows.len());
    while low < high {
        let middle = low.midpoint(high);
        if rows.get(middle).is_some_and(&holds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
