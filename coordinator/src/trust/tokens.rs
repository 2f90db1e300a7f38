//! One-time tokens: for an agent's first contact, and for one more coordinator.
//!
//! The log knows a token by its digest only. With 256 random bits a digest needs no salt.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use skep_tls::sha256;
use skep_types::{Digest, Secret};
use zeroize::Zeroizing;

use super::{TrustError, random};

const BYTES: usize = 32;
const JOIN_PREFIX: &str = "skep-join-";

/// Why a text is no token. Repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseTokenError {
    #[error("a token is 43 characters of base64url; was it cut?")]
    Secret,
    #[error("a join token is written skep-join-DIGEST-SECRET; ask for one with `skep cluster token`")]
    Form,
    #[error("the digest in a join token is 64 hexadecimal digits; was it cut?")]
    Digest,
}

/// 32 random bytes, base64url without padding.
#[derive(Clone)]
pub struct Token(Zeroizing<[u8; BYTES]>);

impl Token {
    pub fn generate() -> Result<Self, TrustError> {
        Ok(Self(Zeroizing::new(random()?)))
    }

    /// Shown once, to whom it is for.
    pub fn text(&self) -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0.as_slice()))
    }

    /// What the log keeps.
    pub fn digest(&self) -> Digest {
        sha256(self.0.as_slice())
    }

    /// In constant time.
    pub fn matches(&self, digest: &Digest) -> bool {
        verify_slices_are_equal(&self.digest().0, &digest.0).is_ok()
    }
}

impl FromStr for Token {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> Result<Self, ParseTokenError> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        // A longer text does not fit into the slice, a shorter one does not fill it.
        match URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice()) {
            Ok(BYTES) => Ok(Self(bytes)),
            _ => Err(ParseTokenError::Secret),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a new coordinator needs to know of a cluster: the root to trust, and the secret to show.
#[derive(Debug, Clone)]
pub struct JoinToken {
    /// SHA-256 of the control issuer's certificate, DER.
    pub root: Digest,
    pub secret: Token,
}

impl JoinToken {
    /// Shown once, to whom it is for.
    pub fn text(&self) -> Secret {
        Secret::new(format!("{JOIN_PREFIX}{}-{}", self.root, self.secret.text().reveal()))
    }
}

impl FromStr for JoinToken {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> Result<Self, ParseTokenError> {
        // The secret itself may hold a '-'; the digest cannot.
        let (root, secret) = text
            .trim()
            .strip_prefix(JOIN_PREFIX)
            .and_then(|rest| rest.split_once('-'))
            .ok_or(ParseTokenError::Form)?;
        let mut digest = Digest([0; 32]);
        hex::decode_to_slice(root, &mut digest.0).map_err(|_| ParseTokenError::Digest)?;
        Ok(Self { root: digest, secret: secret.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_reads_back_what_it_prints() {
        let token = Token::generate().unwrap();
        let read: Token = token.text().reveal().parse().unwrap();
        assert!(read.matches(&token.digest()));
        assert!(!Token::generate().unwrap().matches(&token.digest()));
        assert_eq!(token.text().reveal().len(), 43);
    }

    #[test]
    fn a_join_token_reads_back_what_it_prints() {
        let token = JoinToken { root: sha256(b"root"), secret: Token::generate().unwrap() };
        let read: JoinToken = format!(" {}\n", token.text().reveal()).parse().unwrap();
        assert_eq!(read.root, token.root);
        assert!(read.secret.matches(&token.secret.digest()));
    }

    #[test]
    fn what_is_wrong_with_a_join_token_is_said() {
        let good = JoinToken { root: sha256(b"root"), secret: Token::generate().unwrap() }.text();
        let parse = |text: &str| text.parse::<JoinToken>().unwrap_err();
        assert_eq!(parse(""), ParseTokenError::Form);
        assert_eq!(parse("SWMTKN-1-abc"), ParseTokenError::Form);
        assert_eq!(parse("skep-join-abc-def"), ParseTokenError::Digest);
        assert_eq!(parse(&good.reveal()[..good.reveal().len() - 1]), ParseTokenError::Secret);
        assert_eq!(parse(&format!("{}A", good.reveal())), ParseTokenError::Secret);
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = JoinToken { root: sha256(b"root"), secret: Token::generate().unwrap() };
        assert!(!format!("{token:?}").contains(token.secret.text().reveal()));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".*") {
            let _ = text.parse::<Token>();
            let _ = text.parse::<JoinToken>();
            let _ = format!("skep-join-{text}").parse::<JoinToken>();
        }
    }
}
