//! A coordinator in this process, and clients of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use skep_driver::Kind;
use skep_proto::v1 as pb;
use skep_proto::v1::cluster_client::ClusterClient;
use skep_proto::v1::drivers_client::DriversClient;
use skep_proto::v1::events_client::EventsClient;
use skep_proto::v1::hosts_client::HostsClient;
use skep_proto::v1::operations_client::OperationsClient;
use skep_proto::v1::swarms_client::SwarmsClient;
use skep_tls::{ALPN_GRPC, Certified, Key, ServerTrust, Swap, chain_from_pem, client_config, connector};
use skep_types::{Digest, limits};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use super::PATIENCE;
use super::lab_driver::LabKind;
use crate::agent_binaries::AgentBinaries;
use crate::api::fixture::ADMIN;
use crate::clock::BootClock;
use crate::context::Drivers;
use crate::found;
use crate::layout::{Addresses, Layout};
use crate::liveness::Graces;
use crate::raft::Unwatched;
use crate::run::{self, Listeners, RunError, Tuning};

/// Stopped by [`Coordinator::stop`]; one that a failed test drops dies with its runtime.
pub(super) struct Coordinator {
    folder: TempDir,
    address: String,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), RunError>>,
}

pub(super) struct Clients {
    pub(super) hosts: HostsClient<Channel>,
    pub(super) swarms: SwarmsClient<Channel>,
    pub(super) operations: OperationsClient<Channel>,
    pub(super) events: EventsClient<Channel>,
    pub(super) cluster: ClusterClient<Channel>,
    pub(super) drivers: DriversClient<Channel>,
}

impl Coordinator {
    /// Founded in a folder of its own, serving, and with its driver known.
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let control = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let raft = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = control.local_addr().unwrap().to_string();
        let raft_address = raft.local_addr().unwrap().to_string();
        let layout = Layout::new(&folder.path().join("data"), None);
        let founding = found::Options {
            layout: layout.clone(),
            addresses: Addresses {
                listen: address.clone(),
                advertise: address.clone(),
                raft_listen: raft_address.clone(),
                raft_advertise: raft_address,
            },
            admin: ADMIN.parse().unwrap(),
            operator_config: folder.path().join("admin.toml"),
        };
        Box::pin(found::found(founding)).await.unwrap();
        let shutdown = CancellationToken::new();
        let listeners = Listeners { control, raft };
        let running = tokio::spawn(Box::pin(run::run(options(layout), listeners, shutdown.clone())));
        let coordinator = Self { folder, address, shutdown, running };
        coordinator.wait_until_serving().await;
        coordinator
    }

    async fn wait_until_serving(&self) {
        let mut clients = self.admin();
        let ready = async {
            while clients.hosts.list(pb::ListHostsRequest::default()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ready).await.expect("the coordinator does not serve");
    }

    pub(super) fn tell_to_stop(&self) {
        self.shutdown.cancel();
    }

    pub(super) async fn stop(self) {
        self.tell_to_stop();
        tokio::time::timeout(PATIENCE, self.running).await.expect("it does not stop").unwrap().unwrap();
    }

    pub(super) fn admin(&self) -> Clients {
        let key = Key::load(&self.admin_file("key")).unwrap();
        let certified = Certified::load(&self.admin_file("pem"), &key).unwrap();
        self.clients(&Swap::new(certified))
    }

    /// With a certificate that `admin` had issued.
    pub(super) async fn person(&self, admin: &mut Clients, name: &str) -> Clients {
        let key = Key::generate().unwrap();
        let signing_request = key.signing_request_der().unwrap().into();
        let request = pb::IssueCertificateRequest { person: name.to_owned(), signing_request };
        let issued = admin.cluster.issue_certificate(request).await.unwrap().into_inner();
        let chain = chain_from_pem(&issued.certificate).unwrap();
        self.clients(&Swap::new(Certified::new(chain, &key).unwrap()))
    }

    pub(super) fn anonymous(&self) -> Clients {
        self.clients(&Swap::empty())
    }

    /// As a new coordinator, which knows of the cluster only the digest in its token.
    pub(super) fn pinned(&self, root: Digest) -> Clients {
        self.connect(ServerTrust::RootDigest(root), &Swap::empty())
    }

    fn clients(&self, presented: &Swap) -> Clients {
        let roots = std::fs::read_to_string(self.folder.path().join("admin-ca.pem")).unwrap();
        self.connect(ServerTrust::Roots(&roots), presented)
    }

    fn connect(&self, trust: ServerTrust<'_>, presented: &Swap) -> Clients {
        let tls = client_config(trust, presented, ALPN_GRPC).unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        let channel = endpoint.connect_with_connector_lazy(connector(tls));
        Clients {
            hosts: HostsClient::new(channel.clone()),
            swarms: SwarmsClient::new(channel.clone()),
            operations: OperationsClient::new(channel.clone()),
            events: EventsClient::new(channel.clone()),
            cluster: ClusterClient::new(channel.clone()),
            drivers: DriversClient::new(channel),
        }
    }

    fn admin_file(&self, ending: &str) -> PathBuf {
        self.folder.path().join(format!("admin.{ending}"))
    }
}

fn options(layout: Layout) -> run::Options {
    let kind: Arc<dyn Kind> = Arc::new(LabKind::new());
    run::Options {
        layout,
        drivers: Drivers::new([kind]),
        credential_commands: None,
        agent: AgentBinaries { folder: "/nonexistent".into(), present: Digest([0; 32]) },
        clock: Arc::new(BootClock),
        graces: Graces {
            agent: limits::AGENT_GRACE,
            owner_lease: limits::OWNER_LEASE,
            driver_call: limits::DRIVER_CALL,
        },
        dial_after: skep_types::limits::DIALS_IN,
        orphan_search: Duration::from_secs(60),
        raft: Tuning { snapshot_every: 10_000 },
        checkpoint: Arc::new(Unwatched),
    }
}
