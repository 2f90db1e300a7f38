//! An EC2 for tests: moto behind a proxy that has EC2's limits and a network's faults, with real hosts if wanted.
//!
//! ```text
//!  driver ─► serve ─► account: buckets · client tokens · room · lost replies · late visibility ─► upstream ─► moto
//!                        └─► hosts: a container with systemd for each instance, at the address the driver is told
//!                              └─► metadata: each asks who it is, and gets a document signed by identity
//! ```

mod account;
mod behaviour;
pub mod buckets;
mod form;
mod hosts;
mod identity;
mod metadata;
mod moto;
mod serve;
mod tokens;
mod upstream;
mod xml;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use account::Account;
use moto::Moto;
use upstream::Upstream;

pub use behaviour::{Behaviour, Seen};
pub use hosts::Hosts;
pub use metadata::Documents;

/// Why the test's EC2 does not work.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("cannot start {program}; `tests/run.sh install` brings it")]
    NoMoto { program: PathBuf, source: std::io::Error },
    #[error("the emulator does not answer")]
    MotoSilent,
    #[error(transparent)]
    Unreadable(#[from] xml::Unreadable),
    #[error("docker {command} failed: {said}")]
    Docker { command: String, said: String },
    #[error("the network has no more addresses")]
    NoAddress,
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Http(#[from] axum::http::Error),
    #[error(transparent)]
    Body(#[from] axum::Error),
    #[error("the key that signs identity documents cannot be made")]
    Key(#[from] rcgen::Error),
    #[error(transparent)]
    Unsigned(#[from] identity::cms::Unsigned),
    #[error(transparent)]
    Asking(#[from] hyper_util::client::legacy::Error),
}

/// One account in one region, empty at first. Ends when it is dropped.
#[derive(Debug)]
pub struct World {
    account: Arc<Account>,
    address: SocketAddr,
    shutdown: CancellationToken,
    _server: AbortOnDropHandle<()>,
}

impl World {
    /// Instances exist in the emulator only.
    pub async fn start(behaviour: Behaviour) -> Result<Self, WorldError> {
        Self::with(behaviour, None).await
    }

    /// Every instance is a container on `hosts`.
    pub async fn with_hosts(behaviour: Behaviour, hosts: Arc<Hosts>) -> Result<Self, WorldError> {
        Self::with(behaviour, Some(hosts)).await
    }

    async fn with(behaviour: Behaviour, hosts: Option<Arc<Hosts>>) -> Result<Self, WorldError> {
        let upstream = Upstream::new(Moto::start().await?);
        upstream.warm().await?;
        let account = Arc::new(Account::new(upstream, hosts, behaviour));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, shutdown) = (listener.local_addr()?, CancellationToken::new());
        let server = tokio::spawn(serve::serve(Arc::clone(&account), listener, shutdown.clone()));
        Ok(Self { account, address, shutdown, _server: AbortOnDropHandle::new(server) })
    }

    /// For the account's setting `amazonec2-endpoint`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Seen {
        self.account.state().seen.clone()
    }

    /// Instances that were made and not terminated, seen or not.
    pub fn living(&self) -> BTreeSet<String> {
        self.account.living()
    }

    /// From now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.account.state().behaviour);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
