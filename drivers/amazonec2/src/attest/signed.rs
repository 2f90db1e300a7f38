//! Signed content (PKCS#7 SignedData, RFC 5652), of one signer, by RSA with SHA-256: what EC2 writes, and no more.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ber::{Element, Malformed, Reader};

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OCTETS_IN_PARTS: u8 = 0x24;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const TAGGED_0: u8 = 0xa0;
const TAGGED_1: u8 = 0xa1;

/// pkcs-7 2: signedData.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// pkcs-7 1: data.
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// pkcs-9 3 and 4: contentType, messageDigest.
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// 2.16.840.1.101.3.4.2.1.
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// pkcs-1 1 and 11: rsaEncryption, sha256WithRSAEncryption. With SHA-256 named beside, they mean the same.
const RSA: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
];

/// A message whose parts fit together. Whether anybody signed it is for a key to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) content: Vec<u8>,
    /// What the signature is of: attributes, with the content's digest among them.
    pub(super) attributes: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is no base64")]
    Base64,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("it is not signed by RSA with SHA-256, with attributes")]
    Algorithm,
    #[error("its digest is another one than its content has")]
    Digest,
}

/// From base64, with line breaks anywhere.
pub(super) fn read(evidence: &[u8]) -> Result<Signed, Unreadable> {
    let text: Vec<u8> = evidence.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(text).map_err(|_| Unreadable::Base64)?;
    let mut file = Reader::new(&der);
    let mut info = file.within(SEQUENCE)?;
    file.end()?;
    object(&mut info, SIGNED_DATA)?;
    let mut data = info.within(TAGGED_0)?.within(SEQUENCE)?;
    data.expect(INTEGER)?;
    // Digests are named again by the signer.
    data.expect(SET)?;
    let content = content(&mut data)?;
    // Certificates and lists of revoked ones: nobody is trusted for what is in here.
    data.optional(TAGGED_0)?;
    data.optional(TAGGED_1)?;
    let mut signers = data.within(SET)?;
    let (attributes, signature) = signer(signers.within(SEQUENCE)?)?;
    signers.end()?;
    attested(attributes, &content)?;
    Ok(Signed { content, attributes: as_signed(attributes)?, signature: signature.to_vec() })
}

fn content(data: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
    let mut encapsulated = data.within(SEQUENCE)?;
    object(&mut encapsulated, DATA)?;
    let mut tagged = encapsulated.within(TAGGED_0)?;
    let content = match tagged.optional(OCTETS)? {
        Some(whole) => whole.body.to_vec(),
        None => in_parts(tagged.within(OCTETS_IN_PARTS)?)?,
    };
    Ok(content)
}

fn in_parts(mut parts: Reader<'_>) -> Result<Vec<u8>, Malformed> {
    let mut whole = Vec::new();
    while !parts.is_empty() {
        whole.extend_from_slice(parts.expect(OCTETS)?.body);
    }
    Ok(whole)
}

/// The attributes, and the signature of them.
fn signer(mut signer: Reader<'_>) -> Result<(Element<'_>, &[u8]), Unreadable> {
    signer.expect(INTEGER)?;
    // By issuer and serial number. All of AWS's certificates have the same issuer; each trusted key is tried anyway.
    signer.expect(SEQUENCE)?;
    algorithm(&mut signer, &[SHA_256])?;
    // Without attributes, a signature of attributes could be shown as one of content.
    let attributes = signer.optional(TAGGED_0)?.ok_or(Unreadable::Algorithm)?;
    algorithm(&mut signer, &RSA)?;
    Ok((attributes, signer.expect(OCTETS)?.body))
}

fn algorithm(from: &mut Reader<'_>, known: &[&[u8]]) -> Result<(), Unreadable> {
    let named = from.within(SEQUENCE)?.expect(OBJECT)?.body;
    if known.contains(&named) { Ok(()) } else { Err(Unreadable::Algorithm) }
}

/// The attributes are of this content: each that matters is there once, and says so.
fn attested(attributes: Element<'_>, content: &[u8]) -> Result<(), Unreadable> {
    let mut all = Reader::new(attributes.body);
    let (mut types, mut digests) = (Vec::new(), Vec::new());
    while !all.is_empty() {
        let mut attribute = all.within(SEQUENCE)?;
        match attribute.expect(OBJECT)?.body {
            CONTENT_TYPE => types.push(value(attribute, OBJECT)?),
            MESSAGE_DIGEST => digests.push(value(attribute, OCTETS)?),
            _ => {}
        }
    }
    let of_content = digest(&SHA256, content);
    if types == [DATA] && digests == [of_content.as_ref()] { Ok(()) } else { Err(Unreadable::Digest) }
}

fn value(mut attribute: Reader<'_>, tag: u8) -> Result<&[u8], Malformed> {
    let mut values = attribute.within(SET)?;
    let value = values.expect(tag)?.body;
    values.end()?;
    Ok(value)
}

/// Signed is the set (RFC 5652 §5.4), and not its place in the message.
fn as_signed(attributes: Element<'_>) -> Result<Vec<u8>, Malformed> {
    let mut der = attributes.definite.ok_or(Malformed)?.to_vec();
    let tag = der.first_mut().ok_or(Malformed)?;
    *tag = SET;
    Ok(der)
}

fn object(from: &mut Reader<'_>, expected: &[u8]) -> Result<(), Malformed> {
    if from.expect(OBJECT)?.body == expected { Ok(()) } else { Err(Malformed) }
}
