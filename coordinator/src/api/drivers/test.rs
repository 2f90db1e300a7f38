//! Tries an account: opens its driver, lists its instances, and says how that ended.

use std::time::Duration;

use skep_core::State;
use skep_core::state::Account;
use skep_driver::{Driver, DriverError, ErrorKind};
use skep_proto::v1 as pb;
use skep_types::{Code, CoordinatorId, Refusal, chain};
use tokio::time::{Instant, timeout_at};

use crate::api::Api;
use crate::api::convert::requests;

/// Pages that are counted, if there is the time; an account of more instances is fine as well.
const PAGES: usize = 100;
/// For the account to be opened and listed: a client gives a coordinator 30 s.
const TRIED: Duration = Duration::from_secs(25);

impl Api {
    pub(super) async fn test_an_account(&self, name: &str) -> Result<pb::TestAccountReply, Refusal> {
        let name = requests::account_name(name)?;
        let (state, _) = self.read().await?;
        let Some(account) = state.accounts.get(&name) else {
            return Err(Refusal::not_found(format!("account {name}"), "`skep account ls` lists them"));
        };
        self.able(&state, account)?;
        let begun = Instant::now();
        let ended = self.tried(account).await;
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let coordinator = self.context.id.to_string();
        Ok(match ended {
            Ok(instances) => pb::TestAccountReply {
                coordinator,
                outcome: "ok".to_owned(),
                message: String::new(),
                instances,
                took_ms,
            },
            Err(error) => pb::TestAccountReply {
                coordinator,
                outcome: outcome(&error.kind).to_owned(),
                message: chain(&error),
                instances: 0,
                took_ms,
            },
        })
    }

    /// Refused as unavailable where another coordinator can: clients go on to the next one.
    fn able(&self, state: &State, account: &Account) -> Result<(), Refusal> {
        let able: Vec<CoordinatorId> = state
            .coordinators
            .values()
            .filter(|one| !one.removed && one.drivers.contains(&account.driver.name))
            .map(|one| one.id)
            .filter(|id| account.reachable_from(*id))
            .collect();
        if able.contains(&self.context.id) {
            return Ok(());
        }
        let here = format!("{} does not have the driver {}", self.context.id, account.driver.name);
        match able[..] {
            [] => {
                Err(Refusal::new(Code::Precondition, format!("{here}, nor has any that reaches the account")))
            }
            _ => {
                let able: Vec<String> = able.iter().map(ToString::to_string).collect();
                let message = format!("{here}, or does not reach the account; ask {}", able.join(" or "));
                Err(Refusal::new(Code::Unavailable, message))
            }
        }
    }

    async fn tried(&self, account: &Account) -> Result<u64, DriverError> {
        let end = Instant::now() + TRIED;
        self.context.accounts.ready_soon(&account.name).await?;
        let driver = self.context.accounts.looking(&account.name)?;
        self.count(&*driver, end).await
    }

    /// One page is enough to know that the account can be used.
    async fn count(&self, driver: &dyn Driver, end: Instant) -> Result<u64, DriverError> {
        let mut instances = 0;
        let mut token = None;
        for pages in 0..PAGES {
            let listed = timeout_at(end, driver.list(self.context.cluster.as_str(), token.as_deref()));
            let page = match listed.await {
                Ok(page) => page?,
                Err(_) if pages > 0 => break,
                Err(_) => {
                    let message = format!("it was opened, and not listed within {} s", TRIED.as_secs());
                    return Err(DriverError::new(ErrorKind::Unavailable, message));
                }
            };
            instances += page.instances.len() as u64;
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        Ok(instances)
    }
}

fn outcome(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Throttled { .. } => "throttled",
        ErrorKind::Capacity => "capacity",
        ErrorKind::Quota => "quota",
        ErrorKind::Auth => "auth",
        ErrorKind::InvalidSpec { .. } => "invalid",
        ErrorKind::NotFound => "not-found",
        ErrorKind::Unavailable | ErrorKind::Ambiguous => "unavailable",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Internal => "internal",
    }
}
