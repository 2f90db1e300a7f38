//! What we answer when a server speaks first: it may show its key and say good-bye, and open nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use russh::{AlgorithmKind, Channel};

use crate::{Error, Hop, HostKeys, Kind, Rsa, SeenKey};

/// What is written in a server's good-bye is shown to people, up to here.
const SAID_CHARS_MAX: usize = 200;

/// One end of one SSH connection.
#[derive(Debug)]
pub(crate) struct Client {
    host: String,
    port: u16,
    keys: HostKeys,
    notes: Notes,
}

/// What the server let us know, for those outside its task.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    seen: Option<SeenKey>,
    goodbye: String,
}

/// Why a handshake or connection ended.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Ours, of the server's key.
    Key(Kind),
    Protocol(russh::Error),
}

impl From<russh::Error> for Refusal {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl Notes {
    pub(crate) fn seen_key(&self) -> Option<SeenKey> {
        self.with(|noted| noted.seen.clone())
    }

    pub(crate) fn goodbye(&self) -> String {
        self.with(|noted| noted.goodbye.clone())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Noted) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Refusal {
    /// In the words of [`Kind`], as far as there are any.
    pub(crate) fn explain(self, hop: &Hop, doing: &'static str, notes: &Notes) -> Error {
        let address = hop.to_string();
        match (self, hop.rsa) {
            (Self::Key(kind), _) => kind.into(),
            (Self::Protocol(error), Rsa::Refused(remedy)) if shows_rsa_only(&error) => {
                Error::caused_by(Kind::RsaOnly { address, remedy }, error)
            }
            (Self::Protocol(error), _) => protocol(&address, doing, notes, error),
        }
    }
}

/// Whether the server has an RSA key that is good enough, and none that is taken.
fn shows_rsa_only(error: &russh::Error) -> bool {
    let russh::Error::NoCommonAlgo { kind: AlgorithmKind::Key, theirs, .. } = error else { return false };
    theirs.iter().any(|algorithm| algorithm.starts_with("rsa-sha2-"))
}

pub(crate) fn protocol(address: &str, doing: &'static str, notes: &Notes, error: russh::Error) -> Error {
    use russh::Error as E;
    let address = address.to_owned();
    let kind = match &error {
        E::NoCommonAlgo { kind: AlgorithmKind::Key, theirs, .. } => {
            let why = format!("of its host keys, {}, none is taken here", theirs.join(", "));
            Kind::Protocol { address, why }
        }
        E::NoCommonAlgo { kind, theirs, .. } => {
            let why = format!("no {kind:?} algorithm in common; it offers {}", theirs.join(", "));
            Kind::Protocol { address, why }
        }
        E::Version => Kind::Protocol { address, why: "it is no SSH server".to_owned() },
        E::Disconnect | E::HUP | E::IO(_) | E::SendError | E::RecvError | E::KeepaliveTimeout => {
            Kind::Dropped { address, doing, said: notes.goodbye() }
        }
        _ => Kind::Protocol { address, why: format!("failed while {doing}") },
    };
    Error::caused_by(kind, error)
}

impl Client {
    pub(crate) fn new(hop: &Hop, notes: Notes) -> Self {
        Self { host: hop.host.clone(), port: hop.port, keys: hop.keys.clone(), notes }
    }
}

#[allow(clippy::disallowed_methods, reason = "the validity of host certificates is told in wall time")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Handler for Client {
    type Error = Refusal;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Refusal> {
        let seen = self.keys.judge(&self.host, self.port, shown, now()).map_err(Refusal::Key)?;
        self.notes.with(|noted| noted.seen.get_or_insert(seen).clone());
        Ok(true)
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Refusal>) -> Result<(), Refusal> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                let said = info.message.chars().filter(|c| !c.is_control()).take(SAID_CHARS_MAX).collect();
                self.notes.with(|noted| noted.goodbye = said);
                Ok(())
            }
            DisconnectReason::Error(error) => Err(error),
        }
    }

    // The library accepts whatever a server opens; a server has nothing to open here. A dropped reply refuses.

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: Channel<Msg>,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Refusal> {
        Ok(())
    }
}
