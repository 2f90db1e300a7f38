//! One raft node: a thread with a runtime of its own, so that ten thousand agents that come back cannot cost a heartbeat.
//!
//! ```text
//! RaftHandle ─► Core ─► proposer ─► openraft ─► log store ─► sync thread
//!                 │                    │  ▲
//!                 └─► peer client      ▼  └── raft listener ◄── other coordinators
//!                               state machine ─► published state · changes · snapshots
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::changes::ChangeFeed;
use super::config::{RaftConfig, RaftParts};
use super::core::Core;
use super::error::StartError;
use super::handle::{RaftHandle, Stop};
use super::leadership::{self, Leadership};
use super::network::{self, Admission, Contact, Dialer, Network, PeerClient, PeerService, RaftService};
use super::proposer::{Proposer, QUEUE};
use super::snapshot::{SnapshotError, SnapshotFile, SnapshotFolder};
use super::state_machine::{Outlets, Published, StateMachine};
use super::store::{Disk, LogStore, StoreThread};
use super::time::ClusterClock;
use super::types::{Raft, SnapshotMeta};

/// Raft's own work is little; two threads let a heartbeat pass a snapshot that is being read.
const WORKERS: usize = 2;
/// For tasks to end once they are told; what is left then is dropped.
const END: Duration = Duration::from_secs(5);
const SNAPSHOTS: &str = "snapshots";

/// Makes the store of a coordinator whose id was just given out. Once per id: a wiped one comes back under a new id.
pub fn create(config: &RaftConfig, disk: &dyn Disk) -> Result<(), StartError> {
    Ok(LogStore::create(&config.dir, disk, &config.cluster, config.id)?)
}

/// Starts a node on its store, in a thread of its own, and returns once it takes part.
pub async fn start(config: RaftConfig, parts: RaftParts) -> Result<RaftHandle, StartError> {
    let (started, starting) = oneshot::channel();
    let name = format!("raft-{}", config.id);
    std::thread::Builder::new()
        .name(name)
        .spawn(move || run(config, parts, started))
        .map_err(StartError::Runtime)?;
    starting.await.unwrap_or_else(|_| Err(StartError::Raft("its thread ended".into())))
}

/// The thread: builds the runtime, runs the node until it is told to stop, and closes its files.
fn run(config: RaftConfig, parts: RaftParts, started: oneshot::Sender<Result<RaftHandle, StartError>>) {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return answer(started, Err(StartError::Runtime(error))),
    };
    let (stop, stopping) = watch::channel(Stop::No);
    let (ended, ending) = watch::channel(false);
    let node = match runtime.block_on(Node::open(config, parts)) {
        Ok(node) => node,
        Err(error) => return answer(started, Err(error)),
    };
    let handle = RaftHandle::new(node.core.clone(), runtime.handle().clone(), stop, ending);
    answer(started, Ok(handle));
    let store = runtime.block_on(node.run(stopping));
    runtime.shutdown_timeout(END);
    store.join();
    ended.send_replace(true);
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(WORKERS).thread_name("raft").enable_all().build()
}

fn answer(started: oneshot::Sender<Result<RaftHandle, StartError>>, result: Result<RaftHandle, StartError>) {
    // An Err says that nobody waits for the start any more: the handle is dropped, and with it the node.
    let _ = started.send(result);
}

struct Node {
    core: Arc<Core>,
    store: StoreThread,
    tasks: JoinSet<()>,
    listening: CancellationToken,
}

impl Node {
    async fn open(config: RaftConfig, parts: RaftParts) -> Result<Self, StartError> {
        let openraft = config.openraft()?;
        let (log, store) = LogStore::open(&config.dir, parts.disk.as_ref(), &config.cluster, config.id)?;
        let (folder, newest) = SnapshotFolder::open(config.dir.join(SNAPSHOTS))?;
        let snapshot = newest.map(read_snapshot).transpose()?;

        let (published_in, published) = watch::channel(Arc::new(Published::default()));
        let changes = Arc::new(ChangeFeed::default());
        let clock = Arc::new(ClusterClock::new(parts.clock, Default::default()));
        let outlets = Outlets {
            published: published_in,
            changes: changes.clone(),
            clock: clock.clone(),
            id: config.id,
        };
        let machine = StateMachine::new(folder.clone(), snapshot, outlets);

        let dialer = Dialer::new(config.cluster.clone(), parts.tls.client.clone());
        let network = Network::new(dialer.clone(), Arc::clone(&parts.beats));
        let raft = Raft::new(config.id.0, openraft, network, log, machine).await;
        let raft = raft.map_err(|fatal| StartError::Raft(fatal.to_string()))?;

        let contact = Contact::new();
        let (leadership_in, leadership) = watch::channel(Leadership::default());
        let (proposals, queue) = mpsc::channel(QUEUE);
        let mut tasks = JoinSet::new();
        let checkpoint = parts.checkpoint;
        let proposer = Proposer { raft: raft.clone(), clock: clock.clone(), queue, checkpoint };
        tasks.spawn(proposer.run());
        tasks.spawn(leadership::watch(
            raft.clone(),
            contact.clone(),
            config.heartbeat,
            config.election_max,
            leadership_in,
        ));
        let core = Arc::new(Core {
            raft: raft.clone(),
            published: published.clone(),
            changes,
            clock,
            leadership,
            proposals,
            peers: PeerClient::new(dialer),
            beats: parts.beats,
            changing: Default::default(),
            config,
        });
        let finishing = core.clone();
        tasks.spawn(async move { finishing.finish_interrupted_changes().await });

        let listening = CancellationToken::new();
        let admission = Admission::new(published);
        let raft_service = RaftService {
            raft,
            admission: admission.clone(),
            contact,
            folder,
            receiving: Default::default(),
        };
        let peer_service = PeerService { core: core.clone(), admission };
        let cluster = core.config.cluster.clone();
        let serving = network::serve(
            parts.listener,
            parts.tls.server,
            cluster,
            raft_service,
            peer_service,
            listening.clone(),
        );
        tasks.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the raft listener has ended");
            }
        });
        Ok(Self { core, store, tasks, listening })
    }

    /// Until it is told to stop, or every handle is gone.
    async fn run(mut self, mut stopping: watch::Receiver<Stop>) -> StoreThread {
        let stop = stopping.wait_for(|stop| *stop != Stop::No).await.map_or(Stop::Kill, |stop| *stop);
        if stop == Stop::Gracefully {
            self.hand_over().await;
        }
        self.listening.cancel();
        self.tasks.abort_all();
        self.store
    }

    async fn hand_over(&self) {
        if let Err(error) = self.core.transfer_leadership(None).await {
            tracing::debug!(%error, "nothing to hand over, or nobody took it");
        }
        match timeout(END, self.core.raft.shutdown()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "raft did not stop cleanly"),
            Err(_) => tracing::warn!("raft did not stop in time"),
        }
    }
}

fn read_snapshot(
    file: SnapshotFile,
) -> Result<(SnapshotMeta, skep_core::State, SnapshotFile), SnapshotError> {
    match file.read() {
        Ok((meta, state)) => Ok((meta, state, file)),
        Err(source) => Err(SnapshotError::Damaged { path: file.path().to_owned(), source }),
    }
}

/// Runs work on the raft runtime, whichever runtime asks.
pub(super) async fn on<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    runtime.spawn(work).await.ok()
}
