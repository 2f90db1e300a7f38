//! The coordinators an agent may dial, and whose turn it is.

use std::sync::Arc;

use tracing::{info, warn};

use crate::error::{AgentError, chain};
use crate::store::{Record, Store, read_json, write_json};

/// A cluster has three to seven coordinators; what is beyond is not believed.
const ADDRESSES: usize = 32;
/// A DNS name (RFC 1035 §2.3.4) and a port.
const ADDRESS_BYTES: usize = 253 + 6;

#[derive(Debug)]
pub(crate) struct Roster {
    store: Arc<dyn Store>,
    /// Never empty.
    addresses: Vec<String>,
    turn: usize,
}

impl Roster {
    /// The list last told, else the configured one. Starts at a place of chance, so that agents spread.
    pub(crate) async fn open(store: Arc<dyn Store>, configured: &[String]) -> Result<Self, AgentError> {
        let told: Option<Vec<String>> = read_json(&*store, Record::Coordinators).await?;
        let addresses = told.map(usable).filter(|told| !told.is_empty());
        let addresses = addresses.unwrap_or_else(|| usable(configured.to_vec()));
        if addresses.is_empty() {
            return Err(AgentError::NoCoordinator);
        }
        let turn = fastrand::usize(..addresses.len());
        Ok(Self { store, addresses, turn })
    }

    pub(crate) fn current(&self) -> &str {
        &self.addresses[self.turn]
    }

    pub(crate) fn len(&self) -> usize {
        self.addresses.len()
    }

    pub(crate) fn advance(&mut self) {
        self.turn = (self.turn + 1) % self.addresses.len();
    }

    /// Takes a coordinator's word for where the others are. An empty list is not one.
    pub(crate) async fn replace(&mut self, told: Vec<String>) {
        let told = usable(told);
        if told.is_empty() || told == self.addresses {
            return;
        }
        let current = self.current().to_owned();
        self.turn = told.iter().position(|address| *address == current).unwrap_or(0);
        info!(coordinators = ?told, "coordinators told");
        self.addresses = told;
        if let Err(error) = write_json(&*self.store, Record::Coordinators, &self.addresses).await {
            warn!(error = chain(&error), "the coordinators could not be written down");
        }
    }
}

fn usable(mut addresses: Vec<String>) -> Vec<String> {
    addresses.retain(|address| is_host_port(address));
    addresses.truncate(ADDRESSES);
    addresses
}

fn is_host_port(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else {
        return false;
    };
    !host.is_empty() && address.len() <= ADDRESS_BYTES && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    fn list(addresses: &[&str]) -> Vec<String> {
        addresses.iter().map(|address| (*address).to_owned()).collect()
    }

    #[tokio::test]
    async fn what_was_told_outlives_the_agent() {
        let store = Arc::new(MemoryStore::default());
        let mut roster = Roster::open(store.clone(), &list(&["a:1"])).await.unwrap();
        roster.replace(list(&["b:2", "junk", "c:0"])).await;
        let roster = Roster::open(store, &list(&["a:1"])).await.unwrap();
        assert_eq!(roster.current(), "b:2");
    }

    #[tokio::test]
    async fn an_empty_list_is_not_taken() {
        let mut roster = Roster::open(Arc::new(MemoryStore::default()), &list(&["a:1"])).await.unwrap();
        roster.replace(list(&["junk"])).await;
        assert_eq!(roster.current(), "a:1");
    }

    #[tokio::test]
    async fn everybody_has_a_turn() {
        let mut roster =
            Roster::open(Arc::new(MemoryStore::default()), &list(&["a:1", "[::1]:2", "c:3"])).await.unwrap();
        let mut seen: Vec<_> = (0..3)
            .map(|_| {
                let now = roster.current().to_owned();
                roster.advance();
                now
            })
            .collect();
        seen.sort();
        assert_eq!(seen, ["[::1]:2", "a:1", "c:3"]);
    }

    #[tokio::test]
    async fn without_any_address_there_is_no_agent() {
        let opened = Roster::open(Arc::new(MemoryStore::default()), &[]).await;
        assert!(matches!(opened, Err(AgentError::NoCoordinator)));
    }
}
