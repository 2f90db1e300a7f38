//! What agents said.

use std::net::IpAddr;

use skep_types::{Code, Digest, Phase, Refusal};

use super::tx::Tx;
use super::{observe, permits};
use crate::command::{AgentCommand, Reply};
use crate::state::{Enrolment, Host};

pub(super) fn apply(tx: &mut Tx<'_>, command: &AgentCommand) -> Reply {
    match command {
        AgentCommand::Enrol { token, key, peer } => match enrol(tx, *token, *key, *peer) {
            Ok(reply) => reply,
            Err(refusal) => Reply::Refused(refusal),
        },
        AgentCommand::Observe(observations) => {
            for observation in observations {
                observe::apply(tx, observation);
            }
            Reply::Done
        }
        AgentCommand::Permit { host, permit, result } => permits::close(tx, *host, *permit, result),
    }
}

/// Binds a token to the first key that uses it. The same key gets the same answer again.
fn enrol(tx: &mut Tx<'_>, token: Digest, key: Digest, peer: IpAddr) -> Result<Reply, Refusal> {
    let host = admitted(tx, token, key, peer)?;
    let enrolment = host.enrolment.ok_or_else(unknown_token)?;
    match enrolment.key {
        Some(known) if known == key => {}
        Some(_) => {
            tx.host_event(&host, "EnrolmentRefused", "its token was used with another key before");
            return Err(Refusal::new(Code::Forbidden, "this enrolment token was used with another key"));
        }
        None => first_use(tx, &host, enrolment, key)?,
    }
    Ok(Reply::Enrolled { host: host.id, name: host.name.clone(), incarnation: host.incarnation })
}

fn first_use(tx: &mut Tx<'_>, host: &Host, enrolment: Enrolment, key: Digest) -> Result<(), Refusal> {
    if enrolment.expires_at.is_some_and(|at| at < tx.now()) {
        let message = "this enrolment token has expired; delete the host and create it again";
        return Err(Refusal::new(Code::Forbidden, message));
    }
    tx.update_host(host.id, |host| {
        host.enrolment = Some(Enrolment { key: Some(key), ..enrolment });
        if host.phase == Phase::Booting {
            host.phase = Phase::Installing;
        }
    });
    Ok(())
}

/// The host a token admits: its only one, or, of several that share it, the one at the caller's address.
fn admitted(tx: &Tx<'_>, token: Digest, key: Digest, peer: IpAddr) -> Result<std::sync::Arc<Host>, Refusal> {
    let hosts: Vec<_> = tx.state.admits(token).cloned().collect();
    let same_key =
        |host: &&std::sync::Arc<Host>| host.enrolment.is_some_and(|enrolment| enrolment.key == Some(key));
    let here = |host: &&std::sync::Arc<Host>| {
        let instance = host.instance.as_ref();
        instance.is_some_and(|at| at.private_address == Some(peer) || at.public_address == Some(peer))
    };
    let host = match hosts.as_slice() {
        [] => return Err(unknown_token()),
        [host] if !shared(tx, host) => host,
        hosts => match hosts.iter().find(here).filter(|host| {
            // A key speaks for one host: it must not move on to another address of the batch.
            hosts.iter().find(same_key).is_none_or(|known| known.id == host.id)
        }) {
            Some(host) => host,
            None => {
                let message = format!("no instance of this token's intent is known at {peer} yet");
                return Err(Refusal::new(Code::Unavailable, message));
            }
        },
    };
    if host.desired.absent {
        return Err(Refusal::new(Code::Forbidden, "this host is being deleted"));
    }
    Ok(std::sync::Arc::clone(host))
}

/// Whether the account's driver cannot tell the instances of one call apart.
fn shared(tx: &Tx<'_>, host: &Host) -> bool {
    let account = tx.state.accounts.get(&host.template.account);
    account.is_some_and(|account| account.driver.batch.naming == skep_types::SlotNaming::Interchangeable)
}

fn unknown_token() -> Refusal {
    Refusal::new(Code::Forbidden, "this enrolment token is not known, or its host is gone")
}
