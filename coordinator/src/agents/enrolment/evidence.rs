//! What an instance brings to prove which one it is. Only its driver can read it, and any coordinator may be asked.

use skep_core::State;
use skep_driver::{DriverError, ErrorKind};
use skep_types::{AccountName, Code, Digest, ProviderId, Refusal, limits};

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
        let asked = async {
            let driver = self.context.accounts.looking(&account)?;
            driver.attest(self.context.cluster.as_str(), evidence).await
        };
        match asked.await {
            Ok(instance) => Ok(instance.map(|instance| instance.provider_id)),
            Err(error) => Err(refusal(&account, &error)),
        }
    }

    /// The account of the token's hosts, if its driver reads evidence. A token that no host has any more is for the
    /// leader to refuse.
    async fn attesting(&self, token: Digest) -> Result<Option<AccountName>, Refusal> {
        let here = self.context.raft.state();
        if here.admits(token).next().is_some() {
            return Ok(attesting(&here, token));
        }
        // Perhaps not known here yet. Without this, asking whoever lags would be a way around the evidence.
        Ok(attesting(&*self.context.raft.read().await?, token))
    }
}

fn attesting(state: &State, token: Digest) -> Option<AccountName> {
    let name = &state.admits(token).next()?.template.account;
    // An account that is not there, with hosts that are, is nobody's to pass over.
    let passes = state.accounts.get(name).is_some_and(|account| !account.driver.attests);
    (!passes).then(|| name.clone())
}

fn refusal(account: &AccountName, error: &DriverError) -> Refusal {
    if error.kind == ErrorKind::Auth {
        tracing::warn!(%account, %error, "an enrolment is refused for its evidence");
        return Refusal::new(Code::Forbidden, error.message.clone());
    }
    tracing::warn!(%account, %error, "an enrolment's evidence could not be judged here");
    Refusal::new(Code::Unavailable, format!("its evidence cannot be judged here now: {error}"))
}
