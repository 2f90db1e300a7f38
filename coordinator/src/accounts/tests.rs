//! What is opened when, and what outlives it.

use std::os::unix::fs::PermissionsExt;
use std::sync::RwLock;

use async_trait::async_trait;
use skep_core::state::{AccountSettings, CredentialSource, Owner};
use skep_driver::{Access, CreateIntent, Instance, Kind, Page, Placed, Target};
use skep_types::{
    Batch, Bucket, CallClass, CoordinatorId, CredentialDescription, DriverDescription, Idempotency,
    PowerAction, PowerActions, Revision, SlotNaming, Template, WayIn,
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
        console: false,
    }
}

/// Remembers what it was opened with.
#[derive(Debug)]
struct FakeKind {
    description: DriverDescription,
    opened: Mutex<Vec<Access>>,
}

#[async_trait]
impl Kind for FakeKind {
    fn describe(&self) -> &DriverDescription {
        &self.description
    }

    async fn open(&self, access: Access) -> Result<Arc<dyn Driver>, DriverError> {
        if access.credentials["key"].reveal() == "wrong" {
            return Err(DriverError::new(ErrorKind::Auth, "the key was refused"));
        }
        self.opened.lock().unwrap().push(access);
        Ok(Arc::new(FakeDriver(self.description.clone())))
    }
}

#[derive(Debug)]
struct FakeDriver(DriverDescription);

#[async_trait]
impl Driver for FakeDriver {
    fn describe(&self) -> &DriverDescription {
        &self.0
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
        let kind = Arc::new(FakeKind { description: description(), opened: Mutex::default() });
        let record: Arc<RwLock<Option<Account>>> = Arc::default();
        let known = Arc::clone(&record);
        let means = Means {
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
        let accounts = Accounts::new(Drivers::new([Arc::clone(&kind) as Arc<dyn Kind>]), means);
        let lease = Lease::new(Arc::new(BootClock), Duration::from_secs(3600));
        lease.renew(lease.now());
        let lab = Self { folder, sealer, kind, record, accounts, lease };
        let settings = AccountSettings { credentials: lab.stored("one"), ..AccountSettings::default() };
        let owner = Owner { coordinator: CoordinatorId(1), process: 1, epoch: 1 };
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
        let before = Instant::now();
        for _ in 0..count {
            self.accounts.acting(&prod(), &self.lease).unwrap().list("c", None).await.unwrap();
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

#[tokio::test(start_paused = true)]
async fn a_rotation_neither_fills_nor_empties_a_bucket() {
    let lab = Lab::new();
    assert_eq!(lab.lists(3).await, Duration::ZERO, "it begins full");
    lab.rotate("two");
    assert_eq!(lab.lists(2).await, Duration::ZERO, "what was left of five");
    lab.rotate("three");
    assert_eq!(lab.lists(1).await, Duration::from_secs(1));
    assert_eq!(lab.keys(), ["one", "two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn another_epoch_and_other_limits_begin_with_empty_buckets() {
    let lab = Lab::new();
    lab.lists(1).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    lab.change(|account| account.owners[0].as_mut().unwrap().epoch = 3);
    assert_eq!(lab.lists(1).await, Duration::from_secs(1));
    tokio::time::sleep(Duration::from_secs(60)).await;
    lab.change(|account| {
        let bucket = Bucket { per_minute: 6, burst: 5 };
        account.settings.limits.buckets.calls.insert(CallClass::Read, bucket);
    });
    assert_eq!(lab.lists(1).await, Duration::from_secs(10));
}

/// A program that prints another key each time, which is good for long enough not to be asked for again.
#[tokio::test]
async fn credentials_of_a_command_are_read_again_before_they_expire() {
    let lab = Lab::new();
    let script = |life: &str| {
        format!(
            "#!/bin/sh\necho x >> $0.runs\necho \"{{\\\"credentials\\\": {{\\\"key\\\": \\\"k$(wc -l < $0.runs)\\\"}}, \\\"expires_at\\\": \\\"{life}\\\"}}\"\n"
        )
    };
    let path = lab.folder.path().join("sign-in");
    std::fs::write(&path, script("2999-01-01T00:00:00Z")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let command = CredentialSource::Command { name: "sign-in".to_owned(), arguments: Vec::new() };
    lab.change(|account| account.settings.credentials = command);
    lab.accounts.ready(&prod()).await.unwrap();
    lab.accounts.ready(&prod()).await.unwrap();
    assert_eq!(lab.keys(), ["k1"]);
    std::fs::write(&path, script("1999-01-01T00:00:00Z")).unwrap();
    lab.change(|account| drop(account.settings.options.insert("x".to_owned(), "y".to_owned())));
    let error = lab.accounts.ready(&prod()).await.unwrap_err();
    assert!(error.message.contains("expired"), "{error}");
}
