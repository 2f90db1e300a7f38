//! How a request is refused: one small code, a message, and the fields to mend.

use std::error::Error;
use std::fmt;
use std::iter::successors;

/// The kinds of refusal of the public API. `skep-proto` maps each to one gRPC code, in one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request itself is wrong, whatever the state; the violations name the fields.
    Invalid,
    NotFound,
    AlreadyExists,
    /// The state does not allow it now; the message says what has to happen first.
    Precondition,
    /// Decided on an older revision, or the same `request_id` with another body.
    Conflict,
    Unauthenticated,
    Forbidden,
    /// A bound was reached; trying later or asking for less helps.
    Exhausted,
    /// No leader, or no quorum; trying again helps.
    Unavailable,
    /// A watch asked for history that is no longer kept.
    Compacted,
    /// A defect of skep.
    Internal,
}

/// One field of a request that has to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path in the request, such as `template.options.cpus`.
    pub field: String,
    /// What is wrong and what would be right.
    pub description: String,
}

/// A request that was not carried out. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    pub violations: Vec<FieldViolation>,
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), violations: Vec::new() }
    }

    /// A field has to be mended.
    pub fn field(field: impl Into<String>, description: impl fmt::Display) -> Self {
        Self::new(Code::Invalid, "the request is invalid").and(field, description)
    }

    /// The same refusal, naming one more field.
    #[must_use]
    pub fn and(mut self, field: impl Into<String>, description: impl fmt::Display) -> Self {
        self.violations.push(FieldViolation { field: field.into(), description: description.to_string() });
        self
    }

    pub fn not_found(what: impl fmt::Display, hint: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no {what}; {hint}"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for violation in &self.violations {
            write!(f, "; {}: {}", violation.field, violation.description)?;
        }
        Ok(())
    }
}

/// An error and what caused it, in one line. What was said already is not said again: wrappers often repeat their cause.
pub fn chain(error: &dyn Error) -> String {
    successors(error.source(), |&cause| cause.source()).fold(error.to_string(), |text, cause| {
        let said = cause.to_string();
        if text.contains(&said) { text } else { format!("{text}: {said}") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Said(&'static str, #[source] Option<Box<Said>>);

    #[test]
    fn causes_are_told_once_and_in_order() {
        let refused = Said("connection refused", None);
        let transport = Said("cannot connect: connection refused", Some(Box::new(refused)));
        let outer = Said("no answer", Some(Box::new(transport)));
        assert_eq!(chain(&outer), "no answer: cannot connect: connection refused");
    }
}
