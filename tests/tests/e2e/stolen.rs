//! Somebody who has a host's enrolment token, and not its instance.

use std::path::{Path, PathBuf};

use skep_proto::agent::EnrolRequest;
use skep_proto::agent::enrolment_client::EnrolmentClient;
use skep_tests::processes::Processes;
use skep_tests::processes::raw::{Caller, channel};
use skep_tls::Key;
use tonic::{Code, Status};

/// Tries to enrol with a key of its own.
pub(crate) struct Thief<'a> {
    pub(crate) cluster: &'a Processes,
    pub(crate) token: String,
}

impl Thief<'_> {
    /// Is refused for good, for a reason that names each of the words.
    pub(crate) fn refused(&self, evidence: &str, words: &[&str]) {
        self.told(Code::PermissionDenied, evidence, words);
    }

    /// Is sent away, and may come again, for a reason that names each of the words.
    pub(crate) fn sent_away(&self, words: &[&str]) {
        self.told(Code::Unavailable, "", words);
    }

    fn told(&self, code: Code, evidence: &str, words: &[&str]) {
        let refusal = self.enrol(evidence);
        assert_eq!(refusal.code(), code, "{refusal}");
        for word in words {
            assert!(refusal.message().contains(word), "{word}: {refusal}");
        }
    }

    #[tokio::main(flavor = "current_thread")]
    async fn enrol(&self, evidence: &str) -> Status {
        let request = EnrolRequest {
            token: self.token.clone(),
            signing_request: Key::generate().unwrap().signing_request_der().unwrap().into(),
            evidence: evidence.as_bytes().to_vec().into(),
            ..EnrolRequest::default()
        };
        let ca = ca(&self.cluster.config());
        let channel = channel(self.cluster.address(0), &ca, Caller::Nobody).await.unwrap();
        EnrolmentClient::new(channel).enrol(request).await.unwrap_err()
    }
}

/// The file that the configuration names as its root.
fn ca(config: &Path) -> PathBuf {
    let text = std::fs::read_to_string(config).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("ca = \"")).unwrap();
    config.with_file_name(line.trim_end_matches('"'))
}
