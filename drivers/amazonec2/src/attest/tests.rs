use proptest::prelude::*;

use super::certificates::Unusable;
use super::signed::Unreadable;
use super::*;

const TRUSTED: &str = include_str!("fixtures/trusted.pem");
const OTHER: &str = include_str!("fixtures/other.pem");
/// Of i-0123456789abcdef0, account 123456789012, us-east-1.
const STREAMED: &str = include_str!("fixtures/streamed.b64");
const WHOLE: &str = include_str!("fixtures/whole.b64");

fn access(options: &[(&str, &str)]) -> Access {
    let mut access = Access::plain("aws".parse().unwrap());
    access.options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    access
}

fn trust(options: &[(&str, &str)]) -> Trust {
    Trust::of(&access(options), "us-east-1").unwrap().unwrap()
}

fn now() -> Timestamp {
    "2026-11-21T10:01:00Z".parse().unwrap()
}

fn proven(evidence: &str) -> Result<String, Distrust> {
    let trust = trust(&[(CERTIFICATES, TRUSTED)]);
    trust.prove(evidence.as_bytes(), now()).map(|id| id.to_string())
}

#[test]
fn a_document_in_either_encoding_proves_its_instance() {
    for evidence in [STREAMED, WHOLE] {
        assert_eq!(proven(evidence).unwrap(), "i-0123456789abcdef0");
    }
}

#[test]
fn any_of_the_trusted_keys_will_do_and_no_other() {
    let both = format!("{OTHER}{TRUSTED}");
    assert!(trust(&[(CERTIFICATES, &both)]).prove(STREAMED.as_bytes(), now()).is_ok());
    assert!(matches!(proven(include_str!("fixtures/forged.b64")), Err(Distrust::Signature)));
}

#[test]
fn what_is_no_such_signature_is_refused() {
    let unreadable = |evidence: &str| match proven(evidence) {
        Err(Distrust::Unreadable(unreadable)) => unreadable,
        other => panic!("{other:?}"),
    };
    assert_eq!(unreadable("{}"), Unreadable::Base64);
    assert!(matches!(unreadable("AAAA"), Unreadable::Malformed(_)));
    assert_eq!(unreadable(include_str!("fixtures/unattributed.b64")), Unreadable::Algorithm);
    assert_eq!(unreadable(include_str!("fixtures/sha1.b64")), Unreadable::Algorithm);
    assert!(matches!(unreadable(include_str!("fixtures/detached.b64")), Unreadable::Malformed(_)));
    assert!(matches!(proven(""), Err(Distrust::Missing)));
    assert!(matches!(proven(&"A".repeat(limits::EVIDENCE_BYTES + 1)), Err(Distrust::TooLong)));
}

#[test]
fn a_document_of_another_region_account_or_time_is_refused() {
    let elsewhere = Trust::of(&access(&[(CERTIFICATES, TRUSTED)]), "eu-west-1").unwrap().unwrap();
    assert!(matches!(elsewhere.prove(STREAMED.as_bytes(), now()), Err(Distrust::Region(_))));
    let account = |id| trust(&[(CERTIFICATES, TRUSTED), (ACCOUNT_ID, id)]).prove(STREAMED.as_bytes(), now());
    assert!(account("123456789012").is_ok());
    assert!(matches!(account("210987654321"), Err(Distrust::Account(_))));
    let later = "2027-11-21T10:00:00Z".parse().unwrap();
    let later = trust(&[(CERTIFICATES, TRUSTED)]).prove(STREAMED.as_bytes(), later);
    assert!(matches!(later, Err(Distrust::Time(_))));
}

#[test]
fn an_account_that_trusts_nothing_goes_by_addresses_and_half_a_trust_is_refused() {
    assert!(Trust::of(&access(&[]), "us-east-1").unwrap().is_none());
    let refused = |options: &[(&str, &str)]| Trust::of(&access(options), "us-east-1").unwrap_err().message;
    assert!(refused(&[(ACCOUNT_ID, "123456789012")]).contains("is missing beside"));
    assert!(refused(&[(ACCOUNT_ID, "12"), (CERTIFICATES, TRUSTED)]).contains("twelve digits"));
    assert!(refused(&[(CERTIFICATES, "AWS")]).contains(&Unusable::Empty.to_string()));
}

#[test]
fn a_certificate_of_another_kind_is_refused_with_the_right_one() {
    for pem in [include_str!("fixtures/small.pem"), include_str!("fixtures/ec.pem")] {
        assert_eq!(Certificates::from_pem(pem).unwrap_err(), Unusable::Kind);
    }
    let cut = TRUSTED.replacen('M', "N", 1);
    assert_eq!(Certificates::from_pem(&cut).unwrap_err(), Unusable::Unreadable);
    assert_eq!(Certificates::from_pem(&TRUSTED.repeat(5)).unwrap_err(), Unusable::TooMany);
}

proptest! {
    /// With and without a beginning that is well formed.
    #[test]
    fn arbitrary_input_proves_nothing(bytes in prop::collection::vec(any::<u8>(), 0..600), cut in 0..900_usize) {
        use base64::Engine;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        prop_assert!(proven(&encode(&bytes)).is_err());
        let signed = decoded();
        let begun = [&signed[..cut.min(signed.len())], &bytes].concat();
        prop_assert!(begun == signed || proven(&encode(&begun)).is_err());
    }

    /// Whatever is changed, either nothing is proven or the same as before.
    #[test]
    fn a_changed_document_proves_no_other_instance(at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        use base64::Engine;
        let mut changed = decoded();
        let at = at.index(changed.len());
        changed[at] ^= 1 << bit;
        let changed = base64::engine::general_purpose::STANDARD.encode(changed);
        if let Ok(id) = proven(&changed) {
            prop_assert_eq!(id, "i-0123456789abcdef0");
        }
    }
}

fn decoded() -> Vec<u8> {
    use base64::Engine;
    let text: String = STREAMED.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}
