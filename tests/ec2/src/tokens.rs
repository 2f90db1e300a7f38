//! Client tokens: a create that is repeated answers as it did the first time.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::form::Form;

/// By token.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    known: HashMap<String, Arc<Mutex<Option<Used>>>>,
}

/// What a token was used for. EC2 binds it to its parameters also when nothing could be made.
#[derive(Debug, Clone)]
pub(crate) struct Used {
    pub(crate) form: Form,
    /// None where nothing was made.
    pub(crate) answer: Option<String>,
}

impl Tokens {
    /// Held by one request at a time: a second one of the same token waits for what the first one did.
    pub(crate) fn slot(&mut self, token: &str) -> Arc<Mutex<Option<Used>>> {
        Arc::clone(self.known.entry(token.to_owned()).or_default())
    }
}
