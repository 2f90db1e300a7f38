//! What a person or a coordinator logs in with.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use russh::keys::ssh_key::{Certificate, HashAlg, PrivateKey};
use russh::keys::{Error as KeyError, decode_secret_key};
use skep_types::Secret;

use crate::{Error, Kind, Rsa};

/// One way to prove who one is.
#[derive(Clone)]
pub enum Identity {
    /// A private key, with an OpenSSH certificate of it if there is one.
    Key {
        name: String,
        key: Arc<PrivateKey>,
        certificate: Option<Box<Certificate>>,
    },
    /// Every key that an ssh-agent behind this socket holds.
    Agent {
        socket: PathBuf,
    },
    Password(Secret),
    /// A key that was named and cannot be tried. It is told with those that were, when none lets in.
    Absent {
        name: String,
        why: String,
    },
}

impl Identity {
    /// A private key out of its file's text: OpenSSH, PKCS#1, SEC1 or PKCS#8. `name` is how errors call it.
    pub fn key(name: &str, pem: &Secret, passphrase: Option<&Secret>) -> Result<Self, Error> {
        let key = decode_secret_key(pem.reveal(), passphrase.map(Secret::reveal))
            .map_err(|error| unusable(name, pem, passphrase.is_some(), error))?;
        Ok(Self::Key { name: name.to_owned(), key: Arc::new(key), certificate: None })
    }

    /// Why `rsa` leaves it out, if it does. The keys of an ssh-agent are only known at login.
    pub fn refusal(&self, rsa: Rsa) -> Option<String> {
        match self {
            Self::Key { key, .. } => rsa.refusal(&key.algorithm()),
            Self::Agent { .. } | Self::Password(_) | Self::Absent { .. } => None,
        }
    }

    /// The same key with a certificate of it, as it stands in `NAME-cert.pub`. Anything but a key stays as it is.
    pub fn certified(self, text: &str) -> Result<Self, Error> {
        let Self::Key { name, key, .. } = self else { return Ok(self) };
        let refused = |why: &str| Kind::UnusableKey { name: name.clone(), why: why.to_owned() };
        let certificate = Certificate::from_openssh(text.trim())
            .map_err(|error| Error::caused_by(refused("its certificate cannot be read"), error))?;
        if certificate.public_key() != key.public_key().key_data() {
            return Err(refused("its certificate is for another key").into());
        }
        Ok(Self::Key { name, key, certificate: Some(Box::new(certificate)) })
    }
}

/// For errors: what it is, and enough to find it again.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { name, key, .. } => {
                let fingerprint = key.fingerprint(HashAlg::Sha256);
                write!(f, "key {name} ({} {fingerprint})", key.algorithm())
            }
            Self::Agent { socket } => write!(f, "ssh-agent {}", socket.display()),
            Self::Password(_) => f.write_str("password"),
            Self::Absent { name, why } => write!(f, "key {name} ({why})"),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn unusable(name: &str, pem: &Secret, with_passphrase: bool, error: KeyError) -> Error {
    let why = match &error {
        _ if !pem.reveal().contains("-----BEGIN ") => "it is not a private key in PEM",
        KeyError::KeyIsEncrypted if with_passphrase => "its passphrase is wrong",
        KeyError::KeyIsEncrypted => "it is protected by a passphrase, and none is given",
        KeyError::CouldNotReadKey => "it is not a private key in PEM",
        _ if with_passphrase => "it cannot be read; the passphrase may be wrong",
        _ => "it cannot be read",
    };
    Error::caused_by(Kind::UnusableKey { name: name.to_owned(), why: why.to_owned() }, error)
}

#[cfg(test)]
mod tests;
