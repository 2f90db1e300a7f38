//! This coordinator's own certificates, renewed by itself and swapped under open listeners. Needs no quorum: every
//! coordinator can sign.

use std::sync::Arc;
use std::time::Duration;

use skep_tls::{Certified, Key, Swap, WallTime};
use skep_types::CoordinatorId;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::context::Trust;
use crate::found::host_of;
use crate::layout::{Addresses, Layout, LayoutError, World};

/// Between looks: far below half of a certificate's life.
const PERIOD: Duration = Duration::from_secs(3600);

/// A certificate in use, and the key it is for.
#[derive(Debug)]
pub(crate) struct Renewable {
    pub(crate) world: World,
    pub(crate) key: Key,
    pub(crate) swap: Swap,
}

#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) id: CoordinatorId,
    pub(crate) trust: Arc<Trust>,
    pub(crate) layout: Layout,
    pub(crate) addresses: Addresses,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) certificates: Vec<Renewable>,
}

impl Renewal {
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        loop {
            self.look();
            tokio::select! { () = tokio::time::sleep(PERIOD) => {}, () = shutdown.cancelled() => return }
        }
    }

    /// Renews what is over half of its life.
    fn look(&self) {
        let now = self.clock.wall();
        for certificate in &self.certificates {
            let in_use = certificate.swap.get();
            if in_use.is_some_and(|in_use| in_use.leaf().renew_after(now) > Duration::ZERO) {
                continue;
            }
            match self.renew(certificate, now) {
                Ok(()) => tracing::info!(world = ?certificate.world, "certificate renewed"),
                Err(error) => {
                    tracing::error!(%error, world = ?certificate.world, "a certificate could not be renewed");
                }
            }
        }
    }

    fn renew(&self, certificate: &Renewable, now: WallTime) -> Result<(), LayoutError> {
        let issuers = &self.trust.issuers;
        let key = certificate.key.public();
        let issued = match certificate.world {
            World::Control => {
                issuers.coordinator_control(self.id, &[host_of(&self.addresses.advertise)], key, now)?
            }
            World::Raft => issuers.coordinator_raft(self.id, key, now)?,
        };
        let pem = issued.pem();
        // First the disk: a certificate that was shown is also there after a restart.
        self.layout.save_certificate(certificate.world, &pem)?;
        certificate.swap.set(Certified::from_pem(&pem, &certificate.key)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
