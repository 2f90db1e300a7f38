//! Where to, as whom, and how long to wait.

use std::fmt;
use std::time::Duration;

use crate::{HostKeys, Identity, Rsa};

/// The way to a machine: through each jump host in turn, then the machine itself.
#[derive(Debug, Clone)]
pub struct Route {
    pub jumps: Vec<Hop>,
    pub target: Hop,
    pub deadlines: Deadlines,
}

/// One SSH server on the way.
#[derive(Debug, Clone)]
pub struct Hop {
    /// A name or an address; names of hops behind a jump host are resolved there.
    pub host: String,
    pub port: u16,
    pub login: Login,
    pub keys: HostKeys,
    /// For the keys that are tried there, and for the server's own.
    pub rsa: Rsa,
}

/// Who logs in, and with what; tried in this order.
#[derive(Debug, Clone)]
pub struct Login {
    pub user: String,
    pub identities: Vec<Identity>,
    /// For `sudo`, where it asks. Travels on stdin only.
    pub sudo_password: Option<skep_types::Secret>,
}

/// Bounds of each step at each hop. Beyond these a machine is called unreachable.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// For one address of a name.
    pub connect: Duration,
    /// From the first byte to agreed keys. A server short of memory or entropy takes seconds.
    pub handshake: Duration,
    /// For all identities. A server may wait 2 s after each one it refuses, and PAM longer.
    pub login: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(20),
            login: Duration::from_secs(30),
        }
    }
}

/// More jump hosts than this is a circle.
pub(crate) const JUMPS_MAX: usize = 8;

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
