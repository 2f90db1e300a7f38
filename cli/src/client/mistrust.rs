//! Tells a connection that failed for its certificates from one that failed for anything else.

use std::error::Error;
use std::io;

/// Whether the other side refused our certificate, or we its: the same coordinator will say the same again.
pub(crate) fn mistrust(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if is_mistrust(error) {
            return true;
        }
        next = error.source();
    }
    false
}

/// In TLS 1.3 a refused client hears of it only after the handshake, through h2. That leaves of an io::Error no more than
/// its kind and text: `InvalidData` is what tokio-rustls makes of TLS errors, and nothing else on this way makes it.
fn is_mistrust(error: &(dyn Error + 'static)) -> bool {
    let Some(io) = error.downcast_ref::<io::Error>() else { return false };
    match io.get_ref().and_then(|wrapped| wrapped.downcast_ref()) {
        Some(tls) => matches!(tls, rustls::Error::AlertReceived(_) | rustls::Error::InvalidCertificate(_)),
        None => io.kind() == io::ErrorKind::InvalidData,
    }
}
