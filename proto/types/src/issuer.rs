//! A certificate authority of the cluster, as the replicated state keeps it.

/// The certificate in clear, its private key sealed under the cluster key.
///
/// Neither the log nor a snapshot nor a backup can sign with this: opening it takes the cluster key, which stands
/// outside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedIssuer {
    /// X.509, DER, self-signed.
    pub certificate_der: Vec<u8>,
    /// PKCS#8, sealed for the issuer's own name.
    pub sealed_key: Vec<u8>,
}
