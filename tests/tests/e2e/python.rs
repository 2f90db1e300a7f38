//! The example driver in Python on a simulated cloud: every rule of the contract, and which error stands for what happened.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use skep_driver::plugin::Attached;
use skep_driver::{Access, Bootstrap, CreateIntent, Driver, DriverError, ErrorKind, Kind, Slot, Target};
use skep_tests::processes::{Cli, Cloud, Programs, python_driver};
use skep_types::{HostId, IntentId, PowerAction, Secret, Template};
use tempfile::TempDir;

const KEY: &str = "open sesame";

/// Slow enough that calls overlap, late to be seen, paged, and strict.
const WORLD: &str = "
page_size = 2
[behaviour]
latency_ms = 40
boot_ms = 20
power_ms = 20
visibility_ms = 30
calls_per_second = 50
";

#[test]
fn a_driver_in_python_keeps_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let skep = Cli::new(Programs::from_environment().skep, folder.path().join("none.toml"));
    let program = python_driver();
    let cloud = Cloud::start(WORLD, KEY);
    let endpoint = format!("simcloud-endpoint={}", cloud.endpoint());
    let key = format!("simcloud-key={KEY}");
    let test =
        ["driver", "test", program.to_str().unwrap(), "--option", endpoint.as_str(), "--credential", &key];
    // A room for two, when three are asked for.
    let answer = skep.ask(&[&test[..], &["--short-template-option", "simcloud-capacity=2"]].concat());
    assert_eq!(answer.code, 0, "{}{}", answer.stdout, answer.stderr);
    let kept = answer.stdout.lines().filter(|line| line.starts_with("kept ")).count();
    // Two of the program, and all of its driver.
    assert_eq!(kept, 2 + 17, "{}", answer.stdout);

    let answer = skep.ask(&test);
    assert_eq!(answer.code, 0, "{}{}", answer.stdout, answer.stderr);
    let why = "not tried  rule 8 (ShortfallIsFinal): neither --short-option nor";
    assert!(answer.stdout.contains(why), "{}", answer.stdout);

    let refused = skep.ask(&["driver", "test", program.to_str().unwrap()]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("simcloud-endpoint"), "{}", refused.stderr);
}

/// The program, held by its input.
struct Program {
    process: Child,
    folder: TempDir,
}

impl Program {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(python_driver());
        command.arg("--socket").arg(folder.path().join("driver.sock"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let program = Self { process, folder };
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert!(line.starts_with("serving unix:"), "{line:?}");
        program
    }

    async fn open(&self, endpoint: &str, key: &str) -> Result<Arc<dyn Driver>, DriverError> {
        let kind = Attached::connect(&self.folder.path().join("driver.sock")).await?;
        let access = Access {
            options: BTreeMap::from([("simcloud-endpoint".to_owned(), endpoint.to_owned())]),
            credentials: BTreeMap::from([("simcloud-key".to_owned(), Secret::new(key))]),
            ..Access::plain("test".parse().unwrap())
        };
        kind.open(access).await
    }

    async fn on(&self, cloud: &Cloud) -> Arc<dyn Driver> {
        self.open(cloud.endpoint(), KEY).await.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn template(options: &[(&str, &str)]) -> Template {
    Template {
        driver: "simcloud".parse().unwrap(),
        account: "test".parse().unwrap(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        labels: BTreeMap::new(),
    }
}

fn intent() -> CreateIntent {
    let agent_config = Secret::new("");
    let bootstrap = Bootstrap { agent_urls: Vec::new(), agent_sha256: String::new(), agent_config };
    CreateIntent {
        cluster: "c".to_owned(),
        intent: IntentId::new(1, 7),
        token: "token".to_owned(),
        template: template(&[]),
        slots: vec![Slot { name: "h".to_owned(), host: HostId::new(1, 1), incarnation: 1, bootstrap }],
        lost: false,
        inherited: None,
    }
}

fn kind<T: std::fmt::Debug>(answer: Result<T, DriverError>) -> ErrorKind {
    answer.unwrap_err().kind
}

/// It was done, and only the provider knows: skep has to look.
#[tokio::test]
async fn an_answer_lost_in_python_is_ambiguous() {
    let program = Program::start();
    let cloud = Cloud::start("[behaviour]\nlost_replies_percent = 100\n", KEY);
    let driver = program.on(&cloud).await;
    assert_eq!(kind(driver.ensure(&intent()).await), ErrorKind::Ambiguous);
    let made = driver.list("c", None).await.unwrap().instances;
    let target = [Target::from(&made[0])];
    assert_eq!(kind(driver.power("c", PowerAction::Kill, &target).await), ErrorKind::Ambiguous);
    assert_eq!(kind(driver.destroy("c", &target).await), ErrorKind::Ambiguous);
    assert!(driver.list("c", None).await.unwrap().instances.is_empty());
}

#[tokio::test]
async fn a_refusal_in_python_says_what_to_do() {
    let program = Program::start();
    let cloud = Cloud::start("[behaviour]\ncalls_per_second = 1\n", KEY);
    let driver = program.on(&cloud).await;
    let refused = kind(driver.check(&template(&[("simcloud-zone", "mars")])).await);
    let ErrorKind::InvalidSpec { violations } = refused else { panic!("{refused:?}") };
    assert_eq!(violations[0].field, "template.options.simcloud-zone");
    let throttled = kind(driver.ensure(&intent()).await);
    let ErrorKind::Throttled { retry_after } = throttled else { panic!("{throttled:?}") };
    assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_secs(1), "{retry_after:?}");

    let driver = program.open(cloud.endpoint(), "sesame").await.unwrap();
    assert_eq!(kind(driver.check(&template(&[])).await), ErrorKind::Auth);
    let gone = cloud.endpoint().to_owned();
    drop(cloud);
    let driver = program.open(&gone, KEY).await.unwrap();
    assert_eq!(kind(driver.ensure(&intent()).await), ErrorKind::Unavailable);
    // The key would be read on the way.
    let open = program.open("http://192.0.2.1:80", KEY).await.map(drop);
    assert!(matches!(kind(open), ErrorKind::InvalidSpec { .. }));
}
