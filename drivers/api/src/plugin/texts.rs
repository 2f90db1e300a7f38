//! How much of the other process's words is taken: they end in the replicated state, on every coordinator's disk. What
//! something is called is refused when it is too long, as half of it would be another's; what is said is cut.

use skep_types::{FieldViolation, limits};

use super::from_wire::WireError;

/// What a provider or a driver calls something. It may become a label.
pub(super) fn name(field: &'static str, text: String) -> Result<String, WireError> {
    sized(field, text, limits::LABEL_BYTES)
}

pub(super) fn sized(field: &'static str, text: String, max: usize) -> Result<String, WireError> {
    if text.len() <= max {
        return Ok(text);
    }
    let problem = format!("has {} bytes, at most {max} are taken", text.len());
    Err(WireError { field, problem })
}

/// A sentence for people.
pub(super) fn message(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(limits::MESSAGE_BYTES));
    text
}

/// One for each option, at most.
pub(super) fn violations(from: impl IntoIterator<Item = FieldViolation>) -> Vec<FieldViolation> {
    let cut =
        |v: FieldViolation| FieldViolation { field: message(v.field), description: message(v.description) };
    from.into_iter().take(limits::OPTIONS).map(cut).collect()
}
