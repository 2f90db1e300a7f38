//! Who this agent is: a key made here once, and the certificates it was given for it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skep_proto::agent as pb;
use skep_tls::{Certified, Key, Swap};

use crate::error::AgentError;
use crate::facts::Facts;
use crate::store::{Record, Store, StoreError, read_json, write_json};

/// What is kept of an enrolment: one record, so that the front door never sees half of a renewal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRecord {
    pub host_id: String,
    /// PEM, leaf first.
    pub certificate: String,
    /// PEM, leaf first: the front door's, for the same key.
    pub docker_certificate: String,
    /// PEM.
    pub docker_client_ca: String,
    pub docker_denied_serials: Vec<String>,
    /// That the front door's certificate names.
    #[serde(default)]
    pub addresses: Vec<String>,
    renewal: Renewal,
}

/// On the clock that runs since boot, which a wrong wall clock does not move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Renewal {
    boot_id: String,
    at_uptime_ms: u64,
}

#[derive(Debug)]
pub(crate) struct Identity {
    store: Arc<dyn Store>,
    facts: Arc<dyn Facts>,
    key: Key,
    presented: Swap,
    record: Option<IdentityRecord>,
}

impl Identity {
    /// Makes the key where there is none.
    pub(crate) async fn open(store: Arc<dyn Store>, facts: Arc<dyn Facts>) -> Result<Self, AgentError> {
        let key = match store.read(Record::Key).await? {
            Some(pem) => Key::from_pem(&String::from_utf8_lossy(&pem))?,
            None => {
                let key = Key::generate()?;
                store.write(Record::Key, key.to_pem()?.as_bytes().to_vec()).await?;
                key
            }
        };
        let record: Option<IdentityRecord> = read_json(&*store, Record::Identity).await?;
        let presented = Swap::empty();
        if let Some(record) = &record {
            presented.set(Certified::from_pem(&record.certificate, &key)?);
        }
        Ok(Self { store, facts, key, presented, record })
    }

    /// What the next handshake presents: nothing until enrolled.
    pub(crate) fn presented(&self) -> &Swap {
        &self.presented
    }

    pub(crate) fn is_enrolled(&self) -> bool {
        self.record.is_some()
    }

    /// Empty until enrolled.
    pub(crate) fn host_id(&self) -> &str {
        self.record.as_ref().map_or("", |record| &record.host_id)
    }

    pub(crate) fn signing_request(&self) -> Result<Vec<u8>, skep_tls::Error> {
        self.key.signing_request_der()
    }

    /// Zero when it is time, and after a reboot: how long the host was off is not known.
    pub(crate) fn renew_after(&self) -> Duration {
        match &self.record {
            Some(IdentityRecord { renewal, .. }) if renewal.boot_id == self.facts.boot_id() => {
                Duration::from_millis(renewal.at_uptime_ms).saturating_sub(self.facts.uptime())
            }
            _ => Duration::ZERO,
        }
    }

    /// Whether clients that dial one of the addresses find it in the front door's certificate. None are said by a
    /// coordinator that does not know them.
    pub(crate) fn names(&self, addresses: &[String]) -> bool {
        addresses.is_empty() || self.record.as_ref().is_none_or(|record| record.addresses == addresses)
    }

    /// Takes what a coordinator answered: checked against the key, then on disk, then presented.
    pub(crate) async fn adopt(&mut self, given: pb::Identity) -> Result<(), AdoptError> {
        let certified = Certified::from_pem(&given.certificate, &self.key)?;
        Certified::from_pem(&given.docker_certificate, &self.key)?;
        let at = self.facts.uptime().saturating_add(Duration::from_millis(given.renew_after_ms));
        let record = IdentityRecord {
            host_id: given.host_id,
            certificate: given.certificate,
            docker_certificate: given.docker_certificate,
            docker_client_ca: given.docker_client_ca,
            docker_denied_serials: given.docker_denied_serials,
            addresses: given.addresses,
            renewal: Renewal {
                boot_id: self.facts.boot_id(),
                at_uptime_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            },
        };
        write_json(&*self.store, Record::Identity, &record).await?;
        self.presented.set(certified);
        self.record = Some(record);
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum AdoptError {
    #[error("the certificates given are not for this agent's key")]
    NotOurs(#[from] skep_tls::Error),
    #[error("the certificates given could not be kept")]
    NotKept(#[from] StoreError),
}
