//! Plugins to test with.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use skep_machine_protocol::{FlagValue, Launch, Limits, Mask, Plugin, PluginError};
use tempfile::TempDir;

/// A store for one machine, and a folder whose files stand for a cloud's machines.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
}

/// Short enough for a test to wait for.
pub(crate) const SHORT: Duration = Duration::from_millis(1500);

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir_all(folder.path().join("store/machines/m1")).unwrap();
        std::fs::create_dir(folder.path().join("cloud")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn launch(&self, program: PathBuf) -> Launch {
        let path = OsString::from("/usr/sbin:/usr/bin:/sbin:/bin");
        Launch {
            program,
            driver: "testhost".to_owned(),
            machine: "m1".to_owned(),
            environment: BTreeMap::from([("PATH".into(), path)]),
            folder: self.folder.path().to_owned(),
            user: None,
            mask: Mask::default(),
            limits: Limits::default(),
        }
    }

    pub(crate) fn testhost(&self) -> Launch {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/plugin");
        let folder = crate::testhost::folder(source, env!("CARGO_TARGET_TMPDIR"));
        self.launch(folder.join("docker-machine-driver-testhost"))
    }

    pub(crate) fn script(&self, text: &str) -> Launch {
        let program = self.path("script");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        self.launch(program)
    }

    /// A plugin that is told of its machine, with every flag at its default but for these.
    pub(crate) async fn configured(&self, launch: Launch, given: &[(&str, FlagValue)]) -> Plugin {
        let plugin = Plugin::start(launch).await.unwrap();
        let config = format!(r#"{{"MachineName":"m1","StorePath":"{}"}}"#, self.path("store").display());
        plugin.set_config(config.as_bytes()).await.unwrap();
        plugin.set_flags(&self.values(&plugin, given).await).await.unwrap();
        plugin
    }

    pub(crate) async fn values(
        &self,
        plugin: &Plugin,
        given: &[(&str, FlagValue)],
    ) -> BTreeMap<String, FlagValue> {
        let flags = plugin.create_flags().await.unwrap();
        let defaults = flags.into_iter().map(|flag| (flag.name, flag.default));
        let mut values: BTreeMap<String, FlagValue> = defaults.collect();
        values.insert("swarm-master".to_owned(), FlagValue::Bool(false));
        values.insert("swarm-host".to_owned(), FlagValue::Text(String::new()));
        values.insert("testhost-cloud".to_owned(), text(&self.path("cloud").display().to_string()));
        values.extend(given.iter().map(|(name, value)| (format!("testhost-{name}"), value.clone())));
        values
    }

    /// What the cloud has of the machine.
    pub(crate) fn machine(&self) -> Option<String> {
        std::fs::read_to_string(self.path("cloud/m1")).ok()
    }
}

pub(crate) fn text(text: &str) -> FlagValue {
    FlagValue::Text(text.to_owned())
}

pub(crate) fn list(items: &[&str]) -> FlagValue {
    FlagValue::List(items.iter().map(|item| (*item).to_owned()).collect())
}

pub(crate) fn refusal<T: std::fmt::Debug>(outcome: Result<T, PluginError>) -> String {
    match outcome {
        Err(PluginError::Refused(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// Whether a process of this number is there, and no zombie.
pub(crate) fn lives(pid: &str) -> bool {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.trim()).join("status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what} did not come in 20 s");
}
