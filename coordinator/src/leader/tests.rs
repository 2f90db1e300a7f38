//! On a real log, of one coordinator that leads.

use std::time::Duration;

use skep_core::command::{AddAccount, Command, MemberCommand, Reply, Request};
use skep_core::state::{AccountSettings, CredentialSource};
use skep_core::{State, state};
use skep_tls::wall_now;
use skep_types::{AccountName, ClusterId, ClusterTime, CoordinatorId, Digest, DriverDescription};
use tokio::time::timeout;

use super::*;
use crate::accounts::{Accounts, Means, Places};
use crate::api::fixture;
use crate::clock::BootClock;
use crate::context::{Drivers, Trust};
use crate::liveness::Graces;
use crate::raft::tests::harness::{Cluster, PATIENCE, request, until};
use crate::raft::{Beat, BeatHandler, Published, RaftHandle};
use crate::trust::{ClusterKey, Issuers};

const ONE: CoordinatorId = CoordinatorId(1);
const PROCESS: u64 = 7;
/// Longer than any test.
const HOUR: Duration = Duration::from_secs(3600);

struct Lab {
    context: Context,
    liveness: Arc<Liveness>,
    _cluster: Cluster,
}

impl Lab {
    /// The coordinator is registered with its driver, and has beaten.
    async fn new() -> Self {
        let cluster = Cluster::of(1).await;
        let raft = cluster.nodes[&1].clone();
        let node = cluster.node(1);
        let register = MemberCommand::Register {
            coordinator: ONE,
            process: PROCESS,
            address: node.address,
            raft_address: node.raft_address,
            version: "0.1.0".to_owned(),
            drivers: vec![driver()],
            broken: Vec::new(),
        };
        raft.propose(vec![Command::Member(register)]).await.unwrap();
        let liveness = Arc::new(Liveness::new(
            Arc::new(BootClock),
            Graces { agent: HOUR, owner_lease: HOUR, driver_call: HOUR },
        ));
        let term = raft.leadership().borrow().term;
        liveness.beat(Beat { coordinator: ONE, process: PROCESS, agents: Vec::new() }, term).await;
        Self { context: context(raft), liveness, _cluster: cluster }
    }

    async fn adds_account(&self, number: u64, name: &str) {
        let Command::Request(mut command) = request(number) else { panic!("it is a request") };
        let credentials = CredentialSource::Command { name: "sign-in".to_owned(), arguments: Vec::new() };
        command.request = Request::AddAccount(AddAccount {
            account: name.parse().unwrap(),
            driver: driver().name,
            settings: AccountSettings { credentials, ..AccountSettings::default() },
            replace: false,
        });
        let replies = self.context.raft.propose(vec![Command::Request(command)]).await.unwrap();
        assert!(matches!(replies.as_slice(), [Reply::Accepted(_)]), "{replies:?}");
    }

    async fn owns(&self, name: &str) {
        let name: AccountName = name.parse().unwrap();
        let owned = |published: &Published| {
            let account = published.accounts.get(&name);
            account.is_some_and(|account| account.owners.iter().all(Option::is_some))
        };
        until(&self.context.raft, owned).await;
    }
}

/// A coordinator that calls no driver.
fn context(raft: RaftHandle) -> Context {
    let cluster: ClusterId = "test".parse().unwrap();
    let key = ClusterKey::generate().unwrap();
    let sealer = key.sealer(&cluster).unwrap();
    let sealed: state::Issuers = Issuers::create(&sealer, &cluster, wall_now()).unwrap();
    let issuers = Issuers::open(&sealer, &cluster, &sealed).unwrap();
    let drivers = Drivers::new([]);
    let means = Means {
        id: ONE,
        clock: Arc::new(BootClock),
        records: Arc::new(|_| None),
        now: Arc::new(|| (State::default(), ClusterTime::default())),
        sealer: sealer.clone(),
        places: Places { state: "/nowhere".into(), agents: "/nowhere".into(), commands: None },
        limit: HOUR,
    };
    Context {
        id: ONE,
        cluster,
        raft,
        trust: Arc::new(Trust { key, sealer, issuers }),
        drivers: drivers.clone(),
        accounts: Accounts::new(drivers, means),
    }
}

/// That has no account of its own.
fn driver() -> DriverDescription {
    let mut driver = fixture::driver();
    for credential in &mut driver.credentials {
        credential.required = true;
    }
    driver
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_account_has_an_owner_before_the_next_look() {
    let lab = Lab::new().await;
    let stop = CancellationToken::new();
    let watch = watcher::watch(lab.context.clone(), Arc::clone(&lab.liveness), HOUR, stop.clone());
    let watching = tokio::spawn(watch);
    // By the first look, perhaps; there is no other.
    lab.adds_account(1, "first").await;
    lab.owns("first").await;
    lab.adds_account(2, "second").await;
    lab.owns("second").await;
    stop.cancel();
    watching.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_its_log() {
    let lab = Lab::new().await;
    let agent = AgentSource { sha256: Digest([0; 32]) };
    let leading = run(lab.context.clone(), Arc::clone(&lab.liveness), agent, CancellationToken::new());
    let leading = tokio::spawn(leading);
    lab.adds_account(1, "first").await;
    lab.owns("first").await;
    lab.context.raft.kill().await;
    // Most often its last word is that it leads, which would hold for ever.
    timeout(PATIENCE, leading).await.expect("it ends").unwrap();
}
