//! EC2's word about its instances: identity documents, in EC2's form, signed by a key that is made for one test.

pub(crate) mod cms;

use std::net::Ipv4Addr;

use jiff::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize, SerialNumber,
    SigningKey,
};

use cms::Unsigned;

/// The account of every instance here, as the emulator has it.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

/// Who signs, as AWS does in one region.
#[derive(Debug)]
pub(crate) struct Identity {
    key: KeyPair,
    certificate: rcgen::Certificate,
}

/// Of which instance a document is.
#[derive(Debug, Clone)]
pub(crate) struct Of<'a> {
    pub(crate) instance: &'a str,
    pub(crate) address: Ipv4Addr,
    pub(crate) pending: Timestamp,
}

impl Identity {
    pub(crate) fn generate() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let mut params = CertificateParams::default();
        let mut name = DistinguishedName::new();
        name.push(DnType::CountryName, "US");
        name.push(DnType::OrganizationName, "skep tests");
        params.distinguished_name = name;
        params.serial_number = Some(SerialNumber::from(u64::from(fastrand::u32(1..))));
        let certificate = params.self_signed(&key)?;
        Ok(Self { key, certificate })
    }

    /// PEM: what an account has to trust.
    pub(crate) fn certificate(&self) -> String {
        self.certificate.pem()
    }

    /// As `/latest/dynamic/instance-identity/rsa2048` answers: base64 in lines, without a frame.
    pub(crate) fn signed(&self, content: &str, at: Timestamp) -> Result<String, Unsigned> {
        let sign = |bytes: &[u8]| self.key.sign(bytes);
        cms::signed(content.as_bytes(), self.certificate.der(), at, sign)
    }
}

/// As `/latest/dynamic/instance-identity/document` answers.
pub(crate) fn document(of: &Of<'_>) -> String {
    let Of { instance, address, pending } = of;
    format!(
        r#"{{
  "accountId" : "{ACCOUNT}",
  "architecture" : "x86_64",
  "availabilityZone" : "{REGION}a",
  "billingProducts" : null,
  "devpayProductCodes" : null,
  "marketplaceProductCodes" : null,
  "imageId" : "ami-12c6146b",
  "instanceId" : "{instance}",
  "instanceType" : "t3.micro",
  "kernelId" : null,
  "pendingTime" : "{}",
  "privateIp" : "{address}",
  "ramdiskId" : null,
  "region" : "{REGION}",
  "version" : "2017-09-30"
}}"#,
        pending.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
}
