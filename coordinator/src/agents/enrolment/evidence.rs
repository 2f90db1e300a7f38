//! What an instance brings to prove which one it is. Only its driver can read it, and any coordinator may be asked.

use std::sync::Arc;

use skep_driver::{DriverError, ErrorKind};
use skep_types::{AccountName, Code, Digest, ProviderId, Refusal, chain, limits};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::EnrolmentService;

impl EnrolmentService {
    /// The instance that `evidence` proves its bearer to be; None where the token's account goes by addresses. The
    /// driver is asked also about a bearer without any: whether that is enough is the account's to say.
    pub(super) async fn proven(
        &self,
        token: Digest,
        evidence: &[u8],
        end: Instant,
    ) -> Result<Option<ProviderId>, Refusal> {
        if evidence.len() > limits::EVIDENCE_BYTES {
            let message =
                format!("has {} bytes, at most {} are taken", evidence.len(), limits::EVIDENCE_BYTES);
            return Err(Refusal::field("evidence", message));
        }
        let Some(account) = self.attesting(token).await? else { return Ok(None) };
        let turn = turn(&self.judging, end).await?;
        let (accounts, cluster) = (self.context.accounts.clone(), self.context.cluster.clone());
        let (asked, evidence) = (account.clone(), evidence.to_vec());
        // Beside the call: its agent may give up before a driver that has to be opened first has come up, and the next
        // try shall find it opened, and not begin again.
        let answer = tokio::spawn(async move {
            let _turn = turn;
            accounts.looking(&asked)?.attest(cluster.as_str(), &evidence).await
        });
        let ended = |error| {
            Err(DriverError::new(ErrorKind::Internal, "the driver's answer was lost").caused_by(error))
        };
        let late = |_| Refusal::new(Code::Unavailable, "its evidence is still being judged; try again");
        match timeout_at(end, answer).await.map_err(late)?.unwrap_or_else(ended) {
            Ok(instance) => Ok(instance.map(|instance| instance.provider_id)),
            Err(error) => Err(refusal(&account, &error)),
        }
    }

    /// The account of the token's hosts, if its driver reads evidence. A token that no host has any more is for the
    /// leader to refuse.
    async fn attesting(&self, token: Digest) -> Result<Option<AccountName>, Refusal> {
        let here = self.context.raft.state();
        if here.admits(token).next().is_some() {
            return Ok(here.attesting(token).cloned());
        }
        // Perhaps not known here yet. Without this, asking whoever lags would be a way around the evidence.
        Ok(self.context.raft.read().await?.attesting(token).cloned())
    }
}

/// Whoever has none is sent away before a driver has heard of it.
async fn turn(judging: &Arc<Semaphore>, end: Instant) -> Result<OwnedSemaphorePermit, Refusal> {
    let turn = timeout_at(end, Arc::clone(judging).acquire_owned()).await;
    let message = "the evidence of too many others is being judged here; try again";
    // It is never closed.
    turn.ok().and_then(Result::ok).ok_or_else(|| Refusal::new(Code::Unavailable, message))
}

fn refusal(account: &AccountName, error: &DriverError) -> Refusal {
    if error.kind == ErrorKind::Auth {
        tracing::warn!(%account, %error, "an enrolment is refused for its evidence");
        return Refusal::new(Code::Forbidden, error.message.clone());
    }
    tracing::warn!(%account, error = chain(error), "an enrolment's evidence could not be judged here");
    Refusal::new(Code::Unavailable, format!("its evidence cannot be judged here now: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_no_turn_before_the_end_is_sent_away() {
        let judging = Arc::new(Semaphore::new(1));
        let end = Instant::now();
        let first = turn(&judging, end).await.unwrap();
        let refusal = turn(&judging, end).await.unwrap_err();
        assert_eq!(refusal.code, Code::Unavailable);
        drop(first);
        assert!(turn(&judging, end).await.is_ok());
    }
}
