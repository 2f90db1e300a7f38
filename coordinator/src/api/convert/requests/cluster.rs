//! People, join tokens and coordinators.

use std::time::Duration;

use skep_core::command::Request;
use skep_proto::v1 as pb;
use skep_tls::{PublicKey, public_key_of_request};
use skep_types::{CoordinatorId, PersonName, PersonRole, Refusal};

use super::super::{Check, word};
use crate::trust::Token;

const JOIN_TOKEN_LIFE: Duration = Duration::from_secs(15 * 60);
const JOIN_TOKEN_LIFE_MIN: Duration = Duration::from_secs(60);
const JOIN_TOKEN_LIFE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// A DNS name has at most 253 bytes; then a colon and a port.
const ADDRESS_BYTES: usize = 253 + 6;

pub(in crate::api) fn put_person(from: &pb::PutPersonRequest) -> Result<Request, Refusal> {
    const HINT: &str = "use ADMIN, OPERATOR or VIEWER";
    let mut check = Check::default();
    let name: Option<PersonName> = check.field("name", from.name.parse());
    let role = check.field("role", word(from.role, HINT)).and_then(|role| match role {
        pb::PersonRole::Admin => Some(PersonRole::Admin),
        pb::PersonRole::Operator => Some(PersonRole::Operator),
        pb::PersonRole::Viewer => Some(PersonRole::Viewer),
        pb::PersonRole::Unspecified => {
            check.refuse("role", format!("is missing; {HINT}"));
            None
        }
    });
    let dismiss_certificates = from.dismiss_certificates;
    let request = name.zip(role).map(|(name, role)| Request::PutPerson { name, role, dismiss_certificates });
    check.finish(request)
}

pub(in crate::api) fn join_token_life(life_ms: u64) -> Result<Duration, Refusal> {
    let life = if life_ms == 0 { JOIN_TOKEN_LIFE } else { Duration::from_millis(life_ms) };
    if (JOIN_TOKEN_LIFE_MIN..=JOIN_TOKEN_LIFE_MAX).contains(&life) {
        return Ok(life);
    }
    Err(Refusal::field("life_ms", format!("is {life_ms}; a token lives 1 minute to 24 hours")))
}

/// Written like "c2".
pub(in crate::api) fn coordinator(text: &str) -> Result<CoordinatorId, Refusal> {
    let id = text.strip_prefix('c').and_then(|number| number.parse().ok());
    let wrong = || {
        Refusal::field(
            "coordinator",
            "is no coordinator id, written like c2; `skep cluster status` lists them",
        )
    };
    id.map(CoordinatorId).ok_or_else(wrong)
}

/// What a new coordinator shows.
#[derive(Debug)]
pub(in crate::api) struct Joining {
    pub(in crate::api) token: Token,
    pub(in crate::api) address: String,
    pub(in crate::api) raft_address: String,
    pub(in crate::api) control: PublicKey,
    pub(in crate::api) raft: PublicKey,
}

pub(in crate::api) fn join(from: pb::JoinRequest) -> Result<Joining, Refusal> {
    let mut check = Check::default();
    let token = check.field("token", from.token.parse());
    let address = check.field("address", address(from.address));
    let raft_address = check.field("raft_address", self::address(from.raft_address));
    let control =
        check.field("control_signing_request", public_key_of_request(&from.control_signing_request));
    let raft = check.field("raft_signing_request", public_key_of_request(&from.raft_signing_request));
    let joining = (|| {
        Some(Joining {
            token: token?,
            address: address?,
            raft_address: raft_address?,
            control: control?,
            raft: raft?,
        })
    })();
    check.finish(joining)
}

/// HOST:PORT, where HOST is a name, an IPv4 address or an IPv6 address in brackets.
fn address(text: String) -> Result<String, &'static str> {
    const RULE: &str = "is not HOST:PORT, such as 10.0.0.7:7400 or c2.example.com:7400";
    let (host, port) = text.rsplit_once(':').ok_or(RULE)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let named = match bracketed {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(plain),
    };
    let reached = port.parse::<u16>().is_ok_and(|port| port != 0);
    if named && reached && text.len() <= ADDRESS_BYTES { Ok(text) } else { Err(RULE) }
}
