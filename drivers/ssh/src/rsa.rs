//! Whether RSA keys are let in: those of people, of machines, and of an ssh-agent.

use russh::keys::ssh_key::Algorithm;

/// Who signs with an RSA key may leak it by how long that takes, and the only implementation there is has no mend for it
/// (RUSTSEC-2023-0071): no RSA key is let in unless somebody asked. With SHA-2 then; a signature with SHA-1 is never made
/// and never taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rsa {
    /// With what a person can do about it, for messages.
    Refused(&'static str),
    Sha2,
}

impl Rsa {
    /// Why keys of this kind are left out; None where they are let in.
    pub fn refusal(self, algorithm: &Algorithm) -> Option<String> {
        match self {
            Self::Refused(remedy) if matches!(algorithm, Algorithm::Rsa { .. }) => Some(refusal(remedy)),
            Self::Refused(_) | Self::Sha2 => None,
        }
    }

    pub(crate) fn is_let_in(self) -> bool {
        self == Self::Sha2
    }
}

pub(crate) fn refusal(remedy: &str) -> String {
    format!("RSA keys are not let in, for signing with them can leak them by its timing; {remedy}")
}
