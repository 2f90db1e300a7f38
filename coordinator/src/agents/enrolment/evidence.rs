//! What an instance brings to prove which one it is. Only its driver can read it, and any coordinator may be asked.

use skep_driver::{DriverError, ErrorKind};
use skep_types::{AccountName, Code, Digest, ProviderId, Refusal, chain, limits};

use super::EnrolmentService;

impl EnrolmentService {
    /// The instance that `evidence` proves its bearer to be; None where the token's account goes by addresses. The
    /// driver is asked also about a bearer without any: whether that is enough is the account's to say.
    pub(super) async fn proven(&self, token: Digest, evidence: &[u8]) -> Result<Option<ProviderId>, Refusal> {
        if evidence.len() > limits::EVIDENCE_BYTES {
            let message =
                format!("has {} bytes, at most {} are taken", evidence.len(), limits::EVIDENCE_BYTES);
            return Err(Refusal::field("evidence", message));
        }
        let Some(account) = self.attesting(token).await? else { return Ok(None) };
        let (accounts, cluster) = (self.context.accounts.clone(), self.context.cluster.clone());
        let (asked, evidence) = (account.clone(), evidence.to_vec());
        // Beside the call: its agent may give up before a driver that has to be opened first has come up, and the next
        // try shall find it opened, and not begin again.
        let answer =
            tokio::spawn(async move { accounts.looking(&asked)?.attest(cluster.as_str(), &evidence).await });
        let ended = |error| {
            Err(DriverError::new(ErrorKind::Internal, "the driver's answer was lost").caused_by(error))
        };
        match answer.await.unwrap_or_else(ended) {
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

fn refusal(account: &AccountName, error: &DriverError) -> Refusal {
    if error.kind == ErrorKind::Auth {
        tracing::warn!(%account, %error, "an enrolment is refused for its evidence");
        return Refusal::new(Code::Forbidden, error.message.clone());
    }
    tracing::warn!(%account, error = chain(error), "an enrolment's evidence could not be judged here");
    Refusal::new(Code::Unavailable, format!("its evidence cannot be judged here now: {error}"))
}
