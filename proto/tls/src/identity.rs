//! Who a certificate speaks for: a SPIFFE-style URI in its subject alternative names.
//!
//! ```text
//! spiffe://<cluster id>/coordinator/<n>
//! spiffe://<cluster id>/host/<host id>/<incarnation>
//! spiffe://<cluster id>/person/<name>/<certificate generation>
//! ```

use std::fmt;
use std::str::FromStr;

use skep_types::{ClusterId, CoordinatorId, HostId, PersonName};

/// The longest one: a cluster id and a name of 63 bytes each, the words, and a number.
const IDENTITY_BYTES: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    pub cluster: ClusterId,
    pub subject: Subject,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    Coordinator(CoordinatorId),
    Host {
        id: HostId,
        incarnation: u32,
    },
    Person {
        name: PersonName,
        /// Certificates of an older generation than the person's record are worth nothing.
        generation: u64,
    },
}

/// A text that is no identity of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an identity, written like spiffe://CLUSTER/host/h1-42/1")]
pub struct ParseIdentityError {
    text: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}/", self.cluster)?;
        match &self.subject {
            Subject::Coordinator(id) => write!(f, "coordinator/{}", id.0),
            Subject::Host { id, incarnation } => write!(f, "host/{id}/{incarnation}"),
            Subject::Person { name, generation } => write!(f, "person/{name}/{generation}"),
        }
    }
}

impl FromStr for Identity {
    type Err = ParseIdentityError;

    fn from_str(text: &str) -> Result<Self, ParseIdentityError> {
        parse(text).ok_or_else(|| ParseIdentityError { text: text.chars().take(IDENTITY_BYTES).collect() })
    }
}

fn parse(text: &str) -> Option<Identity> {
    if text.len() > IDENTITY_BYTES {
        return None;
    }
    let (cluster, path) = text.strip_prefix("spiffe://")?.split_once('/')?;
    let path: Vec<&str> = path.split('/').collect();
    let subject = match path.as_slice() {
        ["coordinator", id] => Subject::Coordinator(CoordinatorId(id.parse().ok()?)),
        ["host", id, incarnation] => {
            Subject::Host { id: id.parse().ok()?, incarnation: incarnation.parse().ok()? }
        }
        ["person", name, generation] => {
            Subject::Person { name: name.parse().ok()?, generation: generation.parse().ok()? }
        }
        _ => return None,
    };
    let identity = Identity { cluster: cluster.parse().ok()?, subject };
    // One spelling each: a number written "+7" or "007" is not ours.
    (identity.to_string() == text).then_some(identity)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subjects() -> impl Strategy<Value = Subject> {
        prop_oneof![
            any::<u64>().prop_map(|id| Subject::Coordinator(CoordinatorId(id))),
            any::<(u32, u64, u32)>().prop_map(|(epoch, counter, incarnation)| Subject::Host {
                id: HostId::new(epoch, counter),
                incarnation
            }),
            ("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", any::<u64>()).prop_map(|(name, generation)| {
                Subject::Person { name: name.parse().unwrap(), generation }
            }),
        ]
    }

    proptest! {
        #[test]
        fn identities_read_back_what_they_print(cluster in "[a-z0-9]{1,63}", subject in subjects()) {
            let identity = Identity { cluster: cluster.parse().unwrap(), subject };
            prop_assert_eq!(identity.to_string().parse(), Ok(identity));
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".*") {
            let _ = text.parse::<Identity>();
        }

        #[test]
        fn what_is_almost_an_identity_never_panics(text in "spiffe://[a-z]{0,3}/(host|person|coordinator)?[/a-z0-9+-]{0,20}") {
            if let Ok(identity) = text.parse::<Identity>() {
                prop_assert_eq!(identity.to_string(), text);
            }
        }
    }

    #[test]
    fn what_is_no_identity_is_refused() {
        for text in [
            "",
            "spiffe://",
            "spiffe://c/host/h1-2",
            "spiffe://c/host/h1-2/3/4",
            "spiffe://c/host/h1-2/+3",
            "spiffe://c/coordinator/01",
            "spiffe://C/coordinator/1",
            "spiffe:///coordinator/1",
            "https://c/coordinator/1",
            "spiffe://c/person/Anna/1",
            "spiffe://c/person/anna/1?x",
        ] {
            assert!(text.parse::<Identity>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_error_repeats_a_bounded_part_of_the_text() {
        let error = "x".repeat(1 << 20).parse::<Identity>().unwrap_err();
        assert!(error.to_string().len() < 400);
    }
}
