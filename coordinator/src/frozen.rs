//! What an intent's instances boot with, sealed as the log keeps it.

use prost::Message;
use skep_proto::store::FrozenBootstrap;
use skep_types::Digest;

use crate::trust::{Sealer, TrustError};

/// Sealed for the first slot's enrolment token: the intent has no id yet, and that token is its own.
pub(crate) fn seal(
    sealer: &Sealer,
    first_token: Option<Digest>,
    bootstrap: &FrozenBootstrap,
) -> Result<Vec<u8>, TrustError> {
    sealer.seal(&resource(first_token), &bootstrap.encode_to_vec())
}

/// The inverse, where the owner of the account makes the call.
pub(crate) fn open(
    sealer: &Sealer,
    first_token: Option<Digest>,
    sealed: &[u8],
) -> Result<FrozenBootstrap, TrustError> {
    let resource = resource(first_token);
    let bytes = sealer.open(&resource, sealed)?;
    FrozenBootstrap::decode(bytes.as_slice()).map_err(|_| TrustError::Unseal { resource })
}

fn resource(first_token: Option<Digest>) -> String {
    first_token.map_or_else(|| "bootstrap".to_owned(), |token| format!("bootstrap/{token}"))
}
