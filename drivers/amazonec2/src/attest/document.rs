//! What an identity document says.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use skep_types::ProviderId;

/// Clocks differ, and the document is EC2's own word: what is further ahead was never true.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// An enrolment token lives for minutes; an agent whose answer was lost asks again for as long as it takes.
const AGE: SignedDuration = SignedDuration::from_hours(24);

/// The fields that matter here; there are more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) account_id: String,
    pub(super) region: String,
    #[serde(deserialize_with = "instance_id")]
    pub(super) instance_id: ProviderId,
    /// When the instance was last started.
    pub(super) pending_time: Timestamp,
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Odd(#[from] serde_json::Error);

impl Document {
    pub(super) fn read(json: &[u8]) -> Result<Self, Odd> {
        Ok(serde_json::from_slice(json)?)
    }

    pub(super) fn is_of_about(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.pending_time);
        (-AHEAD..=AGE).contains(&age)
    }
}

fn instance_id<'de, D: serde::Deserializer<'de>>(from: D) -> Result<ProviderId, D::Error> {
    let text = String::deserialize(from)?;
    let hex = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (text.strip_prefix("i-").is_some_and(hex), text.parse()) {
        (true, Ok(id)) => Ok(id),
        _ => Err(serde::de::Error::custom("instanceId is no id of an instance")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str) -> Result<Document, Odd> {
        let json = format!(
            r#"{{"accountId":"1","region":"r","instanceId":"{id}","pendingTime":"2026-11-21T10:00:00Z","x":null}}"#
        );
        Document::read(json.as_bytes())
    }

    #[test]
    fn an_instance_has_an_id_as_ec2_gives_it() {
        assert!(document("i-0123abcd").is_ok());
        for id in ["", "i-", "i-../x", "mi-0123", "i-0123\\u0000"] {
            assert!(document(id).is_err(), "{id}");
        }
    }

    #[test]
    fn a_document_is_of_about_now() {
        let document = document("i-0123abcd").unwrap();
        let at = |text: &str| document.is_of_about(text.parse().unwrap());
        assert!(at("2026-11-21T10:00:00Z") && at("2026-11-21T09:55:00Z") && at("2026-11-22T10:00:00Z"));
        assert!(!at("2026-11-21T09:54:59Z") && !at("2026-11-22T10:00:01Z"));
    }
}
