//! What became of a call, or of the whole plugin.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;

use crate::gob::GobError;
use crate::rpc::ConnectionError;

/// After all but `Refused` and `Argument` the plugin is gone.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PluginError {
    #[error("the plugin program {program} could not be started")]
    Start {
        program: String,
        #[source]
        source: Arc<io::Error>,
    },
    /// The driver's own error. Its text is all there is of it.
    #[error("{0}")]
    Refused(String),
    #[error("the configuration cannot be written for the plugin")]
    Argument(#[source] GobError),
    #[error("the plugin ended by itself, {status}; its last words: {last_words}")]
    Died { status: ExitStatus, last_words: String },
    #[error("the plugin did not end {method} in time, and was killed")]
    Hung { method: &'static str },
    #[error("the plugin wrote more than {0} bytes of output, and was killed")]
    Flooded(u64),
    #[error("the plugin's first line of output is no address of this machine: {line:?}; it was killed")]
    NoAddress { line: String },
    #[error("the plugin speaks version {0} of the protocol, not 1, and was killed")]
    Version(i64),
    #[error("the plugin does not keep to the protocol, and was killed")]
    Protocol(#[source] Arc<ConnectionError>),
    #[error("the plugin answered {method} with something else than that, and was killed")]
    WrongReply { method: &'static str },
    #[error("the plugin was killed, as it was not needed any more")]
    Stopped,
}
