//! What agents said.

use std::sync::Arc;

use skep_types::{Code, Digest, Phase, Refusal};

use super::tx::Tx;
use super::{observe, permits};
use crate::Claim;
use crate::command::{AgentCommand, Reply};
use crate::state::{Enrolment, Host};

pub(super) fn apply(tx: &mut Tx<'_>, command: &AgentCommand) -> Reply {
    match command {
        AgentCommand::Enrol { token, key, peer, instance } => {
            let claim = Claim::new(instance.as_ref(), *peer);
            enrol(tx, *token, *key, claim).unwrap_or_else(Reply::Refused)
        }
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
fn enrol(tx: &mut Tx<'_>, token: Digest, key: Digest, claim: Claim<'_>) -> Result<Reply, Refusal> {
    let host = admitted(tx, token, key, claim)?;
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

/// The host a token admits: the one that the caller is, or, of a token that no other host shares, its only one.
fn admitted(tx: &Tx<'_>, token: Digest, key: Digest, claim: Claim<'_>) -> Result<Arc<Host>, Refusal> {
    let hosts: Vec<_> = tx.state.admits(token).cloned().collect();
    let host = match (hosts.as_slice(), claim) {
        ([], _) => return Err(unknown_token()),
        ([host], Claim::At(_)) if !shared(tx, host) => host,
        (hosts, claim) => claimed(hosts, key, claim)?,
    };
    if host.desired.absent {
        return Err(Refusal::new(Code::Forbidden, "this host is being deleted"));
    }
    Ok(Arc::clone(host))
}

fn claimed<'a>(hosts: &'a [Arc<Host>], key: Digest, claim: Claim<'_>) -> Result<&'a Arc<Host>, Refusal> {
    let same_key = |host: &&Arc<Host>| host.enrolment.is_some_and(|enrolment| enrolment.key == Some(key));
    // A key speaks for one host: it must not move on to another one of the batch.
    let its_own = |host: &&Arc<Host>| hosts.iter().find(same_key).is_none_or(|known| known.id == host.id);
    if let Some(host) = hosts.iter().find(|host| claim.fits(host)).filter(its_own) {
        return Ok(host);
    }
    // More instances may come to be known, and addresses may change; what was proven does not.
    if matches!(claim, Claim::Is(_)) && hosts.iter().all(|host| host.instance.is_some()) {
        return Err(Refusal::new(Code::Forbidden, format!("this enrolment token is not for {claim}")));
    }
    let message = format!("{claim} is not known yet to be one of this token's; try again");
    Err(Refusal::new(Code::Unavailable, message))
}

/// Whether the account's driver cannot tell the instances of one call apart.
fn shared(tx: &Tx<'_>, host: &Host) -> bool {
    let account = tx.state.accounts.get(&host.template.account);
    account.is_some_and(|account| account.driver.batch.naming == skep_types::SlotNaming::Interchangeable)
}

fn unknown_token() -> Refusal {
    Refusal::new(Code::Forbidden, "this enrolment token is not known, or its host is gone")
}
