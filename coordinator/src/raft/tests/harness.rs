//! Makes clusters, and the commands they are given.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use skep_core::command::{Command, Founding, MemberCommand, Reply, Request, RequestCommand, RequestMeta};
use skep_core::{State, state};
use skep_tls::{ALPN_GRPC, Certified, Key, ServerTls, ServerTrust, Swap, client_config, wall_now};
use skep_types::{ClusterId, CoordinatorId, Digest, OperationId, PersonRole};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::BootClock;
use crate::raft::{
    Beat, BeatAnswer, BeatHandler, Disk, FileDisk, Leadership, Node, Published, RaftConfig, RaftHandle,
    RaftParts, RaftTls, StartError, Unwatched, create, start,
};
use crate::trust::{ClusterKey, Issuers};

/// Longer than anything waited for takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Cluster {
    id: ClusterId,
    dir: TempDir,
    pub(crate) issuers: Issuers,
    pub(crate) sealed: state::Issuers,
    addresses: BTreeMap<u64, String>,
    pub(crate) nodes: BTreeMap<u64, RaftHandle>,
    tune: fn(&mut RaftConfig),
    /// What is under the logs: real files, if nothing else was put there.
    disks: BTreeMap<u64, Arc<dyn Disk>>,
    /// To whom any node's stream of entries failed.
    pub(crate) out_of_touch: Arc<watch::Sender<BTreeSet<CoordinatorId>>>,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        skep_tls::install_provider();
        let id: ClusterId = "test".parse().unwrap();
        let (issuers, sealed) = authorities(&id);
        let dir = tempfile::tempdir().unwrap();
        Self {
            id,
            dir,
            issuers,
            sealed,
            addresses: BTreeMap::new(),
            nodes: BTreeMap::new(),
            tune: |_| {},
            disks: BTreeMap::new(),
            out_of_touch: Arc::default(),
        }
    }

    /// That many nodes, founded and voting.
    pub(crate) async fn of(size: u64) -> Self {
        Self::tuned(size, |_| {}).await
    }

    pub(crate) async fn tuned(size: u64, tune: fn(&mut RaftConfig)) -> Self {
        Self::on(size, tune, |_| Arc::new(FileDisk)).await
    }

    pub(crate) async fn on(
        size: u64,
        tune: fn(&mut RaftConfig),
        disk: impl Fn(u64) -> Arc<dyn Disk>,
    ) -> Self {
        let disks = (1..=size).map(|id| (id, disk(id))).collect();
        let mut cluster = Self { tune, disks, ..Self::new() };
        cluster.start_new(1).await;
        cluster.nodes[&1].initialize_single(cluster.node(1)).await.unwrap();
        let replies = cluster.nodes[&1].propose(vec![cluster.founding()]).await.unwrap();
        assert_eq!(replies, [Reply::Joined(CoordinatorId(1))]);
        for id in 2..=size {
            cluster.start_new(id).await;
            cluster.add_voter(id).await;
        }
        cluster
    }

    pub(crate) fn founding(&self) -> Command {
        Command::Member(MemberCommand::Found(Box::new(Founding {
            cluster: self.id.clone(),
            issuers: self.sealed.clone(),
            address: "control:1".into(),
            raft_address: self.addresses[&1].clone(),
            control_key: Digest([1; 32]),
            raft_key: Digest([2; 32]),
            admin: "admin".parse().unwrap(),
        })))
    }

    pub(crate) fn node(&self, id: u64) -> Node {
        Node { raft_address: self.addresses[&id].clone(), address: format!("control:{id}") }
    }

    pub(crate) fn folder(&self, id: u64) -> PathBuf {
        self.dir.path().join(id.to_string())
    }

    fn config(&self, id: u64) -> RaftConfig {
        let mut config = RaftConfig::new(CoordinatorId(id), self.id.clone(), self.folder(id));
        (self.tune)(&mut config);
        config
    }

    fn disk(&self, id: u64) -> Arc<dyn Disk> {
        self.disks.get(&id).cloned().unwrap_or_else(|| Arc::new(FileDisk))
    }

    pub(crate) async fn start_new(&mut self, id: u64) {
        create(&self.config(id), self.disk(id).as_ref()).unwrap();
        self.start(id).await.unwrap();
    }

    /// Starts a node on what is in its folder, at the address it had.
    pub(crate) async fn start(&mut self, id: u64) -> Result<(), StartError> {
        let address = self.addresses.get(&id).map_or("127.0.0.1:0", String::as_str);
        let listener = TcpListener::bind(address).unwrap();
        self.addresses.insert(id, listener.local_addr().unwrap().to_string());
        let parts = RaftParts {
            listener,
            tls: tls(&self.issuers, CoordinatorId(id)),
            clock: Arc::new(BootClock),
            disk: self.disk(id),
            checkpoint: Arc::new(Unwatched),
            beats: Arc::new(Listening(Arc::clone(&self.out_of_touch))),
        };
        let handle = start(self.config(id), parts).await?;
        self.nodes.insert(id, handle);
        Ok(())
    }

    /// On whichever node leads: on a busy machine leadership may move meanwhile.
    async fn add_voter(&self, id: u64) {
        let adding = async {
            let mut pause = tokio::time::interval(Duration::from_millis(20));
            loop {
                pause.tick().await;
                let leading = self.nodes.values().find(|node| node.leadership().borrow().leading);
                let Some(leader) = leading else { continue };
                match leader.add_voter(CoordinatorId(id), self.node(id)).await {
                    Ok(()) => return,
                    Err(error) => println!("adding {id} again: {error}"),
                }
            }
        };
        timeout(PATIENCE, adding).await.expect("waited too long");
    }

    pub(crate) async fn kill(&mut self, id: u64) {
        self.nodes.remove(&id).unwrap().kill().await;
    }

    /// Waits until one of the running nodes leads, and all of them say so.
    pub(crate) async fn leader(&self) -> u64 {
        loop {
            let known = |node: &RaftHandle| *node.leadership().borrow();
            let leading = self.nodes.values().map(known).find(|leadership| leadership.leading);
            let agreed =
                |leading: Leadership| self.nodes.values().all(|node| known(node).leader == leading.leader);
            if let Some(leading) = leading.filter(|leading| agreed(*leading)) {
                return leading.leader.unwrap().0;
            }
            let mut watches: Vec<_> = self.nodes.values().map(RaftHandle::leadership).collect();
            let changes = watches.iter_mut().map(|watch| Box::pin(watch.changed()));
            let _ = timeout(Duration::from_millis(20), futures::future::select_all(changes)).await;
        }
    }

    pub(crate) async fn follower(&self) -> u64 {
        let leader = self.leader().await;
        *self.nodes.keys().find(|id| **id != leader).unwrap()
    }

    /// Waits until every running node has applied what the cluster has acknowledged, and gives their states.
    pub(crate) async fn settled(&self) -> Vec<State> {
        let index = self.nodes.values().next().unwrap().read().await.unwrap().applied_index;
        let mut states = Vec::new();
        for node in self.nodes.values() {
            states.push(until(node, |published| published.applied_index >= index).await.state.clone());
        }
        states
    }

    pub(crate) async fn assert_equal_states(&self) -> State {
        let mut states = self.settled().await;
        let first = states.pop().unwrap();
        assert!(states.iter().all(|state| *state == first), "the states differ");
        first
    }
}

pub(crate) async fn until(node: &RaftHandle, reached: impl Fn(&Published) -> bool) -> Arc<Published> {
    let mut watch = node.watch_state();
    let published = timeout(PATIENCE, watch.wait_for(|published| reached(published))).await;
    published.expect("waited too long").unwrap().clone()
}

pub(crate) fn authorities(cluster: &ClusterId) -> (Issuers, state::Issuers) {
    let sealer = ClusterKey::generate().unwrap().sealer(cluster).unwrap();
    let sealed = Issuers::create(&sealer, cluster, wall_now()).unwrap();
    (Issuers::open(&sealer, cluster, &sealed).unwrap(), sealed)
}

pub(crate) fn tls(issuers: &Issuers, id: CoordinatorId) -> RaftTls {
    let key = Key::generate().unwrap();
    let issued = issuers.coordinator_raft(id, key.public(), wall_now()).unwrap();
    let swap = Swap::new(Certified::new(issued.chain, &key).unwrap());
    let roots = issuers.raft.root_pem();
    RaftTls {
        server: ServerTls::new(&roots, &swap, ALPN_GRPC).build().unwrap(),
        client: client_config(ServerTrust::Roots(&roots), &swap, ALPN_GRPC).unwrap(),
    }
}

/// Something that is proposed once per number: its request id makes it safe to repeat.
pub(crate) fn request(number: u64) -> Command {
    let mut body = [0; 32];
    body[..8].copy_from_slice(&number.to_be_bytes());
    Command::Request(RequestCommand {
        meta: RequestMeta {
            request_id: format!("request-{number}").parse().unwrap(),
            body: Digest(body),
            actor: "admin".parse().unwrap(),
            generation: 1,
            peer: "192.0.2.1:1".into(),
            method: "PutPerson".into(),
            if_revision: None,
        },
        request: Request::PutPerson {
            name: "reader".parse().unwrap(),
            role: PersonRole::Viewer,
            dismiss_certificates: false,
        },
    })
}

pub(crate) async fn write(node: &RaftHandle, number: u64) -> OperationId {
    match node.propose(vec![request(number)]).await.unwrap().as_slice() {
        [Reply::Accepted(operation)] => *operation,
        other => panic!("{other:?}"),
    }
}

/// Hears every beat, and keeps whom a node lost touch with.
#[derive(Debug)]
struct Listening(Arc<watch::Sender<BTreeSet<CoordinatorId>>>);

#[async_trait]
impl BeatHandler for Listening {
    async fn beat(&self, _beat: Beat, term: u64) -> BeatAnswer {
        BeatAnswer { term, sightings: Vec::new() }
    }

    fn lost_touch(&self, peer: CoordinatorId) {
        self.0.send_modify(|lost| {
            lost.insert(peer);
        });
    }
}
