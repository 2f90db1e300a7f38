//! This coordinator's own certificates, renewed by itself and swapped under open listeners. Needs no quorum: every
//! coordinator can sign.

use std::time::Duration;

use skep_tls::{Certified, Key, Swap, wall_now};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
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

pub(crate) async fn run(
    context: Context,
    layout: Layout,
    addresses: Addresses,
    certificates: Vec<Renewable>,
    shutdown: CancellationToken,
) {
    loop {
        for certificate in &certificates {
            if let Err(error) = look(&context, &layout, &addresses, certificate) {
                tracing::error!(%error, world = ?certificate.world, "a certificate could not be renewed");
            }
        }
        tokio::select! { () = tokio::time::sleep(PERIOD) => {}, () = shutdown.cancelled() => return }
    }
}

fn look(
    context: &Context,
    layout: &Layout,
    addresses: &Addresses,
    certificate: &Renewable,
) -> Result<(), LayoutError> {
    let now = wall_now();
    let fresh = certificate.swap.get().is_some_and(|in_use| in_use.leaf().renew_after(now) > Duration::ZERO);
    if fresh {
        return Ok(());
    }
    let issuers = &context.trust.issuers;
    let key = certificate.key.public();
    let issued = match certificate.world {
        World::Control => {
            issuers.coordinator_control(context.id, &[host_of(&addresses.advertise)], key, now)?
        }
        World::Raft => issuers.coordinator_raft(context.id, key, now)?,
    };
    let pem = issued.pem();
    layout.save_certificate(certificate.world, &pem)?;
    certificate.swap.set(Certified::from_pem(&pem, &certificate.key)?);
    tracing::info!(world = ?certificate.world, "certificate renewed");
    Ok(())
}
