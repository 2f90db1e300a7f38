//! Which instance a caller is, by EC2's own word: the identity document that its metadata shows it, signed by EC2.
//!
//! ```text
//!  evidence.sh, on the instance ─► evidence ─► signed: its content, and who signed it ─► document: which instance
//!                                                        ▲ certificates that the account trusts
//! ```
//! The document is what `/latest/dynamic/instance-identity/rsa2048` answers: PKCS#7 with the document in it, signed by
//! RSA with SHA-256. Everything here is pure.

mod ber;
mod certificates;
mod document;
mod signed;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use skep_driver::{Access, DriverError, ErrorKind};
use skep_types::{ProviderId, limits};

use crate::client::{option, refuse};
use crate::flags::{ACCOUNT_ID, CERTIFICATES};
use certificates::Certificates;
use document::Document;

/// What an account believes of its instances.
#[derive(Debug)]
pub(crate) struct Trust {
    certificates: Certificates,
    region: String,
    /// None where any will do: an instance of another account is never one that this account's creates made.
    account: Option<String>,
}

/// Why evidence proves nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Distrust {
    #[error("this account's instances have to prove themselves, and this one brought no identity document")]
    Missing,
    #[error("the identity document is longer than {} bytes", limits::EVIDENCE_BYTES)]
    TooLong,
    #[error("the identity document cannot be read: {0}")]
    Unreadable(#[from] signed::Unreadable),
    #[error("the identity document was not signed by a key that this account trusts")]
    Signature,
    #[error("the identity document says something else than EC2 does: {0}")]
    Content(#[from] document::Odd),
    #[error("the identity document is of region {0}, and not of this account's")]
    Region(String),
    #[error("the identity document is of account {0}, which is not this one")]
    Account(String),
    #[error("the identity document is of {0}, which is too far from now")]
    Time(Timestamp),
}

impl From<Distrust> for DriverError {
    fn from(distrust: Distrust) -> Self {
        Self::new(ErrorKind::Auth, distrust.to_string())
    }
}

impl Trust {
    /// None where the account trusts no certificate: its instances are told apart by their addresses.
    pub(crate) fn of(access: &Access, region: &str) -> Result<Option<Self>, DriverError> {
        let account = option(access, ACCOUNT_ID).map(str::to_owned);
        let digits = |id: &String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        if account.as_ref().is_some_and(|id| !digits(id)) {
            return Err(refuse(ACCOUNT_ID, "must have twelve digits"));
        }
        let Some(pem) = option(access, CERTIFICATES) else {
            return match account {
                Some(_) => Err(refuse(CERTIFICATES, &format!("is missing beside {ACCOUNT_ID}"))),
                None => Ok(None),
            };
        };
        let certificates = Certificates::from_pem(pem)
            .map_err(|error| refuse(CERTIFICATES, &format!("cannot be used: {error}")))?;
        Ok(Some(Self { certificates, region: region.to_owned(), account }))
    }

    pub(crate) fn prove(&self, evidence: &[u8], now: Timestamp) -> Result<ProviderId, Distrust> {
        if evidence.is_empty() {
            return Err(Distrust::Missing);
        }
        if evidence.len() > limits::EVIDENCE_BYTES {
            return Err(Distrust::TooLong);
        }
        let signed = signed::read(evidence)?;
        if !self.certificates.signed(&signed) {
            return Err(Distrust::Signature);
        }
        let document = Document::read(&signed.content)?;
        if document.region != self.region {
            return Err(Distrust::Region(document.region));
        }
        if self.account.as_ref().is_some_and(|account| *account != document.account_id) {
            return Err(Distrust::Account(document.account_id));
        }
        if !document.is_of_about(now) {
            return Err(Distrust::Time(document.pending_time));
        }
        Ok(document.instance_id)
    }
}
