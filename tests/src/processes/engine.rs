//! This machine's Docker Engine, on which the `local` driver makes hosts.

use std::io::Write;
use std::process::Command;

use super::programs::variable;

#[derive(Debug, Clone, Copy)]
pub struct Engine(());

impl Engine {
    pub(super) fn of_this_machine() -> Self {
        let answers = Command::new("docker").arg("info").output().is_ok_and(|output| output.status.success());
        assert!(answers, "these tests need a Docker Engine: run them with `tests/run.sh e2e`");
        Self(())
    }

    /// Of this machine, on the default bridge: hosts on any network of the engine reach the machine there.
    pub(super) fn bridge_address(self) -> String {
        let format = r#"{{index .Options "com.docker.network.bridge.name"}}"#;
        let bridge = self.docker(&["network", "inspect", "bridge", "-f", format]);
        let shown = run(Command::new("ip").args(["-4", "-o", "address", "show", "dev", bridge.trim()]));
        let address = shown.split_whitespace().nth(3).expect("an address of the bridge");
        address.split('/').next().unwrap().to_owned()
    }

    /// `docker ARGS…`, which has to succeed.
    pub fn docker(self, args: &[&str]) -> String {
        run(Command::new("docker").args(args))
    }

    /// What `docker COMMAND` lists with the cluster's label.
    pub(super) fn list(self, command: &str, cluster: &str) -> Vec<String> {
        let filter = format!("label=skep-cluster={cluster}");
        let mut args: Vec<&str> = command.split(' ').collect();
        args.extend(["--filter", &filter]);
        self.docker(&args).lines().map(str::to_owned).collect()
    }

    /// The container of the host with this name.
    pub fn container(self, cluster: &str, host: &str) -> String {
        let (of_cluster, of_host) =
            (format!("label=skep-cluster={cluster}"), format!("label=skep-name={host}"));
        let ids = self.docker(&["ps", "-aq", "--no-trunc", "--filter", &of_cluster, "--filter", &of_host]);
        let ids: Vec<&str> = ids.lines().collect();
        assert_eq!(ids.len(), 1, "{host} has one container");
        ids[0].to_owned()
    }

    /// Everything of the cluster, whatever state it is in. Failures are told, for this also runs after a panic.
    pub(super) fn remove_cluster(self, cluster: &str) {
        let steps =
            [("ps -aq", "rm -f -v"), ("volume ls -q", "volume rm -f"), ("network ls -q", "network rm")];
        for (list, remove) in steps {
            let ids = self.list(list, cluster);
            if ids.is_empty() {
                continue;
            }
            let removed = Command::new("docker").args(remove.split(' ')).args(ids).output();
            if !removed.as_ref().is_ok_and(|output| output.status.success()) {
                crate::print(&format!("docker {remove} failed: {removed:?}"));
            }
        }
    }
}

/// Tells tests/run.sh which cluster to clean up after, should this test be cut off.
pub(super) fn register(cluster: &str) {
    let Some(path) = variable("SKEP_TEST_CLUSTERS") else { return };
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    writeln!(file, "{cluster}").unwrap();
}

/// Runs a command that has to succeed, and returns what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
