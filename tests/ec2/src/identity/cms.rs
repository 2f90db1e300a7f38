//! Writes PKCS#7 SignedData with its content in it, encoded as EC2 encodes it: outside with indefinite lengths.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use x509_parser::parse_x509_certificate;

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05];
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA_256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];

const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const TAGGED_0: u8 = 0xa0;
/// Characters in a line of base64.
const LINE: usize = 76;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum Unsigned {
    #[error(transparent)]
    Key(#[from] rcgen::Error),
    #[error("the signer's certificate cannot be read")]
    Certificate,
}

pub(super) fn signed(
    content: &[u8],
    certificate: &[u8],
    at: Timestamp,
    sign: impl Fn(&[u8]) -> Result<Vec<u8>, rcgen::Error>,
) -> Result<String, Unsigned> {
    let attributes = attributes(content, at);
    let signature = sign(&tlv(SET, &attributes))?;
    let signer = [
        number(1),
        issuer_and_serial(certificate)?,
        algorithm(SHA_256),
        tlv(TAGGED_0, &attributes),
        algorithm(SHA_256_WITH_RSA),
        tlv(OCTETS, &signature),
    ];
    let parts = open(OCTETS | 0x20, &tlv(OCTETS, content));
    let encapsulated = [tlv(OBJECT, DATA), open(TAGGED_0, &parts)].concat();
    let data = [
        number(1),
        tlv(SET, &algorithm(SHA_256)),
        open(SEQUENCE, &encapsulated),
        tlv(SET, &tlv(SEQUENCE, &signer.concat())),
    ];
    let data = open(SEQUENCE, &data.concat());
    let info = open(SEQUENCE, &[tlv(OBJECT, SIGNED_DATA), open(TAGGED_0, &data)].concat());
    Ok(in_lines(&STANDARD.encode(info)))
}

/// Without their tag; in DER's order of a set.
fn attributes(content: &[u8], at: Timestamp) -> Vec<u8> {
    let attribute = |kind: &[u8], value: &[u8]| tlv(SEQUENCE, &[tlv(OBJECT, kind), tlv(SET, value)].concat());
    let time = tlv(0x17, at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes());
    let mut all = [
        attribute(CONTENT_TYPE, &tlv(OBJECT, DATA)),
        attribute(SIGNING_TIME, &time),
        attribute(MESSAGE_DIGEST, &tlv(OCTETS, digest(&SHA256, content).as_ref())),
    ];
    all.sort_unstable();
    all.concat()
}

fn issuer_and_serial(certificate: &[u8]) -> Result<Vec<u8>, Unsigned> {
    let (_, certificate) = parse_x509_certificate(certificate).map_err(|_| Unsigned::Certificate)?;
    let serial = tlv(0x02, certificate.raw_serial());
    Ok(tlv(SEQUENCE, &[certificate.issuer().as_raw(), &serial].concat()))
}

fn algorithm(named: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[tlv(OBJECT, named), tlv(0x05, &[])].concat())
}

fn number(value: u8) -> Vec<u8> {
    tlv(0x02, &[value])
}

fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut to = vec![tag];
    let length = body.len().to_be_bytes();
    match body.len() {
        0..=0x7f => to.extend(&length[length.len() - 1..]),
        0x80..=0xff => to.extend([&[0x81], &length[length.len() - 1..]].concat()),
        // Nothing here is longer than 64 KiB.
        _ => to.extend([&[0x82], &length[length.len() - 2..]].concat()),
    }
    to.extend(body);
    to
}

/// Of indefinite length.
fn open(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag, 0x80], body, &[0, 0]].concat()
}

fn in_lines(text: &str) -> String {
    let lines: Vec<String> =
        text.as_bytes().chunks(LINE).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    lines.join("\n")
}
