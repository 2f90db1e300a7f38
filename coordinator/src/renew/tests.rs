//! At half of their lives, both certificates: under listeners that stay open, and on the disk.

use std::sync::atomic::{AtomicU64, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::ServerName;
use skep_tls::{
    ALPN_CONTROL, ALPN_GRPC, COORDINATOR_NAME, Certificate, Clients, ServerTls, ServerTrust, client_config,
    lifetimes, wall_now,
};
use skep_types::ClusterId;
use tempfile::TempDir;
use tokio::io::duplex;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::trust::{ClusterKey, Issuers};

const HOUR: Duration = Duration::from_secs(3600);

/// A wall clock that a test sets.
#[derive(Debug)]
struct Wall(AtomicU64);

impl Clock for Wall {
    fn boottime(&self) -> Duration {
        Duration::ZERO
    }

    fn wall(&self) -> WallTime {
        WallTime(self.0.load(Ordering::Relaxed))
    }
}

/// A coordinator's two ports, as they were opened, and the renewal of their certificates.
struct Ports {
    renewal: Renewal,
    wall: Arc<Wall>,
    control: Arc<ServerConfig>,
    raft: Arc<ServerConfig>,
    _folder: TempDir,
}

fn trust() -> Arc<Trust> {
    let cluster: ClusterId = "0199-c1".parse().unwrap();
    let key = ClusterKey::generate().unwrap();
    let sealer = key.sealer(&cluster).unwrap();
    let sealed = Issuers::create(&sealer, &cluster, wall_now()).unwrap();
    let issuers = Issuers::open(&sealer, &cluster, &sealed).unwrap();
    Arc::new(Trust { key, sealer, issuers })
}

impl Ports {
    fn with_certificates_of(issued_at: WallTime) -> Self {
        skep_tls::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let (layout, trust) = (Layout::new(&folder.path().join("c1"), None), trust());
        layout.create().unwrap();
        let id = CoordinatorId(1);
        let issuers = &trust.issuers;
        let key = |world| layout.key(world).unwrap();
        let control = issuers.coordinator_control(id, &[], key(World::Control).public(), issued_at).unwrap();
        layout.save_certificate(World::Control, &control.pem()).unwrap();
        layout.save_root(World::Control, &issuers.control.root_pem()).unwrap();
        let raft = issuers.coordinator_raft(id, key(World::Raft).public(), issued_at).unwrap();
        layout.save_certificate(World::Raft, &raft.pem()).unwrap();
        layout.save_root(World::Raft, &issuers.raft.root_pem()).unwrap();

        let renewable = |world| {
            let credential = layout.credential(world).unwrap();
            Renewable { world, key: credential.key, swap: Swap::new(credential.certified) }
        };
        let certificates = vec![renewable(World::Control), renewable(World::Raft)];
        // As `run` builds them.
        let control = ServerTls::new(&issuers.control.root_pem(), &certificates[0].swap, ALPN_CONTROL)
            .clients(Clients::AnybodyAndExpired)
            .build()
            .unwrap();
        let raft =
            ServerTls::new(&issuers.raft.root_pem(), &certificates[1].swap, ALPN_GRPC).build().unwrap();
        let address = || "127.0.0.1:1".to_owned();
        let addresses = Addresses {
            listen: address(),
            advertise: address(),
            raft_listen: address(),
            raft_advertise: address(),
        };
        let wall = Arc::new(Wall(AtomicU64::new(issued_at.0)));
        let clock = Arc::clone(&wall) as Arc<dyn Clock>;
        let renewal = Renewal { id, trust, layout, addresses, clock, certificates };
        Self { renewal, wall, control, raft, _folder: folder }
    }

    fn look_at(&self, now: WallTime) {
        self.wall.0.store(now.0, Ordering::Relaxed);
        self.renewal.look();
    }

    /// The serial numbers that new callers of the control port and of the raft port are shown.
    async fn shown(&self) -> [String; 2] {
        let issuers = &self.renewal.trust.issuers;
        let certificates = &self.renewal.certificates;
        [
            serial(&self.control, &issuers.control.root_pem(), &certificates[0].swap).await,
            serial(&self.raft, &issuers.raft.root_pem(), &certificates[1].swap).await,
        ]
    }

    fn on_disk(&self) -> [String; 2] {
        [World::Control, World::Raft]
            .map(|world| self.renewal.layout.credential(world).unwrap().certified.leaf().serial.clone())
    }
}

/// Of what a server shows to another coordinator.
async fn serial(server: &Arc<ServerConfig>, roots: &str, caller: &Swap) -> String {
    let client = client_config(ServerTrust::Roots(roots), caller, ALPN_GRPC).unwrap();
    let (near, far) = duplex(16 * 1024);
    let accepting = TlsAcceptor::from(Arc::clone(server)).accept(far);
    let name = ServerName::try_from(COORDINATOR_NAME).unwrap();
    let connector = TlsConnector::from(client);
    let (accepted, connected) = tokio::join!(accepting, connector.connect(name, near));
    accepted.expect("the caller is believed");
    let connected = connected.expect("the server is believed");
    let shown = connected.get_ref().1.peer_certificates().unwrap();
    Certificate::from_der(&shown[0]).unwrap().serial
}

#[tokio::test]
async fn both_certificates_are_renewed_at_half_of_their_lives_under_open_ports() {
    let half = lifetimes::COORDINATOR_CERTIFICATE / 2;
    assert_eq!(half, 15 * 24 * HOUR);
    let now = wall_now();
    let ports = Ports::with_certificates_of(now.before(half + HOUR));
    let first = ports.shown().await;
    assert_ne!(first[0], first[1], "each port has its own");

    ports.look_at(now.before(2 * HOUR));
    assert_eq!(ports.shown().await, first, "an hour before half of its life");
    assert_eq!(ports.on_disk(), first);

    ports.look_at(now);
    let second = ports.shown().await;
    assert!(second.iter().all(|serial| !first.contains(serial)), "{first:?} {second:?}");
    assert_eq!(ports.on_disk(), second);

    ports.look_at(now.after(HOUR));
    assert_eq!(ports.shown().await, second, "what is fresh stays");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_leaves_what_is_in_use() {
    let half = lifetimes::COORDINATOR_CERTIFICATE / 2;
    let now = wall_now();
    let mut ports = Ports::with_certificates_of(now.before(half + HOUR));
    let first = ports.shown().await;
    ports.renewal.layout = Layout::new(std::path::Path::new("/nonexistent/c1"), None);
    ports.look_at(now);
    assert_eq!(ports.shown().await, first, "nothing is shown that a restart would not find");
}
