//! What every mutation takes: its request id, and on what condition it is carried out.

use prost::Message;
use skep_proto::v1 as pb;
use skep_tls::sha256;
use skep_types::{Digest, Refusal, RequestId, Revision};

use super::Check;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) struct Mutation {
    pub(in crate::api) request_id: RequestId,
    pub(in crate::api) dry_run: bool,
    pub(in crate::api) if_revision: Option<Revision>,
}

impl Mutation {
    pub(in crate::api) fn read(from: Option<pb::Mutation>) -> Result<Self, Refusal> {
        let from = from.unwrap_or_default();
        let mut check = Check::default();
        let request_id = if from.request_id.is_empty() {
            check.refuse("mutation.request_id", "is missing; choose a new UUID for every new request");
            None
        } else {
            check.field("mutation.request_id", from.request_id.parse())
        };
        let if_revision = match from.if_revision.as_str() {
            "" => None,
            text => check.field("mutation.if_revision", text.parse()),
        };
        let dry_run = from.dry_run;
        check.finish(request_id.map(|request_id| Self { request_id, dry_run, if_revision }))
    }
}

/// Of a request whose mutation was taken out: what its request id is bound to. The method is part of it, as requests
/// of different methods can be the same bytes.
pub(in crate::api) fn body_digest(method: &str, request: &impl Message) -> Digest {
    let mut bytes = method.as_bytes().to_vec();
    bytes.push(0);
    bytes.extend(request.encode_to_vec());
    sha256(&bytes)
}
