//! Callers that are not who they should be, and requests that `skep` would never send.

use std::path::{Path, PathBuf};
use std::process::Command;

use skep_proto::agent::EnrolRequest;
use skep_proto::agent::enrolment_client::EnrolmentClient;
use skep_proto::v1::hosts_client::HostsClient;
use skep_proto::v1::{CreateHostsRequest, ListHostsRequest, Mutation, Template};
use skep_tests::processes::raw::{Caller, channel};
use skep_tests::processes::{Processes, Programs, run};
use skep_tls::Key;
use tonic::{Code, Status};

use crate::refused::{Expected, refused};

/// As `skep` ends when its certificate is not believed.
const FORBIDDEN: i32 = 6;

/// Somebody's own cluster, with the other's addresses and root written into its configuration.
pub(crate) fn a_certificate_of_another_cluster(cluster: &Processes) {
    let folder = cluster.folder().join("elsewhere");
    let config = folder.join("config.toml");
    let data = folder.join("c1");
    let mut init = Command::new(Programs::from_environment().skepd);
    init.arg("init").arg("--data").arg(data).arg("--operator-config").arg(&config);
    run(init.args(["--advertise", "127.0.0.1:1", "--raft-advertise", "127.0.0.1:2"]));
    let ours = std::fs::read_to_string(cluster.config()).unwrap();
    let theirs = std::fs::read_to_string(&config).unwrap();
    let coordinators = ours.lines().find(|line| line.starts_with("coordinators = ")).unwrap();
    let lines: Vec<&str> = theirs
        .lines()
        .map(|line| if line.starts_with("coordinators = ") { coordinators } else { line })
        .collect();
    std::fs::write(&config, lines.join("\n")).unwrap();
    let answer = cluster.skep().with_config(config.clone()).ask(&["ls"]);
    assert_eq!(answer.code, FORBIDDEN, "their root does not know us: {}", answer.stderr);
    std::fs::copy(ca(&cluster.config()), ca(&config)).unwrap();
    let answer = cluster.skep().with_config(config).ask(&["create", "stolen"]);
    assert_eq!(answer.code, FORBIDDEN, "our root does not know them: {}", answer.stderr);
    refused(cluster, &["inspect", "stolen"], Expected { code: 3, says: &["stolen"] });
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn callers_past_the_client(cluster: &Processes, host: &str) {
    let agent = Agent::of(cluster, host);
    nobody_lists(cluster).await;
    an_agent_is_no_person(cluster, &agent).await;
    a_used_token_serves_no_other_key(cluster, &agent).await;
    twenty_mebibytes_are_too_many(cluster).await;
}

/// What an agent was given, read from its host.
struct Agent {
    subject: String,
    token: String,
    certificate: String,
    key: String,
}

impl Agent {
    fn of(cluster: &Processes, host: &str) -> Self {
        let container = cluster.engine().container(cluster.cluster(), host);
        let read = |path: &str| cluster.engine().docker(&["exec", &container, "cat", path]);
        let config = read("/etc/skep/agent.toml");
        let value = |key: &str| {
            let line = config.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('='));
            line.unwrap_or_else(|| panic!("the agent's configuration has no {key}"))
                .trim()
                .trim_matches('"')
                .to_owned()
        };
        let identity: serde_json::Value = serde_json::from_str(&read("/var/lib/skep/identity.json")).unwrap();
        Self {
            subject: value("subject"),
            token: value("token"),
            certificate: identity["certificate"].as_str().unwrap().to_owned(),
            key: read("/var/lib/skep/agent.key"),
        }
    }

    fn caller(&self) -> Caller<'_> {
        Caller::Certificate { chain: &self.certificate, key: &self.key }
    }

    fn enrolment(&self) -> EnrolRequest {
        EnrolRequest {
            subject: self.subject.clone(),
            token: self.token.clone(),
            signing_request: Key::generate().unwrap().signing_request_der().unwrap().into(),
            ..EnrolRequest::default()
        }
    }
}

async fn nobody_lists(cluster: &Processes) {
    let channel = channel(cluster.address(0), &ca(&cluster.config()), Caller::Nobody).await.unwrap();
    let refusal = HostsClient::new(channel).list(ListHostsRequest::default()).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated, "{refusal}");
}

async fn an_agent_is_no_person(cluster: &Processes, agent: &Agent) {
    let channel = channel(cluster.address(0), &ca(&cluster.config()), agent.caller()).await.unwrap();
    let refusal = HostsClient::new(channel.clone()).list(ListHostsRequest::default()).await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied, "{refusal}");
    let refusal = HostsClient::new(channel).create(create("taken-over", String::new())).await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied, "{refusal}");
}

async fn a_used_token_serves_no_other_key(cluster: &Processes, agent: &Agent) {
    let refusal = enrol(cluster, agent).await;
    assert!(matches!(refusal.code(), Code::PermissionDenied | Code::Unauthenticated), "{refusal}");
    assert!(refusal.message().contains("token") || refusal.message().contains("key"), "{refusal}");
}

/// Its time is over with its host, whatever its clock says.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn a_token_of_a_deleted_host(cluster: &Processes, host: &str) {
    let agent = Agent::of(cluster, host);
    cluster.skep().text(&["rm", "-y", host]);
    let refusal = enrol(cluster, &agent).await;
    assert!(matches!(refusal.code(), Code::PermissionDenied | Code::Unauthenticated), "{refusal}");
    let channel = channel(cluster.address(0), &ca(&cluster.config()), agent.caller()).await.unwrap();
    let renewal = skep_proto::agent::RenewRequest { signing_request: agent.enrolment().signing_request };
    let refusal = EnrolmentClient::new(channel).renew(renewal).await.unwrap_err();
    assert!(matches!(refusal.code(), Code::PermissionDenied | Code::Unauthenticated), "{refusal}");
    assert_eq!(cluster.skep().text(&["ls", "-q"]), "");
}

async fn enrol(cluster: &Processes, agent: &Agent) -> Status {
    let channel = channel(cluster.address(0), &ca(&cluster.config()), Caller::Nobody).await.unwrap();
    EnrolmentClient::new(channel).enrol(agent.enrolment()).await.unwrap_err()
}

async fn twenty_mebibytes_are_too_many(cluster: &Processes) {
    let folder = cluster.config().parent().unwrap().to_owned();
    let text = std::fs::read_to_string(cluster.config()).unwrap();
    let file = |key: &str| std::fs::read_to_string(folder.join(value(&text, key))).unwrap();
    let (chain, key) = (file("certificate"), file("key"));
    let caller = Caller::Certificate { chain: &chain, key: &key };
    let channel = channel(cluster.address(0), &ca(&cluster.config()), caller).await.unwrap();
    let request = create("big", "x".repeat(20 << 20));
    let refusal = HostsClient::new(channel.clone()).create(request).await.unwrap_err();
    assert!(matches!(refusal.code(), Code::OutOfRange | Code::ResourceExhausted), "{refusal}");
    HostsClient::new(channel).list(ListHostsRequest::default()).await.expect("it still answers others");
}

fn create(name: &str, label: String) -> CreateHostsRequest {
    CreateHostsRequest {
        mutation: Some(Mutation { request_id: name.to_owned(), ..Mutation::default() }),
        template: Some(Template {
            driver: "local".to_owned(),
            labels: [("label".to_owned(), label)].into(),
            ..Template::default()
        }),
        name: name.to_owned(),
        count: 1,
        ..CreateHostsRequest::default()
    }
}

/// The file that the configuration names as its root.
fn ca(config: &Path) -> PathBuf {
    let text = std::fs::read_to_string(config).unwrap();
    config.with_file_name(value(&text, "ca"))
}

fn value(config: &str, key: &str) -> String {
    let start = format!("{key} = \"");
    let line = config.lines().find_map(|line| line.strip_prefix(&start)).unwrap();
    line.trim_end_matches('"').to_owned()
}
