//! Who calls, from the certificate of the connection.

use skep_tls::{Certificate, Subject, WallTime};
use skep_types::{ClusterId, Code, CoordinatorId, Digest, HostId, PersonName, Refusal};

/// What a certificate proves. Whether the person or host still is what it was then is in the replicated state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Without a certificate.
    Anonymous,
    Person {
        name: PersonName,
        /// Older than the one in the person's record: dismissed.
        generation: u64,
    },
    Host {
        id: HostId,
        incarnation: u32,
        /// Good for nothing but renewing.
        expired: bool,
        /// Of the certificate: only this key is certified again.
        key: Digest,
    },
    Coordinator(CoordinatorId),
}

impl Caller {
    /// Reads the leaf of a chain that the handshake has verified, expiry excepted.
    pub fn of(leaf: Option<&[u8]>, cluster: &ClusterId, now: WallTime) -> Result<Self, Refusal> {
        let Some(leaf) = leaf else {
            return Ok(Self::Anonymous);
        };
        let certificate = Certificate::from_der(leaf)
            .map_err(|error| refused(format!("your certificate cannot be read: {error}")))?;
        let expired = certificate.expired(now);
        let identity = certificate
            .identity
            .ok_or_else(|| refused("your certificate names nobody; is it one for Docker?"))?;
        if identity.cluster != *cluster {
            return Err(refused(format!(
                "your certificate is of the cluster {}; this is the cluster {cluster}",
                identity.cluster
            )));
        }
        match identity.subject {
            Subject::Host { id, incarnation } => {
                Ok(Self::Host { id, incarnation, expired, key: certificate.public_key.digest() })
            }
            _ if expired => Err(refused("your certificate has expired; have an admin issue another")),
            Subject::Person { name, generation } => Ok(Self::Person { name, generation }),
            Subject::Coordinator(id) => Ok(Self::Coordinator(id)),
        }
    }
}

fn refused(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::Unauthenticated, message)
}
