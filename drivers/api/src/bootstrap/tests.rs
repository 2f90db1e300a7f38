//! Runs the script under sh, in a root of its own, with programs that only pretend.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::*;

struct Machine {
    dir: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(machine.dir.path().join("bin")).unwrap();
        // Writes what it was asked for beside what it delivers; the output file is what follows --output.
        machine.program(
            "curl",
            r#"echo "curl $*" >>"$LOG"
while [ $# -gt 0 ]; do [ "$1" = --output ] && out=$2; [ "$1" = --url ] && url=$2; shift; done
case $url in *down*) exit 7 ;; *wrong*) echo other >"$out" ;; *) echo agent >"$out" ;; esac"#,
        );
        machine.program("systemctl", r#"echo "systemctl $*" >>"$LOG""#);
        machine.program("sleep", ":");
        machine
    }

    fn program(&self, name: &str, body: &str) {
        let path = self.dir.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("root dir")
    }

    fn run(&self, script: &str) -> Output {
        let file = self.dir.path().join("user data.sh");
        fs::write(&file, script).unwrap();
        Command::new("sh")
            .arg(&file)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.dir.path().join("bin").display()))
            .env("LOG", self.dir.path().join("log"))
            .env("SKEP_BOOTSTRAP_ROOT", self.root())
            .current_dir(self.dir.path())
            .output()
            .unwrap()
    }

    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        fs::remove_file(self.dir.path().join("log")).ok();
        log.lines().map(str::to_owned).collect()
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.root().join(path)).unwrap().permissions().mode() & 0o777
    }
}

fn sha256(text: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("text");
    fs::write(&file, text).unwrap();
    let output = Command::new("sha256sum").arg(&file).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

fn bootstrap(urls: &[&str], config: &str) -> Bootstrap {
    Bootstrap {
        agent_urls: urls.iter().map(|url| (*url).to_owned()).collect(),
        agent_sha256: sha256("agent\n"),
        agent_config: Secret::new(config),
    }
}

fn script(urls: &[&str], config: &str) -> String {
    render(&bootstrap(urls, config)).unwrap().reveal().to_owned()
}

fn assert_success(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

fn exists(path: &Path) -> bool {
    path.exists()
}

#[test]
fn a_fresh_instance_gets_agent_configuration_and_units() {
    let machine = Machine::new();
    assert_success(&machine.run(&script(&["https://c1:2400/agent"], "token = \"t\"\n")));

    assert_eq!(machine.read("usr/local/bin/skep-agent"), "agent\n");
    assert_eq!(machine.mode("usr/local/bin/skep-agent"), 0o755);
    assert_eq!(machine.read("etc/skep/agent.toml"), "token = \"t\"\n");
    assert_eq!(machine.mode("etc/skep/agent.toml"), 0o600);
    for (name, text) in units::UNITS {
        assert_eq!(machine.read(&format!("etc/systemd/system/{name}")), text);
    }
    let log = machine.log();
    assert!(log.contains(&format!("systemctl enable {}", units::ENABLED)), "{log:?}");
    assert_eq!(log.last().unwrap(), &format!("systemctl start {}", units::ENABLED));
}

#[test]
fn a_hostile_configuration_stays_data() {
    let hostile =
        "'; touch pwned; echo \"$(touch pwned)\" `touch pwned`\n#skep sha256 AAAA\nSKEP\nEOF\n\\n %s ü\n\n";
    let machine = Machine::new();
    assert_success(&machine.run(&script(&["https://c1/$(touch${IFS}pwned);`id`'\"/agent"], hostile)));

    assert_eq!(machine.read("etc/skep/agent.toml"), hostile);
    assert!(!exists(&machine.dir.path().join("pwned")));
    let log = machine.log();
    assert!(log[0].ends_with("--url https://c1/$(touch${IFS}pwned);`id`'\"/agent"), "{log:?}");
}

#[test]
fn running_again_changes_nothing_and_downloads_nothing() {
    let machine = Machine::new();
    let script = script(&["https://c1/agent"], "a = 1\n");
    assert_success(&machine.run(&script));
    machine.log();
    assert_success(&machine.run(&script));
    let log = machine.log();
    assert_eq!(log.len(), 2, "only enable and start: {log:?}");
}

#[test]
fn a_changed_configuration_restarts_the_agent() {
    let machine = Machine::new();
    assert_success(&machine.run(&script(&["https://c1/agent"], "a = 1\n")));
    machine.log();
    assert_success(&machine.run(&script(&["https://c1/agent"], "a = 2\n")));
    assert!(machine.log().contains(&"systemctl try-restart skep-agent.service".to_owned()));
    assert_eq!(machine.read("etc/skep/agent.toml"), "a = 2\n");
}

#[test]
fn the_next_address_is_tried_when_one_is_down_or_serves_something_else() {
    let machine = Machine::new();
    let urls = ["https://down/agent", "https://wrong/agent", "https://c3/agent"];
    assert_success(&machine.run(&script(&urls, "")));
    assert_eq!(machine.read("usr/local/bin/skep-agent"), "agent\n");
}

#[test]
fn an_agent_with_another_digest_is_never_installed() {
    let machine = Machine::new();
    let output = machine.run(&script(&["https://wrong/agent"], ""));
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("wanted digest"), "{output:?}");
    assert!(!exists(&machine.root().join("usr/local/bin/skep-agent")));
    assert!(!machine.log().iter().any(|line| line.starts_with("systemctl")));
}

#[test]
fn what_cannot_work_is_refused_before_it_is_sent() {
    let error = |change: fn(&mut Bootstrap)| {
        let mut bootstrap = bootstrap(&["https://c1/agent"], "");
        change(&mut bootstrap);
        render(&bootstrap).unwrap_err()
    };
    assert_eq!(error(|b| b.agent_urls.clear()), RenderError::Urls { count: 0 });
    assert_eq!(error(|b| b.agent_urls = vec!["http://c1/agent".into()]), RenderError::Url);
    assert_eq!(error(|b| b.agent_urls = vec!["https://c1/a b".into()]), RenderError::Url);
    assert_eq!(error(|b| b.agent_sha256 = "ABC".into()), RenderError::Digest);
    assert!(matches!(
        error(|b| b.agent_config = Secret::new("x".repeat(16 * 1024))),
        RenderError::TooLarge { bytes } if bytes > SCRIPT_BYTES_MAX
    ));
}

#[test]
fn the_script_is_not_shown_by_debug() {
    let rendered = render(&bootstrap(&["https://c1/agent"], "token")).unwrap();
    assert_eq!(format!("{rendered:?}"), "[redacted]");
}

#[test]
fn an_agent_that_was_laid_goes_in_place_and_nothing_is_downloaded() {
    let machine = Machine::new();
    let script = render_laid(&bootstrap(&[], "a = 1\n")).unwrap().reveal().to_owned();
    let laid = machine.root().join("usr/local/bin/skep-agent.laid");
    fs::create_dir_all(laid.parent().unwrap()).unwrap();
    fs::write(&laid, "agent\n").unwrap();
    assert_success(&machine.run(&script));
    assert_eq!(machine.read("usr/local/bin/skep-agent"), "agent\n");
    assert_eq!(machine.mode("usr/local/bin/skep-agent"), 0o755);
    assert!(!exists(&laid));
    // Again, with nothing laid.
    assert_success(&machine.run(&script));
    assert!(machine.log().iter().all(|line| line.starts_with("systemctl")));
}

#[test]
fn an_agent_that_was_laid_with_another_digest_is_thrown_away() {
    let machine = Machine::new();
    let script = render_laid(&bootstrap(&[], "")).unwrap().reveal().to_owned();
    let laid = machine.root().join("usr/local/bin/skep-agent.laid");
    fs::create_dir_all(laid.parent().unwrap()).unwrap();
    fs::write(&laid, "cut o").unwrap();
    let output = machine.run(&script);
    assert!(String::from_utf8_lossy(&output.stderr).contains("wanted digest"), "{output:?}");
    assert!(!exists(&laid) && !exists(&machine.root().join("usr/local/bin/skep-agent")));
    assert_eq!(machine.log(), Vec::<String>::new());
}

fn gathering(machine: &Machine, gather: &'static str) -> Output {
    let script = render_with_evidence(&bootstrap(&["https://c1/agent"], "a = 1\n"), gather).unwrap();
    machine.run(script.reveal())
}

#[test]
fn what_an_instance_can_prove_itself_with_is_gathered_before_its_agent_starts() {
    let machine = Machine::new();
    assert_success(&gathering(&machine, "printf 'i am %s' 'i-1'"));
    assert_eq!(machine.read("etc/skep/evidence"), "i am i-1");
    assert_eq!(machine.mode("etc/skep/evidence"), 0o600);
    assert_success(&gathering(&machine, "head -c 20000 /dev/zero"));
    assert_eq!(machine.read("etc/skep/evidence").len(), 16 * 1024);
}

#[test]
fn evidence_of_another_instance_is_not_left_where_none_is_found() {
    let machine = Machine::new();
    for without in ["exit 1", "true"] {
        assert_success(&gathering(&machine, "echo old"));
        assert_success(&gathering(&machine, without));
        assert!(!exists(&machine.root().join("etc/skep/evidence")), "{without}");
    }
    assert_success(&gathering(&machine, "echo old"));
    assert_success(&machine.run(&script(&["https://c1/agent"], "a = 1\n")));
    assert!(!exists(&machine.root().join("etc/skep/evidence")), "a driver without any");
}
