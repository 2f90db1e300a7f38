//! What is opened when, and what outlives it.

mod bounds;
mod opening;
mod renewal;
mod upkeep;

use std::os::unix::fs::PermissionsExt;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use async_trait::async_trait;
use skep_core::state::{AccountSettings, CredentialSource, Owner};
use skep_driver::{Access, CreateIntent, Instance, Kind, Page, Placed, Target};
use skep_tls::WallTime;
use skep_types::{
    Batch, Bucket, CallClass, CredentialDescription, DriverDescription, Idempotency, Limits, PowerAction,
    PowerActions, Revision, SlotNaming, Template, WayIn,
};
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::clock::BootClock;
use crate::trust::ClusterKey;

fn description() -> DriverDescription {
    let credential = |name: &str, required| CredentialDescription {
        name: name.to_owned(),
        usage: String::new(),
        env: String::new(),
        required,
    };
    DriverDescription {
        name: "fake".parse().unwrap(),
        flags: Vec::new(),
        account_flags: Vec::new(),
        credentials: vec![credential("key", true)],
        way_in: WayIn::UserData,
        idempotency: Idempotency::UniqueName,
        batch: Batch { max: 1, naming: SlotNaming::Named },
        calls_in_flight_max: 4,
        limits: Limits {
            calls: BTreeMap::from([(CallClass::Read, Bucket { per_minute: 60, burst: 5 })]),
            ..Limits::default()
        },
        settle: Duration::ZERO,
        power: PowerActions::All,
        adopts: false,
        attests: false,
        tunnels: false,
        addresses_change: false,
        console: false,
    }
}

/// Both clocks, moved by tests: seconds since a wall time.
#[derive(Debug, Default)]
struct MovedClock(AtomicU64);

const BEGIN: u64 = 1_800_000_000;

impl Clock for MovedClock {
    fn boottime(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> WallTime {
        WallTime(BEGIN + self.0.load(Ordering::Relaxed))
    }
}

/// Remembers what it was opened with.
#[derive(Debug)]
struct FakeKind {
    description: DriverDescription,
    opened: Mutex<Vec<Access>>,
    /// Opened or not.
    tries: AtomicU32,
    /// Before it answers.
    takes: Mutex<Duration>,
    /// Keys that calls are refused with.
    revoked: Arc<Mutex<Vec<String>>>,
}

impl FakeKind {
    fn new() -> Arc<Self> {
        Arc::new(Self::of(description()))
    }

    fn of(description: DriverDescription) -> Self {
        Self {
            description,
            opened: Mutex::default(),
            tries: AtomicU32::new(0),
            takes: Mutex::default(),
            revoked: Arc::default(),
        }
    }
}

#[async_trait]
impl Kind for FakeKind {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        let takes = *self.takes.lock().unwrap();
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        if access.credentials["key"].reveal() == "wrong" {
            return Err(DriverError::new(ErrorKind::Auth, "the key was refused"));
        }
        let (description, revoked) = (self.description.clone(), Arc::clone(&self.revoked));
        let key = access.credentials["key"].reveal().to_owned();
        self.opened.lock().unwrap().push(access);
        Ok(Arc::new(FakeDriver { description, key, revoked }))
    }
}

#[derive(Debug)]
struct FakeDriver {
    description: DriverDescription,
    key: String,
    revoked: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Driver for FakeDriver {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn check(&self, _: &Template) -> Result<(), DriverError> {
        Ok(())
    }

    async fn ensure(&self, _: &CreateIntent) -> Result<Placed, DriverError> {
        Ok(Placed::default())
    }

    async fn list(&self, _: &str, _: Option<&str>) -> Result<Page, DriverError> {
        Ok(Page::default())
    }

    async fn observe(
        &self,
        _: &str,
        _: &[Target],
    ) -> Result<Vec<Result<Instance, DriverError>>, DriverError> {
        Ok(Vec::new())
    }

    async fn power(
        &self,
        _: &str,
        _: PowerAction,
        _: &[Target],
    ) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        Ok(Vec::new())
    }

    async fn destroy(&self, _: &str, _: &[Target]) -> Result<Vec<Result<(), DriverError>>, DriverError> {
        if self.revoked.lock().unwrap().contains(&self.key) {
            return Err(DriverError::new(ErrorKind::Auth, format!("{} was revoked", self.key)));
        }
        Ok(Vec::new())
    }

    async fn console(&self, _: &str, _: &Target) -> Result<String, DriverError> {
        Ok(String::new())
    }
}

struct Lab {
    folder: TempDir,
    sealer: Sealer,
    kind: Arc<FakeKind>,
    record: Arc<RwLock<Option<Account>>>,
    clock: Arc<MovedClock>,
    drivers: Drivers,
    means: Means,
    accounts: Accounts,
    lease: Lease,
}

fn prod() -> AccountName {
    "prod".parse().unwrap()
}

impl Lab {
    /// With an account of the key "one", owned under epoch 1.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sealer = ClusterKey::generate().unwrap().sealer(&"c".parse().unwrap()).unwrap();
        let (kind, clock) = (FakeKind::new(), Arc::<MovedClock>::default());
        let record: Arc<RwLock<Option<Account>>> = Arc::default();
        let known = Arc::clone(&record);
        let means = Means {
            id: CoordinatorId(1),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            records: Arc::new(move |name| {
                let known = known.read().unwrap().clone();
                known.filter(|account| account.name == *name).map(Arc::new)
            }),
            now: Arc::new(|| (State::default(), ClusterTime::default())),
            sealer: sealer.clone(),
            places: Places {
                state: folder.path().join("drivers"),
                agents: folder.path().join("agents"),
                commands: Some(folder.path().to_owned()),
            },
            limit: Duration::from_secs(120),
        };
        let drivers = Drivers::new([Arc::clone(&kind) as Arc<dyn Kind>]);
        let accounts = Accounts::new(drivers.clone(), means.clone());
        let lease = Lease::new(Arc::new(BootClock), Duration::from_secs(3600));
        lease.renew(lease.now());
        let lab = Self { folder, sealer, kind, record, clock, drivers, means, accounts, lease };
        let settings = AccountSettings { credentials: lab.stored("one"), ..AccountSettings::default() };
        let owner = Owner { coordinator: CoordinatorId(1), process: 1, epoch: 1, inherits: None, idle: None };
        *lab.record.write().unwrap() = Some(Account {
            name: prod(),
            revision: Revision::new(1, 1),
            driver: description(),
            settings,
            owners: vec![Some(owner)],
        });
        lab
    }

    fn stored(&self, key: &str) -> CredentialSource {
        let given = BTreeMap::from([("key".to_owned(), key.to_owned())]);
        CredentialSource::Stored { sealed: seal(&self.sealer, &prod(), &given).unwrap() }
    }

    fn change(&self, change: impl FnOnce(&mut Account)) {
        let mut account = self.record.write().unwrap();
        let account = account.as_mut().unwrap();
        account.revision.counter += 1;
        change(account);
    }

    fn rotate(&self, key: &str) {
        let credentials = self.stored(key);
        self.change(|account| account.settings.credentials = credentials);
    }

    fn keys(&self) -> Vec<String> {
        let opened = self.kind.opened.lock().unwrap();
        opened.iter().map(|access| access.credentials["key"].reveal().to_owned()).collect()
    }

    /// Lists as the owner, so often; how long that took.
    async fn lists(&self, count: usize) -> Duration {
        self.lists_of(&self.accounts, count).await
    }

    async fn lists_of(&self, accounts: &Accounts, count: usize) -> Duration {
        let before = Instant::now();
        for _ in 0..count {
            accounts.acting(&prod(), &self.lease).unwrap().list("c", None).await.unwrap();
        }
        before.elapsed()
    }
}

#[tokio::test]
async fn an_account_is_opened_once_and_again_when_its_credentials_change() {
    let lab = Lab::new();
    lab.accounts.ready(&prod()).await.unwrap();
    lab.accounts.looking(&prod()).unwrap().list("c", None).await.unwrap();
    assert_eq!(lab.keys(), ["one"]);
    // Owners and limits are no reason.
    lab.change(|account| account.settings.limits.calls_in_flight = Some(1));
    lab.accounts.ready(&prod()).await.unwrap();
    assert_eq!(lab.keys(), ["one"]);
    lab.rotate("two");
    lab.accounts.looking(&prod()).unwrap().list("c", None).await.unwrap();
    assert_eq!(lab.keys(), ["one", "two"]);
}

#[tokio::test]
async fn a_driver_gets_a_private_folder_of_its_account() {
    let lab = Lab::new();
    lab.accounts.ready(&prod()).await.unwrap();
    let access = lab.kind.opened.lock().unwrap()[0].clone();
    assert_eq!(access.state_dir, lab.folder.path().join("drivers/prod"));
    assert_eq!(access.agents_dir, lab.folder.path().join("agents"));
    assert_eq!(std::fs::metadata(&access.state_dir).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_as_it_is_and_called_as_unavailable() {
    let lab = Lab::new();
    lab.rotate("wrong");
    let told = lab.accounts.ready(&prod()).await.unwrap_err();
    assert_eq!((told.kind, told.message.as_str()), (ErrorKind::Auth, "the key was refused"));
    let called = lab.accounts.acting(&prod(), &lab.lease).unwrap().destroy("c", &[]).await.unwrap_err();
    assert_eq!(called.kind, ErrorKind::Unavailable, "nothing was sent");
    lab.rotate("right");
    lab.accounts.ready(&prod()).await.unwrap();
    *lab.record.write().unwrap() = None;
    let gone = lab.accounts.ready(&prod()).await.unwrap_err();
    assert_eq!(gone.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_lease_that_ran_out_while_a_call_waited_stops_it() {
    let lab = Lab::new();
    let lease = Lease::new(Arc::new(BootClock), Duration::from_secs(3600));
    let driver = lab.accounts.acting(&prod(), &lease).unwrap();
    let error = driver.destroy("c", &[]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("lost touch"), "{error}");
    lease.renew(lease.now());
    driver.destroy("c", &[]).await.unwrap();
}

/// For tokens that come in within so many seconds, with the moment that the first one is given.
fn waited(seconds: u64) -> Duration {
    Duration::from_secs(seconds) + Duration::from_millis(50)
}

#[tokio::test(start_paused = true)]
async fn a_rotation_neither_fills_nor_empties_a_bucket() {
    let lab = Lab::new();
    assert_eq!(lab.lists(3).await, Duration::ZERO, "it begins full");
    lab.rotate("two");
    assert_eq!(lab.lists(2).await, Duration::ZERO, "what was left of five");
    lab.rotate("three");
    assert_eq!(lab.lists(1).await, waited(1));
    assert_eq!(lab.keys(), ["one", "two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn another_epoch_and_other_limits_begin_with_empty_buckets() {
    let lab = Lab::new();
    lab.lists(1).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    lab.change(|account| account.owners[0].as_mut().unwrap().epoch = 3);
    assert_eq!(lab.lists(1).await, waited(1));
    tokio::time::sleep(Duration::from_secs(60)).await;
    lab.change(|account| {
        let bucket = Bucket { per_minute: 6, burst: 5 };
        account.settings.limits.buckets.calls.insert(CallClass::Read, bucket);
    });
    assert_eq!(lab.lists(1).await, waited(10));
}

/// Two owners of one account ask its endpoint for no more than one would: five at once, sixty in a minute.
#[tokio::test(start_paused = true)]
async fn limits_hold_for_an_account_as_a_whole_however_many_own_it() {
    let lab = Lab::new();
    let owner =
        |id| Some(Owner { coordinator: CoordinatorId(id), process: 1, epoch: 1, inherits: None, idle: None });
    lab.change(|account| account.owners = vec![owner(1), owner(2)]);
    let other = Accounts::new(lab.drivers.clone(), Means { id: CoordinatorId(2), ..lab.means.clone() });
    assert_eq!((lab.lists(3).await, lab.lists_of(&other, 2).await), (Duration::ZERO, Duration::ZERO));
    let both = tokio::join!(lab.lists(5), lab.lists_of(&other, 5));
    assert_eq!(both, (waited(10), waited(10)));
    // The second is lost, and the first takes over what it may, but for what the other has spent.
    lab.change(|account| account.owners = vec![owner(1), owner(1)]);
    assert_eq!(lab.lists(10).await, waited(10));
    let lost = other.acting(&prod(), &lab.lease).unwrap_err();
    assert!(lost.message.contains("does not own"), "{lost}");
}

/// What was made of an account is another one's to spend, also when the program that made it is another one.
#[tokio::test(start_paused = true)]
async fn a_driver_that_was_replaced_is_used_by_the_next_call() {
    let lab = Lab::new();
    lab.lists(5).await;
    let other = FakeKind::new();
    lab.drivers.replace([Arc::clone(&other) as Arc<dyn Kind>], &[]);
    assert_eq!(lab.lists(1).await, waited(1), "its bucket is as empty as it was");
    assert_eq!((lab.keys().len(), other.opened.lock().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn a_driver_that_is_gone_serves_whoever_has_it_open() {
    let lab = Lab::new();
    lab.lists(1).await;
    lab.drivers.replace([], &[]);
    lab.lists(1).await;
    lab.rotate("two");
    lab.lists(1).await;
    assert_eq!(lab.keys(), ["one", "two"]);
    let late = Accounts::new(lab.drivers.clone(), lab.means.clone());
    let error = late.acting(&prod(), &lab.lease).unwrap_err();
    assert!(error.message.contains("does not have the driver"), "{error}");
}
