//! What stops an agent, and how errors are printed.

use std::error::Error;

use skep_types::limits;

use crate::store::StoreError;

/// Why an agent cannot run at all. Whatever may pass by itself is retried, and logged, instead.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("the configuration names no coordinator")]
    NoCoordinator,
    #[error("the agent's records are not usable")]
    Store(#[from] StoreError),
    #[error("the agent's key, certificate or trust root is not usable")]
    Tls(#[from] skep_tls::Error),
}

/// The error and what caused it, in one bounded line.
pub(crate) fn chain(error: &dyn Error) -> String {
    bounded(skep_types::chain(error))
}

/// At most what coordinators keep of a message, cut between characters.
pub(crate) fn bounded(mut text: String) -> String {
    if text.len() > limits::MESSAGE_BYTES {
        let end = (0..=limits::MESSAGE_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}
