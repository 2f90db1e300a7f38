//! TCP to the first hop, with a deadline for each of its addresses.

use std::io::{Error as IoError, ErrorKind};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::{Error, Hop, Kind};

/// Names of machines have one or two addresses; each costs a deadline when it is a black hole.
const ADDRESSES_MAX: usize = 4;

pub(super) async fn dial(hop: &Hop, limit: Duration) -> Result<TcpStream, Error> {
    let late = || timed_out(hop, "looking up its name", limit);
    let not_found = || Kind::NameNotFound { host: hop.host.clone() };
    let lookup = timeout(limit, lookup_host((hop.host.as_str(), hop.port))).await.map_err(|_| late())?;
    let addresses = lookup.map_err(|error| Error::caused_by(not_found(), error))?;
    let mut last = Error::from(not_found());
    for address in addresses.take(ADDRESSES_MAX) {
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Only slower without it.
                let _best_effort = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = refused(hop, limit, error),
            Err(_) => last = timed_out(hop, "connecting", limit),
        }
    }
    Err(last)
}

fn timed_out(hop: &Hop, doing: &'static str, after: Duration) -> Error {
    Kind::TimedOut { address: hop.to_string(), doing, after }.into()
}

fn refused(hop: &Hop, limit: Duration, error: IoError) -> Error {
    let address = hop.to_string();
    let kind = match error.kind() {
        ErrorKind::ConnectionRefused => Kind::Refused { address },
        ErrorKind::TimedOut => Kind::TimedOut { address, doing: "connecting", after: limit },
        _ => Kind::Unreachable { address },
    };
    Error::caused_by(kind, error)
}
