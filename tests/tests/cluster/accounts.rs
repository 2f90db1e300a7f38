//! Accounts on a cluster: limits that hold while owners come and go, and credentials that change under running hosts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use futures::FutureExt;
use skep_core::state::Host;
use skep_driver::{Access, Driver, DriverError, ErrorKind, Kind, Method};
use skep_proto::v1 as pb;
use skep_sim::SimConfig;
use skep_tests::inprocess::{Around, InProcess, Moment, Rest, Setup, create, eventually, mutation};
use skep_types::{ConditionKind, CredentialDescription, DriverDescription};

/// Creates a second, and those that may come at once after a rest: many beside what comes in while owners change, so that an
/// owner that began with a full bucket would be seen.
const RATE: u32 = 1;
const BURST: u32 = 10;
const CHANGES: u32 = 2;
/// Calls may be seen by so much later than they were let through, on a busy machine.
const LATE_SECONDS: u32 = 2;

fn account(name: &str, token: &str) -> pb::AddAccountRequest {
    pb::AddAccountRequest {
        mutation: mutation(&format!("add-{name}")),
        name: name.to_owned(),
        driver: "sim".to_owned(),
        credentials: [("token".to_owned(), token.to_owned())]
            .into_iter()
            .filter(|(_, v)| !v.is_empty())
            .collect(),
        ..Default::default()
    }
}

fn creates_at(per_minute: u32, burst: u32) -> Option<pb::AccountLimits> {
    let calls = BTreeMap::from([("create".to_owned(), pb::Bucket { per_minute, burst })]);
    Some(pb::AccountLimits { calls, ..Default::default() })
}

fn limited(per_minute: u32, burst: u32) -> pb::AddAccountRequest {
    pb::AddAccountRequest { limits: creates_at(per_minute, burst), ..account("slow", "") }
}

async fn add(cluster: &InProcess, request: pb::AddAccountRequest) {
    let operator = cluster.operator().unwrap();
    operator.ask(async |c| c.drivers.clone().add_account(request.clone()).await).await.unwrap();
}

fn of_account(account: &str, name: &str, count: u32) -> pb::CreateHostsRequest {
    let request = create(name, count);
    let template =
        request.template.clone().map(|template| pb::Template { account: account.to_owned(), ..template });
    pb::CreateHostsRequest { template, ..request }
}

fn owner(cluster: &InProcess, account: &str) -> Option<u64> {
    let state = cluster.newest()?;
    let account = state.accounts.get(&account.parse().ok()?)?;
    account.owner(0).map(|owner| owner.coordinator.0)
}

/// Every request for an instance, as it left for the world.
fn creates(cluster: &InProcess) -> Arc<Mutex<Vec<Instant>>> {
    let seen: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let record = Arc::clone(&seen);
    cluster.stops.set(move |event| {
        if event.moment == Moment::Call(Method::Ensure, Around::Before) {
            record.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        }
        async {}.boxed()
    });
    seen
}

/// The most requests above what the bucket gives in the time, over every span between two of them.
fn most_above(times: &[Instant]) -> f64 {
    let mut most = f64::MIN;
    for (first, from) in times.iter().enumerate() {
        for (last, to) in times.iter().enumerate().skip(first) {
            let given = (*to - *from).as_secs_f64() * f64::from(RATE);
            most = most.max((last - first + 1) as f64 - given);
        }
    }
    most
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_06_a_limit_holds_over_two_changes_of_owner() {
    let world = SimConfig { batch_max: 1, ..SimConfig::default() };
    let cluster = InProcess::start(Setup { world, ..Setup::default() }).await.unwrap();
    add(&cluster, limited(RATE * 60, BURST)).await;
    let seen = creates(&cluster);
    let request = of_account("slow", "web", 28);
    let operator = cluster.operator().unwrap();
    let asked = operator.ask(async |c| c.hosts.clone().create(request.clone()).await).await.unwrap();
    // The first owner spends its whole bucket, the second what comes in.
    for sent in [10, 15] {
        let count = || seen.lock().unwrap().len();
        eventually("some creates", || (count() >= sent).then_some(())).await.unwrap();
        let before = eventually("an owner", || owner(&cluster, "slow")).await.unwrap();
        cluster.crash(before).await;
        let others = || owner(&cluster, "slow").filter(|now| *now != before);
        eventually("another owner", others).await.unwrap();
        cluster.restart(before).await.unwrap();
    }
    cluster.finished(&asked.id).await.unwrap();
    cluster.stops.clear();
    let times = seen.lock().unwrap().clone();
    let above = most_above(&times);
    skep_tests::print(&format!("{} creates, at most {above:.2} above the rate (burst {BURST})", times.len()));
    assert!(times.len() >= 28);
    // Each new owner tries for one token more than it knows of.
    assert!(above <= f64::from(BURST + CHANGES + RATE * LATE_SECONDS), "{above}");
    let rest = Rest::of(&cluster, &cluster.at_rest().await.unwrap()).unwrap();
    assert_eq!(rest.ready.len(), 28);
}

/// A limit that was a mistake is mended while calls wait for it: a minute for each of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_that_are_set_reach_calls_that_wait_already() {
    let world = SimConfig { batch_max: 1, ..SimConfig::default() };
    let cluster = InProcess::start(Setup { coordinators: 1, world, ..Setup::default() }).await.unwrap();
    add(&cluster, limited(1, 1)).await;
    let seen = creates(&cluster);
    let request = of_account("slow", "web", 4);
    let operator = cluster.operator().unwrap();
    let asked = operator.ask(async |c| c.hosts.clone().create(request.clone()).await).await.unwrap();
    eventually("the first create", || (!seen.lock().unwrap().is_empty()).then_some(())).await.unwrap();
    let open = || cluster.newest().filter(|state| state.intents.len() == 3).map(drop);
    eventually("the others wait", open).await.unwrap();
    let limits = pb::SetAccountLimitsRequest {
        mutation: mutation("limits"),
        name: "slow".to_owned(),
        limits: creates_at(600, 10),
    };
    operator.ask(async |c| c.drivers.clone().set_account_limits(limits.clone()).await).await.unwrap();
    cluster.finished(&asked.id).await.unwrap();
    cluster.stops.clear();
    let times = seen.lock().unwrap().clone();
    assert_eq!(times.len(), 4);
    assert!((times[3] - times[0]).as_secs() < 60, "a create waited for its token as it was");
}

/// The tokens it was opened with, in order, on all coordinators.
static OPENED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The simulator behind a credential: the token "wrong" opens nothing.
#[derive(Debug)]
struct Keyed {
    description: DriverDescription,
    driver: Arc<dyn Driver>,
}

impl Keyed {
    fn of(driver: Arc<dyn Driver>) -> Arc<dyn Kind> {
        let credential = CredentialDescription {
            name: "token".to_owned(),
            usage: "what opens it".to_owned(),
            env: String::new(),
            required: false,
        };
        let description = DriverDescription { credentials: vec![credential], ..driver.describe().clone() };
        Arc::new(Self { description, driver })
    }
}

#[async_trait]
impl Kind for Keyed {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        let token =
            access.credentials.get("token").map(|token| token.reveal().to_owned()).unwrap_or_default();
        if token == "wrong" {
            return Err(DriverError::new(ErrorKind::Auth, "the token is not known"));
        }
        OPENED.lock().unwrap_or_else(PoisonError::into_inner).push(token);
        Ok(Arc::clone(&self.driver))
    }
}

async fn keyed() -> InProcess {
    InProcess::start(Setup { coordinators: 1, kind: Keyed::of, ..Setup::default() }).await.unwrap()
}

async fn rotate(cluster: &InProcess, name: &str, token: &str) {
    let request = pb::RotateAccountCredentialsRequest {
        mutation: mutation(&format!("rotate-{name}-{token}")),
        name: name.to_owned(),
        credentials: [("token".to_owned(), token.to_owned())].into(),
        ..Default::default()
    };
    let operator = cluster.operator().unwrap();
    operator
        .ask(async |c| c.drivers.clone().rotate_account_credentials(request.clone()).await)
        .await
        .unwrap();
}

fn opened(token: &str) -> usize {
    OPENED.lock().unwrap().iter().filter(|opened| *opened == token).count()
}

fn hosts(cluster: &InProcess) -> Vec<Arc<Host>> {
    cluster.newest().unwrap().hosts.values().cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_reaches_the_driver_and_touches_no_host() {
    let cluster = keyed().await;
    add(&cluster, account("prod", "one")).await;
    cluster.create(of_account("prod", "web", 2)).await.unwrap();
    cluster.at_rest().await.unwrap();
    assert_eq!((opened("one"), opened("two")), (1, 0));
    let (before, instances) = (hosts(&cluster), cluster.world.sim.instances());
    rotate(&cluster, "prod", "two").await;
    let request = pb::TestAccountRequest { name: "prod".to_owned() };
    let operator = cluster.operator().unwrap();
    let tested = operator.ask(async |c| c.drivers.clone().test_account(request.clone()).await).await.unwrap();
    assert_eq!((tested.outcome.as_str(), tested.instances), ("ok", 2));
    assert_eq!((opened("one"), opened("two")), (1, 1));
    assert_eq!(hosts(&cluster), before, "a host was touched");
    assert_eq!(cluster.world.sim.instances(), instances);
    cluster.create(of_account("prod", "more", 1)).await.unwrap();
    assert_eq!(opened("two"), 1, "it is open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_of_an_account_that_cannot_be_opened_wait_and_say_why() {
    let cluster = keyed().await;
    add(&cluster, account("lost", "wrong")).await;
    let request = of_account("lost", "web", 2);
    let operator = cluster.operator().unwrap();
    let asked = operator.ask(async |c| c.hosts.clone().create(request.clone()).await).await.unwrap();
    let says = |host: &Arc<Host>| {
        let ready = host.conditions.get(ConditionKind::InstanceReady);
        ready.is_some_and(|ready| {
            ready.reason == Host::ACCOUNT_UNUSABLE && ready.message.contains("the token is not known")
        })
    };
    let held = eventually("both say why", || Some(hosts(&cluster)).filter(|all| all.iter().all(says)));
    assert_eq!(held.await.unwrap().len(), 2);
    let test = pb::TestAccountRequest { name: "lost".to_owned() };
    let tested = operator.ask(async |c| c.drivers.clone().test_account(test.clone()).await).await.unwrap();
    assert_eq!((tested.outcome.as_str(), tested.message.as_str()), ("auth", "the token is not known"));
    rotate(&cluster, "lost", "right").await;
    cluster.finished(&asked.id).await.unwrap();
    let all = hosts(&cluster);
    assert!(all.iter().all(|host| host.phase == skep_types::Phase::Ready && !says(host)), "{all:?}");
    assert_eq!(cluster.world.sim.instances().len(), 2, "nothing was made twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_whose_create_is_never_answered_say_so_until_it_is() {
    let cluster = InProcess::start(Setup::default()).await.unwrap();
    cluster.world.sim.set_behaviour(|behaviour| behaviour.lost_replies_percent = 100);
    let operator = cluster.operator().unwrap();
    let asked = operator.ask(async |c| c.hosts.clone().create(create("web", 1)).await).await.unwrap();
    let says = |host: &Arc<Host>| {
        let ready = host.conditions.get(ConditionKind::InstanceReady);
        ready.is_some_and(|ready| ready.message.starts_with("a call is made again until it is answered: "))
    };
    let told = eventually("it says why", || Some(hosts(&cluster)).filter(|all| all.iter().any(says)));
    assert_eq!(told.await.unwrap().len(), 1);
    cluster.world.sim.set_behaviour(|behaviour| behaviour.lost_replies_percent = 0);
    cluster.finished(&asked.id).await.unwrap();
    let all = hosts(&cluster);
    assert!(all.iter().all(|host| host.phase == skep_types::Phase::Ready && !says(host)), "{all:?}");
    assert_eq!(cluster.world.sim.instances().len(), 1, "nothing was made twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_credential_stays_sealed() {
    let cluster = keyed().await;
    add(&cluster, account("prod", "hunter2-hunter2")).await;
    let state = cluster.newest().unwrap();
    let record = &state.accounts[&"prod".parse().unwrap()];
    let skep_core::state::CredentialSource::Stored { sealed } = &record.settings.credentials else {
        panic!("{record:?}")
    };
    assert!(!sealed["token"].windows(7).any(|window| window == b"hunter2"));
    let sealer = cluster.sealer().unwrap();
    assert_eq!(
        sealer.open("credential/prod/token", &sealed["token"]).unwrap().as_slice(),
        b"hunter2-hunter2"
    );
    assert!(
        sealer.open("credential/other/token", &sealed["token"]).is_err(),
        "it was moved to another account"
    );
    let operator = cluster.operator().unwrap();
    let list = operator.ask(async |c| c.drivers.clone().list_accounts(pb::ListAccountsRequest {}).await);
    let told = format!("{:?}", list.await.unwrap());
    assert!(told.contains("token") && !told.contains("hunter2"), "{told}");
}
