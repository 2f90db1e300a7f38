//! What a coordinator has: a key, agents, a state folder; and drivers opened with them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use skep_driver::{Access, Bootstrap, CreateIntent, Driver, DriverError, ErrorKind, Kind, Slot};
use skep_driver_generic::GenericKind;
use skep_types::{HostId, IntentId, Secret, Template};
use tempfile::TempDir;

use crate::container::{Container, keygen};

pub(crate) struct Coordinator {
    folder: TempDir,
    pub(crate) key: PathBuf,
}

impl Coordinator {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
        fs::create_dir(folder.path().join("agents")).unwrap();
        fs::write(folder.path().join("agents").join(digest_of_program()), program()).unwrap();
        Self { folder, key }
    }

    /// Machines of this coordinator, booted at once.
    pub(crate) fn boot(&self, count: usize) -> Vec<Container> {
        self.all(count, Container::boot)
    }

    /// The same, of machines that boot again when they are rebooted.
    pub(crate) fn boot_again(&self, count: usize) -> Vec<Container> {
        self.all(count, Container::boot_again)
    }

    fn all(&self, count: usize, boot: fn() -> Container) -> Vec<Container> {
        let one = || {
            let container = boot();
            container.let_in("root", &self.key);
            container
        };
        std::thread::scope(|scope| {
            let booting: Vec<_> = (0..count).map(|_| scope.spawn(one)).collect();
            booting.into_iter().map(|machine| machine.join().unwrap()).collect()
        })
    }

    pub(crate) async fn driver(&self, credentials: &[(&str, &str)]) -> Arc<dyn Driver> {
        self.open(credentials, &[]).await
    }

    pub(crate) async fn open(
        &self,
        credentials: &[(&str, &str)],
        options: &[(&str, &str)],
    ) -> Arc<dyn Driver> {
        self.try_open(credentials, options).await.unwrap()
    }

    /// With the coordinator's own key, unless another is given.
    pub(crate) async fn try_open(
        &self,
        credentials: &[(&str, &str)],
        options: &[(&str, &str)],
    ) -> Result<Arc<dyn Driver>, DriverError> {
        let key = fs::read_to_string(&self.key).unwrap();
        let given = [("ssh-key", key.as_str())].into_iter().chain(credentials.iter().copied());
        let access = Access {
            options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            credentials: given.map(|(name, value)| (name.to_owned(), Secret::new(value))).collect(),
            state_dir: self.folder.path().join("state"),
            agents_dir: self.folder.path().join("agents"),
            ..Access::plain("office".parse().unwrap())
        };
        GenericKind::new().unwrap().open(access).await
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn forget_state(&self) {
        fs::remove_dir_all(self.folder.path().join("state")).unwrap();
    }
}

/// To systemd as good an agent as any: it becomes the program `run` or `proxy` that stands on the machine.
fn program() -> Vec<u8> {
    fs::read("/usr/bin/env").unwrap()
}

fn digest_of_program() -> String {
    digest(&SHA256, &program()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn bootstrap() -> Bootstrap {
    Bootstrap {
        agent_urls: vec!["https://192.0.2.1/agent".to_owned()],
        agent_sha256: digest_of_program(),
        agent_config: Secret::new("a = 1\n"),
    }
}

pub(crate) fn template(options: &[(&str, &str)]) -> Template {
    Template {
        driver: "generic".parse().unwrap(),
        account: "office".parse().unwrap(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        labels: BTreeMap::new(),
    }
}

/// Why the call made nothing, and is over.
pub(crate) async fn nothing(driver: &dyn Driver, intent: &CreateIntent) -> DriverError {
    match driver.ensure(intent).await {
        Ok(placed) => {
            assert!(placed.instances.is_empty(), "{placed:?}");
            placed.shortfall.unwrap()
        }
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::Auth, "other credentials may do: {error}");
            error
        }
    }
}

/// An intent of one host, `web-NUMBER`.
pub(crate) fn intent(number: u64, options: &[(&str, &str)]) -> CreateIntent {
    let slot = Slot {
        name: format!("web-{number}"),
        host: HostId::new(1, number),
        incarnation: 1,
        bootstrap: bootstrap(),
    };
    CreateIntent {
        cluster: "c1".to_owned(),
        intent: IntentId::new(1, number),
        token: format!("c1-i1-{number}"),
        template: template(options),
        slots: vec![slot],
        lost: false,
        inherited: None,
    }
}
