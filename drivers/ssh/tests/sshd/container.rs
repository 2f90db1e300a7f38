//! A machine to adopt: a container with systemd and OpenSSH, made for one test and gone with it.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use skep_ssh::{Deadlines, Hop, HostKeys, Identity, Login, Route, Rsa};
use skep_types::Secret;

const IMAGE: &str = "skep/host:debian-13";
/// Two cores boot all of a run's machines at once.
const PATIENCE: Duration = Duration::from_secs(120);

/// These machines have no engine.
const MASK: &str = "systemctl --quiet mask docker.service docker.socket containerd.service\n";
/// As deploy/lib.sh and the local driver start hosts, with their engine.
pub(crate) const BOOT: &str = r#"for m in $(awk '$5 ~ "^/sys/fs/cgroup" || $5 == "/proc/sys" {print $5}' /proc/self/mountinfo); do
mount -o remount,bind,rw "$m"
done
exec /sbin/init"#;
/// Without an init system: only the SSH server runs.
const SSHD: &str = "mkdir -p /run/sshd; ssh-keygen -qA; exec /usr/sbin/sshd -D -e";

pub(crate) struct Container {
    id: String,
    /// What holds its network while it reboots.
    holder: Option<String>,
    pub(crate) address: String,
}

impl Container {
    /// A machine that has booted, with its SSH server listening.
    pub(crate) fn boot() -> Self {
        Self::start(&format!("{MASK}{BOOT}"))
    }

    /// The same, which boots again when it is rebooted, as a machine does.
    pub(crate) fn boot_again() -> Self {
        Self::start_again(&format!("{MASK}{BOOT}"))
    }

    pub(crate) fn without_systemd() -> Self {
        Self::start(SSHD)
    }

    /// A machine whose first process is this shell text.
    pub(crate) fn start(command: &str) -> Self {
        Self::run(command, None)
    }

    /// The same, again and again, at the same address: an engine lends an address only as long as a container runs.
    pub(crate) fn start_again(command: &str) -> Self {
        let mut docker = Command::new("docker");
        docker.args(["run", "--detach", "--init", "--label", "skep-tests=ssh", IMAGE, "sleep", "infinity"]);
        Self::run(command, Some(stdout(&mut docker)))
    }

    fn run(command: &str, holder: Option<String>) -> Self {
        let mut docker = Command::new("docker");
        docker.args(["run", "--detach", "--tty", "--label", "skep-tests=ssh", "--stop-signal", "SIGRTMIN+3"]);
        if let Some(holder) = &holder {
            docker.args(["--restart", "always", "--network", &format!("container:{holder}")]);
        }
        docker.args(["--cap-add", "ALL", "--cgroupns=private", "--tmpfs", "/run", "--tmpfs", "/tmp"]);
        for missing in capabilities_missing() {
            docker.args(["--cap-drop", &missing]);
        }
        docker.args(["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]);
        docker.args(["--device-cgroup-rule", "a *:* rwm", "--volume", "/var/lib/docker"]);
        let id = stdout(docker.args([IMAGE, "/bin/sh", "-c", command]));
        let format = "{{.NetworkSettings.IPAddress}}";
        // Made before anything can fail, so that it is removed then, too.
        let mut container = Self { id, holder, address: String::new() };
        let at = container.holder.as_ref().unwrap_or(&container.id);
        container.address = stdout(Command::new("docker").args(["inspect", "--format", format, at]));
        container.sh(
            "printf '#!/bin/sh\\nexec sleep infinity\\n' >/usr/local/bin/run; chmod 755 /usr/local/bin/run; cp /usr/local/bin/run /usr/local/bin/proxy",
        );
        container.wait("until ss -Hltn 'sport = :22' | grep -q .; do sleep 0.05; done");
        container
    }

    fn wait(&self, condition: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.exec(condition).status.success() {
            assert!(Instant::now() < deadline, "{condition} does not come true");
        }
    }

    /// Runs shell text as root, inside.
    pub(crate) fn exec(&self, text: &str) -> Output {
        Command::new("docker").args(["exec", &self.id, "timeout", "60", "sh", "-c", text]).output().unwrap()
    }

    /// The same, for what has to work.
    pub(crate) fn sh(&self, text: &str) -> String {
        let output = self.exec(text);
        assert!(output.status.success(), "{text}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Puts it on another network, too, and says at which address it is there.
    pub(crate) fn connect(&self, network: &str) -> String {
        stdout(Command::new("docker").args(["network", "connect", network, &self.id]));
        let format = format!("{{{{(index .NetworkSettings.Networks {network:?}).IPAddress}}}}");
        stdout(Command::new("docker").args(["inspect", "--format", &format, &self.id]))
    }

    /// As if its power were cut.
    pub(crate) fn kill(&self) {
        stdout(Command::new("docker").args(["kill", &self.id]));
    }

    /// Lets `key` (a path without .pub) in as `user`, who is made.
    pub(crate) fn let_in(&self, user: &str, key: &Path) {
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        self.sh(&format!(
            "id {user} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash {user}
            home=$(getent passwd {user} | cut -d: -f6)
            install -d -m 700 -o {user} $home/.ssh && echo '{public}' >>$home/.ssh/authorized_keys"
        ));
    }

    /// Adds lines to the SSH server's settings.
    pub(crate) fn configure(&self, lines: &str) {
        self.sh(&format!(
            "printf '%s\\n' '{lines}' >/etc/ssh/sshd_config.d/00-test.conf && systemctl restart ssh"
        ));
    }

    /// The server's own public key of a type, as a line.
    pub(crate) fn host_key(&self, kind: &str) -> String {
        let line = self.sh(&format!("cat /etc/ssh/ssh_host_{kind}_key.pub"));
        line.rsplit_once(' ').unwrap().0.to_owned()
    }

    pub(crate) fn hop(&self, user: &str, identities: Vec<Identity>) -> Hop {
        Hop {
            host: self.address.clone(),
            port: 22,
            login: Login { user: user.to_owned(), identities, sudo_password: None },
            keys: HostKeys::default(),
            rsa: Rsa::Refused("let it in"),
        }
    }

    pub(crate) fn route(&self, user: &str, identities: Vec<Identity>) -> Route {
        straight(self.hop(user, identities))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // tests/run.sh removes what is left.
        let mut docker = Command::new("docker");
        docker.args(["rm", "--force", "--volumes", &self.id]).args(&self.holder);
        let _removed = docker.output();
    }
}

pub(crate) fn straight(target: Hop) -> Route {
    Route { jumps: Vec::new(), target, deadlines: Deadlines::default() }
}

/// Makes a key with ssh-keygen, in a folder of the test.
pub(crate) fn keygen(folder: &Path, name: &str, arguments: &[&str]) -> std::path::PathBuf {
    let path = folder.join(name);
    stdout(Command::new("ssh-keygen").args(["-q", "-N", "", "-C", name, "-f"]).arg(&path).args(arguments));
    path
}

pub(crate) fn identity(path: &Path) -> Identity {
    let pem = Secret::new(std::fs::read_to_string(path).unwrap());
    Identity::key(path.file_name().unwrap().to_str().unwrap(), &pem, None).unwrap()
}

pub(crate) fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What this machine lacks itself cannot be given.
fn capabilities_missing() -> Vec<String> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:")).unwrap();
    let bounding = u64::from_str_radix(bounding.trim(), 16).unwrap();
    // By number, those that a container host is ever short of.
    let known =
        [(21, "SYS_ADMIN"), (24, "SYS_RESOURCE"), (38, "PERFMON"), (39, "BPF"), (40, "CHECKPOINT_RESTORE")];
    let missing = known.iter().filter(|(bit, _)| bounding & (1 << bit) == 0);
    missing.map(|(_, name)| (*name).to_owned()).collect()
}
