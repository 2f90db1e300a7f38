//! Messages as JSON: the fields of the interface under their own names, enums as words, nothing left out.

mod administration;
mod host;
mod operation;
mod swarm;

pub(crate) use administration::{account, broken_driver, cluster, driver, event, person, role};
pub(crate) use host::{condition_status, explanation, host, node_role};
pub(crate) use operation::operation;
pub(crate) use swarm::swarm;

use serde_json::Value;

/// Indented, with the line's end.
pub(crate) fn text(value: &Value) -> String {
    format!("{value:#}\n")
}

pub(crate) fn list<T>(items: &[T], each: impl Fn(&T) -> Value) -> String {
    text(&Value::Array(items.iter().map(each).collect()))
}
