//! People of the cluster: the services of one coordinator, or of whichever answers.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use skep_proto::agent::enrolment_client::EnrolmentClient;
use skep_proto::v1 as pb;
use skep_proto::v1::cluster_client::ClusterClient;
use skep_proto::v1::drivers_client::DriversClient;
use skep_proto::v1::events_client::EventsClient;
use skep_proto::v1::hosts_client::HostsClient;
use skep_proto::v1::operations_client::OperationsClient;
use skep_proto::v1::swarms_client::SwarmsClient;
use skep_tls::{ALPN_GRPC, Certified, Key, ServerTrust, Swap, chain_from_pem, client_config, connector};
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Response, Status};

/// One call of one coordinator.
const CALL: Duration = Duration::from_secs(5);
/// A call of whichever coordinator answers: longer than any election takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// All services of one coordinator, for one person.
#[derive(Debug, Clone)]
pub struct Clients {
    pub hosts: HostsClient<Channel>,
    pub swarms: SwarmsClient<Channel>,
    pub operations: OperationsClient<Channel>,
    pub events: EventsClient<Channel>,
    pub cluster: ClusterClient<Channel>,
    pub drivers: DriversClient<Channel>,
    /// For those who pretend to be agents.
    pub enrolment: EnrolmentClient<Channel>,
}

/// A certificate, or none, and the coordinators it is shown to.
#[derive(Debug, Clone)]
pub struct Operator {
    addresses: Vec<String>,
    roots: String,
    presented: Swap,
}

impl Operator {
    /// The person whose configuration `found` wrote.
    pub(super) fn load(config: &Path, addresses: Vec<String>) -> anyhow::Result<Self> {
        let key = Key::load(&config.with_extension("key"))?;
        let presented = Swap::new(Certified::load(&config.with_extension("pem"), &key)?);
        let folder = config.parent().context("a configuration stands in a folder")?;
        let roots = std::fs::read_to_string(folder.join("operator-ca.pem"))?;
        Ok(Self { addresses, roots, presented })
    }

    /// Somebody without a certificate.
    pub fn anonymous(&self) -> Self {
        self.presenting(Swap::empty())
    }

    /// This person's certificate, shown to somebody else's coordinators.
    pub fn calling(&self, others: &Self) -> Self {
        others.presenting(self.presented.clone())
    }

    /// The same coordinators, another certificate.
    pub fn presenting(&self, presented: Swap) -> Self {
        Self { presented, ..self.clone() }
    }

    /// Makes a person, has its certificate issued, and is that person.
    pub async fn person(&self, name: &str, role: pb::PersonRole) -> anyhow::Result<Self> {
        let put = pb::PutPersonRequest {
            mutation: mutation(&format!("person-{name}")),
            name: name.to_owned(),
            role: role.into(),
            dismiss_certificates: false,
        };
        self.ask(async |c| c.cluster.clone().put_person(put.clone()).await).await?;
        let key = Key::generate()?;
        let signing_request = key.signing_request_der()?.into();
        let request = pb::IssueCertificateRequest { person: name.to_owned(), signing_request };
        let issued = self.ask(async |c| c.cluster.clone().issue_certificate(request.clone()).await).await?;
        let chain = chain_from_pem(&issued.certificate)?;
        Ok(self.presenting(Swap::new(Certified::new(chain, &key)?)))
    }

    /// One coordinator's services, by its id. Connects with the first call, and again when the connection broke.
    pub fn at(&self, id: u64) -> anyhow::Result<Clients> {
        let address = usize::try_from(id).ok().and_then(|id| self.addresses.get(id.checked_sub(1)?));
        let endpoint = Endpoint::from_shared(format!("http://{}", address.context("no such coordinator")?))?;
        let tls = client_config(ServerTrust::Roots(&self.roots), &self.presented, ALPN_GRPC)?;
        let endpoint = endpoint.connect_timeout(CALL).timeout(CALL);
        let channel = endpoint.connect_with_connector_lazy(connector(tls));
        Ok(Clients {
            hosts: HostsClient::new(channel.clone()),
            swarms: SwarmsClient::new(channel.clone()),
            operations: OperationsClient::new(channel.clone()),
            events: EventsClient::new(channel.clone()),
            cluster: ClusterClient::new(channel.clone()),
            drivers: DriversClient::new(channel.clone()),
            enrolment: EnrolmentClient::new(channel),
        })
    }

    /// Asks one coordinator after the other until one of them gives its word, as people's programs do.
    pub async fn ask<T>(
        &self,
        call: impl AsyncFn(&Clients) -> Result<Response<T>, Status>,
    ) -> Result<T, Status> {
        let deadline = Instant::now() + PATIENCE;
        let mut id = 0;
        loop {
            id = id % self.addresses.len() as u64 + 1;
            let clients = self.at(id).map_err(|error| Status::internal(error.to_string()))?;
            match call(&clients).await {
                Err(status) if passing(&status) && Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await
                }
                answer => return answer.map(Response::into_inner),
            }
        }
    }
}

/// Whether another coordinator, or the same a moment later, may answer.
pub fn passing(status: &Status) -> bool {
    status.code() == Code::Unavailable || status.source().is_some()
}

/// A mutation under a request id.
pub fn mutation(request_id: &str) -> Option<pb::Mutation> {
    Some(pb::Mutation { request_id: request_id.to_owned(), ..Default::default() })
}
