//! One connection to one coordinator.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use skep_tls::{ALPN_GRPC, COORDINATOR_NAME, Resolve, ServerTrust, Swap, client_config, connector, meet};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::failure::Failure;
use crate::error::chain;
use crate::timing::Timing;

/// Calls that wait for the connection: there is one stream and at most one renewal.
const CALLS: usize = 4;

pub(crate) struct Dialer {
    trust: String,
    resolve: Option<Resolve>,
    local_address: Option<IpAddr>,
    timing: Timing,
}

impl Dialer {
    /// `trust` is the PEM of the control plane's root. Without `resolve` the system finds names.
    pub(crate) fn new(
        trust: &str,
        resolve: Option<Resolve>,
        local_address: Option<IpAddr>,
        timing: Timing,
    ) -> Result<Self, skep_tls::Error> {
        let dialer = Self { trust: trust.to_owned(), resolve, local_address, timing };
        // An unusable root is found at the start, not at every dialling.
        dialer.tls(&Swap::empty())?;
        Ok(dialer)
    }

    /// `address` is HOST:PORT.
    pub(super) async fn dial(&self, address: &str, presented: &Swap) -> Result<Channel, Failure> {
        let tls = self.tls(presented).map_err(|error| Failure::Lost(chain(&error)))?;
        let mut connector = connector(tls).with_timeout(self.timing.connect);
        if let Some(resolve) = &self.resolve {
            connector = connector.with_resolver(resolve.clone());
        }
        if let Some(address) = self.local_address {
            connector = connector.with_local_address(address);
        }
        let endpoint = self.endpoint(address).map_err(|error| Failure::Lost(chain(&error)))?;
        endpoint.connect_with_connector(connector).await.map_err(|error| Failure::Lost(chain(&error)))
    }

    /// Speaks over a connection that a coordinator has opened.
    pub(super) async fn answer(&self, stream: UnixStream, presented: &Swap) -> Result<Channel, Failure> {
        let lost = |error: &dyn std::error::Error| Failure::Lost(chain(error));
        let tls = self.tls(presented).map_err(|error| lost(&error))?;
        let met = timeout(self.timing.connect, meet(tls, stream)).await;
        let stream = met.map_err(|error| lost(&error))?.map_err(|error| lost(&error))?;
        let mut once = Some(TokioIo::new(stream));
        let connector = service_fn(move |_| {
            let stream =
                once.take().ok_or_else(|| io::Error::other("the coordinator's connection has ended"));
            async move { stream }
        });
        // The address is never resolved; HTTP/2 wants an authority all the same.
        let endpoint = self.endpoint(COORDINATOR_NAME).map_err(|error| lost(&error))?;
        endpoint.connect_with_connector(connector).await.map_err(|error| lost(&error))
    }

    fn tls(&self, presented: &Swap) -> Result<Arc<rustls::ClientConfig>, skep_tls::Error> {
        client_config(ServerTrust::Roots(&self.trust), presented, ALPN_GRPC)
    }

    fn endpoint(&self, address: &str) -> Result<Endpoint, tonic::transport::Error> {
        Ok(Endpoint::from_shared(format!("http://{address}"))?
            .buffer_size(CALLS)
            .http2_keep_alive_interval(self.timing.keepalive_every)
            .keep_alive_timeout(self.timing.keepalive_within)
            .keep_alive_while_idle(true))
    }
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").field("local_address", &self.local_address).finish_non_exhaustive()
    }
}
