//! gRPC past `skep`: for requests that it would never send, and callers that it could never be.

use std::path::Path;
use std::time::Duration;

use skep_tls::{ALPN_GRPC, Certified, Key, ServerTrust, Swap, client_config, connector};
use tonic::transport::{Channel, Endpoint};

/// A call that is refused is refused at once.
const ANSWER: Duration = Duration::from_secs(20);

/// Who calls.
#[derive(Debug)]
pub enum Caller<'a> {
    /// Without a certificate.
    Nobody,
    /// PEM of a chain and of its key.
    Certificate { chain: &'a str, key: &'a str },
}

/// A channel to the coordinator at `address`, which has to prove itself to the CA in the file `ca`.
pub async fn channel(
    address: &str,
    ca: &Path,
    caller: Caller<'_>,
) -> Result<Channel, tonic::transport::Error> {
    let presented = match caller {
        Caller::Nobody => Swap::empty(),
        Caller::Certificate { chain, key } => {
            Swap::new(Certified::from_pem(chain, &Key::from_pem(key).unwrap()).unwrap())
        }
    };
    let roots = std::fs::read_to_string(ca).unwrap();
    let tls = client_config(ServerTrust::Roots(&roots), &presented, ALPN_GRPC).unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?.timeout(ANSWER);
    endpoint.connect_with_connector(connector(tls)).await
}
