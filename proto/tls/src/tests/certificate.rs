//! Certificates are read, and refused, as they should be.

use proptest::prelude::*;

use super::authority::{Authority, tomorrow};
use crate::{Certificate, Certified, Error, Key, WallTime, chain_from_pem, chain_to_pem, wall_now};

const HOST: &str = "spiffe://c1/host/h1-2/3";

#[test]
fn a_certificate_says_who_until_when_and_which_key() {
    let key = Key::generate().unwrap();
    let until = tomorrow();
    let read = Certificate::from_der(&Authority::new("a").certify(&key, &[HOST], until)).unwrap();
    assert_eq!(read.identity.as_ref().unwrap().to_string(), HOST);
    assert_eq!(read.public_key, *key.public());
    assert_eq!(read.not_after, until);
    assert_eq!(read.serial, "abcdef");
    assert!(!read.expired(until));
    assert!(read.expired(WallTime(until.0 + 1)));
    assert!(read.renew_after(wall_now()).as_secs() < 2, "half of it is over");
}

#[test]
fn two_identities_are_none() {
    let key = Key::generate().unwrap();
    let two = Authority::new("a").certify(&key, &[HOST, "spiffe://c1/person/anna/1"], tomorrow());
    assert!(matches!(Certificate::from_der(&two), Err(Error::Certificate(_))));
}

#[test]
fn a_foreign_uri_is_no_identity() {
    let key = Key::generate().unwrap();
    let foreign = Authority::new("a").certify(&key, &["https://example.com/"], tomorrow());
    assert!(Certificate::from_der(&foreign).is_err());
}

#[test]
fn a_chain_reads_back_what_it_prints() {
    let authority = Authority::new("a");
    let leaf = authority.certify(&Key::generate().unwrap(), &[HOST], tomorrow());
    let pem = chain_to_pem([leaf.as_ref(), authority.root.as_ref()]);
    assert_eq!(chain_from_pem(&pem).unwrap(), [leaf, authority.root]);
}

#[test]
fn a_chain_is_neither_empty_nor_endless() {
    let root = Authority::new("a").root_pem();
    assert!(chain_from_pem("").is_err());
    assert!(chain_from_pem(&root.repeat(4)).is_ok());
    assert!(chain_from_pem(&root.repeat(5)).is_err());
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let authority = Authority::new("a");
    let leaf = authority.certify(&Key::generate().unwrap(), &[HOST], tomorrow());
    let error = Certified::new(vec![leaf], &Key::generate().unwrap()).unwrap_err();
    assert!(matches!(error, Error::Configuration(_)), "{error:?}");
}

proptest! {
    #[test]
    fn arbitrary_certificates_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Certificate::from_der(&bytes);
    }

    #[test]
    fn bent_certificates_never_panic(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut der = Authority::new("a").certify(&Key::generate().unwrap(), &[HOST], tomorrow()).to_vec();
        let at = at.index(der.len());
        der[at] ^= 1 << bit;
        let _ = Certificate::from_der(&der);
    }
}
