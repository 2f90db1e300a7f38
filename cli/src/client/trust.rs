//! The way to a coordinator as the configuration's person, and the renewal of its certificate.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use skep_proto::v1::IssueCertificateRequest;
use skep_proto::v1::cluster_client::ClusterClient;
use skep_tls::{
    ALPN_GRPC, Certified, Key, ServerTrust, Swap, client_config, connector, wall_now, write_private,
};
use tonic::transport::Endpoint;

use super::{Client, Dial};
use crate::config::Config;
use crate::failure::Failure;

/// The longest a coordinator may take to begin an answer: it waits for a commit, and for drivers to check a template.
const ANSWER: Duration = Duration::from_secs(30);
/// A coordinator that vanished without a word is noticed after both together, while a watch is silent.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// A person's key with its certificate: renewed, the next handshake sees it.
#[derive(Debug)]
pub(crate) struct Credentials {
    key: Key,
    presented: Swap,
}

impl Credentials {
    pub(crate) fn load(config: &Config) -> Result<Self, Failure> {
        let key = Key::load(&config.key())?;
        let certified = Certified::load(&config.certificate(), &key)?;
        Ok(Self { key, presented: Swap::new(certified) })
    }

    pub(crate) fn dial(&self, config: &Config) -> Result<Dial, Failure> {
        let ca = read(&config.ca())?;
        let tls = client_config(ServerTrust::Roots(&ca), &self.presented, ALPN_GRPC)?;
        Ok(Arc::new(move |address| {
            let connector = connector(tls.clone());
            Box::pin(async move { endpoint(&address)?.connect_with_connector(connector).await })
        }))
    }

    /// Half of the certificate's life is over, or all of it.
    pub(crate) fn due(&self) -> bool {
        self.presented.get().is_none_or(|certified| certified.leaf().renew_after(wall_now()).is_zero())
    }

    pub(crate) fn expired(&self) -> bool {
        self.presented.get().is_none_or(|certified| certified.leaf().expired(wall_now()))
    }

    /// Asks for a new certificate for the same key and writes it over the old one.
    pub(crate) async fn renew(&self, client: &Client, config: &Config) -> Result<(), Failure> {
        let signing_request = self.key.signing_request_der()?.into();
        let request = IssueCertificateRequest { person: String::new(), signing_request };
        let reply = client
            .call(request, |channel, request| async move {
                ClusterClient::new(channel).issue_certificate(request).await
            })
            .await?;
        let certified = Certified::from_pem(&reply.certificate, &self.key)?;
        write_private(&config.certificate(), reply.certificate.as_bytes())?;
        if !reply.control_ca.is_empty() {
            write_private(&config.ca(), reply.control_ca.as_bytes())?;
        }
        self.presented.set(certified);
        Ok(())
    }
}

fn endpoint(address: &str) -> Result<Endpoint, tonic::transport::Error> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?
        .timeout(ANSWER)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|source| Failure::Config { path: path.to_owned(), source: source.into() })
}
