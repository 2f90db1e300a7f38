//! Accounts to test with: a folder stands for a cloud, whose machines are files that say Running or Stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use skep_driver::{
    Access, Bootstrap, CreateIntent, Driver, DriverError, ErrorKind, Instance, Kind, Placed, Slot, Target,
    Tunnel,
};
use skep_driver_machine::{Door, MachineKind, Newcomer, Settings, UserRange, WayIn};
use skep_types::{HostId, IntentId, Secret, Template};
use tempfile::TempDir;

pub(crate) const CLUSTER: &str = "c1";
const PLUGIN: &str = "docker-machine-driver-testhost";

/// One that is there, and goes to no machine: nobody is behind the doors of a test.
const AGENT: &str = "00";

pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) door: Arc<OpenDoor>,
}

/// Lets the agent in at once, if it has the plugin's key.
#[derive(Debug, Default)]
pub(crate) struct OpenDoor {
    pub(crate) shut: AtomicBool,
    /// No agent is here to be brought.
    pub(crate) bare: AtomicBool,
    /// Nobody answers.
    pub(crate) silent: AtomicBool,
    pub(crate) knocks: AtomicUsize,
}

/// Of what was cut off: no plugin of a test goes on after its driver.
pub(crate) const LINGER: Duration = Duration::from_millis(200);

#[async_trait]
impl WayIn for OpenDoor {
    async fn ready(&self, _: &Bootstrap) -> Result<(), DriverError> {
        match self.bare.load(Ordering::Relaxed) {
            true => Err(DriverError::new(ErrorKind::Unavailable, "no agent is here")),
            false => Ok(()),
        }
    }

    async fn bring(&self, door: &Door, _newcomer: &Newcomer<'_>) -> Result<Option<String>, DriverError> {
        assert!(door.key.reveal().contains("PRIVATE KEY"));
        assert_eq!((door.host.as_str(), door.port, door.user.as_str()), ("192.0.2.1", 22, "root"));
        self.knocks.fetch_add(1, Ordering::Relaxed);
        if self.silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.shut.load(Ordering::Relaxed) {
            return Err(DriverError::new(ErrorKind::Internal, "the door is shut"));
        }
        Ok(Some("ssh-ed25519 AAAA".to_owned()))
    }

    async fn tunnel(&self, _: &Door, _: &str, _: u16) -> Result<Tunnel, DriverError> {
        Err(DriverError::new(ErrorKind::Unavailable, "nobody is behind this door"))
    }
}

pub(crate) fn path() -> OsString {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/plugin");
    let plugins = crate::testhost::folder(source, env!("CARGO_TARGET_TMPDIR"));
    std::env::join_paths([plugins, PathBuf::from("/usr/bin"), PathBuf::from("/bin")]).unwrap()
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        // Plugins of other users reach the cloud, and nothing else.
        let open = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        open(folder.path(), 0o711);
        std::fs::create_dir(folder.path().join("cloud")).unwrap();
        open(&folder.path().join("cloud"), 0o777);
        std::fs::create_dir(folder.path().join("agents")).unwrap();
        std::fs::copy("/bin/true", folder.path().join("agents").join(AGENT)).unwrap();
        Self { folder, door: Arc::default() }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// One coordinator's driver; each has a folder of its own.
    pub(crate) async fn driver(&self, coordinator: &str) -> Arc<dyn Driver> {
        self.driver_with(coordinator, |_| {}).await
    }

    pub(crate) async fn driver_with(
        &self,
        coordinator: &str,
        change: impl FnOnce(&mut Settings),
    ) -> Arc<dyn Driver> {
        self.kind(change).await.open(self.access(coordinator)).await.unwrap()
    }

    pub(crate) async fn kind(&self, change: impl FnOnce(&mut Settings)) -> MachineKind {
        let mut settings = Settings { linger: LINGER, ..Settings::new(path(), None) };
        change(&mut settings);
        let kind = MachineKind::discover("testhost", settings).await.unwrap();
        kind.with_way_in(Arc::<OpenDoor>::clone(&self.door))
    }

    pub(crate) fn access(&self, coordinator: &str) -> Access {
        Access {
            state_dir: self.path(coordinator),
            agents_dir: self.path("agents"),
            credentials: BTreeMap::from([("testhost-secret".to_owned(), Secret::new("hunter2"))]),
            ..Access::plain("a".parse().unwrap())
        }
    }

    pub(crate) fn template(&self, options: &[(&str, &str)]) -> Template {
        let cloud = ("testhost-cloud".to_owned(), self.path("cloud").display().to_string());
        let given = options.iter().map(|(name, value)| (format!("testhost-{name}"), (*value).to_owned()));
        Template {
            driver: "machine/testhost".parse().unwrap(),
            account: "a".parse().unwrap(),
            options: given.chain([cloud]).collect(),
            labels: BTreeMap::new(),
        }
    }

    pub(crate) fn intent(&self, options: &[(&str, &str)]) -> CreateIntent {
        let bootstrap = Bootstrap {
            agent_urls: Vec::new(),
            agent_sha256: AGENT.to_owned(),
            agent_config: Secret::new(""),
        };
        CreateIntent {
            cluster: CLUSTER.to_owned(),
            intent: IntentId::new(1, 7),
            token: "t".to_owned(),
            template: self.template(options),
            slots: vec![Slot { name: "web".to_owned(), host: HostId::new(1, 1), incarnation: 1, bootstrap }],
            lost: false,
            inherited: None,
        }
    }

    /// What the cloud has, and in which state.
    pub(crate) fn cloud(&self) -> BTreeMap<String, String> {
        let entries = std::fs::read_dir(self.path("cloud")).unwrap().map(Result::unwrap);
        let machine = |entry: std::fs::DirEntry| {
            (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap())
        };
        entries.map(machine).collect()
    }

    pub(crate) fn states(&self) -> Vec<String> {
        self.cloud().into_values().collect()
    }
}

/// The same call, by a coordinator that never heard an answer to it.
pub(crate) fn lost(intent: &CreateIntent) -> CreateIntent {
    CreateIntent { lost: true, ..intent.clone() }
}

/// The one who asked is gone when `reached`, and so is what it had begun.
pub(crate) async fn cut_off(
    bench: &Bench,
    coordinator: &str,
    intent: &CreateIntent,
    reached: impl AsyncFn() -> Option<()>,
) {
    let driver = bench.driver(coordinator).await;
    let call = intent.clone();
    let asking = tokio::spawn(async move { driver.ensure(&call).await });
    until("the moment", reached).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
}

/// The machine is there, and its agent on the way.
pub(crate) async fn cut_off_at_the_door(bench: &Bench, coordinator: &str, intent: &CreateIntent) {
    bench.door.silent.store(true, Ordering::Relaxed);
    let knocked = async || (bench.door.knocks.load(Ordering::Relaxed) == 1).then_some(());
    cut_off(bench, coordinator, intent, knocked).await;
    bench.door.silent.store(false, Ordering::Relaxed);
}

/// Of the plugins that run.
pub(crate) fn folders(work: &Path) -> Vec<PathBuf> {
    let shops = std::fs::read_dir(work).unwrap().flatten().map(|entry| entry.path());
    let shops = shops.filter(|path| path.extension().is_some_and(|extension| extension == "d"));
    shops.flat_map(std::fs::read_dir).flatten().flatten().map(|entry| entry.path()).collect()
}

/// Where users other than ours can run it.
pub(crate) fn programs(bench: &Bench) -> OsString {
    let built = std::env::split_paths(&path()).next().unwrap().join(PLUGIN);
    std::fs::copy(built, bench.path(PLUGIN)).unwrap();
    std::env::join_paths([bench.folder.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap()
}

pub(crate) fn another(intent: &CreateIntent, number: u64) -> CreateIntent {
    CreateIntent { intent: IntentId::new(1, number), ..intent.clone() }
}

/// As a coordinator asks: until there is an outcome.
pub(crate) async fn settled(driver: &dyn Driver, intent: &CreateIntent) -> Placed {
    let intent = lost(intent);
    until("an outcome", async || match driver.ensure(&intent).await {
        Ok(placed) => Some(placed),
        Err(error) if matches!(error.kind, ErrorKind::Ambiguous | ErrorKind::Unavailable) => None,
        Err(error) => panic!("{error:?}"),
    })
    .await
}

pub(crate) async fn listed(driver: &dyn Driver) -> Vec<Instance> {
    driver.list(CLUSTER, None).await.unwrap().instances
}

pub(crate) async fn observed(driver: &dyn Driver, target: &Target) -> Result<Instance, DriverError> {
    driver.observe(CLUSTER, std::slice::from_ref(target)).await.unwrap().remove(0)
}

pub(crate) async fn destroyed(driver: &dyn Driver, target: &Target) -> Result<(), DriverError> {
    driver.destroy(CLUSTER, std::slice::from_ref(target)).await.unwrap().remove(0)
}

/// For plugins with users of their own, which only root can give them.
pub(crate) fn users() -> UserRange {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test gives plugins users of their own: run it as root"
    );
    "61000-61009".parse().unwrap()
}

pub(crate) async fn until<T>(what: &str, condition: impl AsyncFn() -> Option<T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Some(found) = condition().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{what} did not come in 30 s"))
}

pub(crate) fn fields(error: &DriverError) -> BTreeSet<&str> {
    match &error.kind {
        ErrorKind::InvalidSpec { violations } => violations.iter().map(|v| v.field.as_str()).collect(),
        kind => panic!("{kind:?}: {error}"),
    }
}
