//! Between the wire and the core: records to messages, and requests, checked field by field, to commands. Pure.

pub(super) mod account;
pub(super) mod cluster;
pub(super) mod driver;
pub(super) mod event;
pub(super) mod host;
pub(super) mod mutation;
pub(super) mod operation;
pub(super) mod requests;
pub(super) mod swarm;
pub(super) mod template;

use std::fmt::Display;
use std::time::Duration;

use skep_types::{FieldViolation, Refusal};

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Collects what is wrong with a request, so that all of it is told at once.
#[derive(Debug, Default)]
pub(super) struct Check(Vec<FieldViolation>);

/// Violations told of one request: a template with 64 bad options needs no more.
const VIOLATIONS: usize = 64;

impl Check {
    /// A field's value, or None and a violation.
    pub(super) fn field<T, E: Display>(&mut self, field: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.refuse(field, error)).ok()
    }

    pub(super) fn refuse(&mut self, field: &str, description: impl Display) {
        if self.0.len() < VIOLATIONS {
            self.0.push(FieldViolation { field: field.to_owned(), description: description.to_string() });
        }
    }

    /// What `read` finds wrong is told under `path`.
    pub(super) fn within<T>(&mut self, path: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let mut inner = Self::default();
        let value = read(&mut inner);
        for violation in inner.0 {
            self.refuse(&format!("{path}.{}", violation.field), violation.description);
        }
        value
    }

    /// The request, if nothing was wrong. `value` is None only where something was.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Refusal> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Refusal {
                violations: self.0,
                ..Refusal::new(skep_types::Code::Invalid, "the request is invalid")
            }),
        }
    }
}

/// The enum of a field that must be given.
fn word<E: TryFrom<i32>>(raw: i32, hint: &str) -> Result<E, String> {
    E::try_from(raw).map_err(|_| format!("is {raw}, which this version does not know; {hint}"))
}

#[cfg(test)]
mod tests;
