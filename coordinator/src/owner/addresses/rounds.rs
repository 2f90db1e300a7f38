//! Looks that are under way.

use std::collections::HashMap;

use skep_types::{AccountName, HostId};
use tokio::task::{Id, JoinSet};

use super::schedule::{Answer, Boot};

pub(super) type Answers = Vec<(HostId, Boot, Answer)>;

/// One an account, so that none waits for another one's provider. They end with the loop.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    tasks: JoinSet<Answers>,
    accounts: HashMap<Id, AccountName>,
}

impl Rounds {
    pub(super) fn begin(
        &mut self,
        account: AccountName,
        round: impl Future<Output = Answers> + Send + 'static,
    ) {
        self.accounts.insert(self.tasks.spawn(round).id(), account);
    }

    /// Of the one that ends next. One whose driver panicked has none; its hosts are due again.
    pub(super) async fn next(&mut self) -> Answers {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, answers))) => {
                self.accounts.remove(&id);
                answers
            }
            Some(Err(error)) => {
                self.accounts.remove(&error.id());
                Answers::default()
            }
            None => Answers::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(super) fn is_under_way(&self, account: &AccountName) -> bool {
        self.accounts.values().any(|other| other == account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_account_whose_driver_panicked_is_asked_again() {
        let mut rounds = Rounds::default();
        let [one, other]: [AccountName; 2] = ["aws", "other"].map(|name| name.parse().unwrap());
        rounds.begin(one.clone(), async { panic!("a driver's answer is not what it should be") });
        assert!(rounds.is_under_way(&one) && !rounds.is_under_way(&other));
        assert!(rounds.next().await.is_empty());
        assert!(!rounds.is_under_way(&one) && rounds.is_empty());
    }
}
