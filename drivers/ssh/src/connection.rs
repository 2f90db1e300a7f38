//! One connection to one machine, with what it goes through.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use russh::Disconnect;
use russh::client::Handle;
use skep_types::Secret;
use tokio::sync::OnceCell;

use crate::connect::{Client, Notes, protocol};
use crate::sudo::Root;
use crate::{Error, SeenKey};

/// Logged in at the target. Ends with its last clone; what is under way over it then ends too.
#[derive(Clone)]
pub struct Connection {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) target: Link,
    /// Hops before the target, first one first. They carry it, so they live as long.
    jumps: Vec<Link>,
    peer: Option<IpAddr>,
    pub(crate) sudo_password: Option<Secret>,
    /// How this login becomes root: found out once.
    pub(crate) root: OnceCell<Root>,
}

/// One hop that is logged in to.
pub(crate) struct Link {
    pub(crate) handle: Handle<Client>,
    pub(crate) address: String,
    pub(crate) user: String,
    pub(crate) seen: SeenKey,
    pub(crate) notes: Notes,
}

impl Connection {
    pub(crate) fn new(
        target: Link,
        jumps: Vec<Link>,
        peer: Option<IpAddr>,
        sudo_password: Option<Secret>,
    ) -> Self {
        Self { inner: Arc::new(Inner { target, jumps, peer, sudo_password, root: OnceCell::new() }) }
    }

    /// `HOST:PORT` of the target, for messages.
    pub fn address(&self) -> &str {
        &self.inner.target.address
    }

    pub fn user(&self) -> &str {
        &self.inner.target.user
    }

    /// The address it was dialled at; None for a name that only a jump host resolves.
    pub fn peer(&self) -> Option<IpAddr> {
        self.inner.peer
    }

    /// The key the target was accepted with.
    pub fn host_key(&self) -> &SeenKey {
        &self.inner.target.seen
    }

    /// The keys of the jump hosts, first one first.
    pub fn jump_keys(&self) -> impl Iterator<Item = (&str, &SeenKey)> {
        self.inner.jumps.iter().map(|link| (link.address.as_str(), &link.seen))
    }

    pub fn is_closed(&self) -> bool {
        self.inner.target.handle.is_closed()
    }

    /// Says good-bye at every hop. Dropping the connection ends it too, without a word.
    pub async fn close(&self) {
        for link in std::iter::once(&self.inner.target).chain(self.inner.jumps.iter().rev()) {
            // A hop that is gone already needs no good-bye.
            let _gone = link.handle.disconnect(Disconnect::ByApplication, "", "").await;
        }
    }
}

impl Link {
    /// An error of the library, in our words.
    pub(crate) fn explain(&self, doing: &'static str, error: russh::Error) -> Error {
        protocol(&self.address, doing, &self.notes, error)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("user", &self.user()).field("address", &self.address()).finish()
    }
}
