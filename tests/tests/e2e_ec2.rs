//! A swarm on EC2, emulated but for its machines: real agents come with the user-data of their instances, and prove by
//! their identity documents which they are.

#![allow(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "e2e/stolen.rs"]
mod stolen;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use skep_tests::ec2::Ec2;
use skep_tests::print;
use skep_tests::processes::{Processes, Settings, run};
use skep_tests::wait::until_true;
use skep_tests_ec2::{Behaviour, Documents};

use stolen::Thief;

/// A list of nodes follows the swarm's making within moments.
const SOON: Duration = Duration::from_secs(30);
/// A machine boots and enrols within seconds; on a machine that does much beside, in ten times that.
const BOOTS: Duration = Duration::from_secs(120);

fn containers(prefix: &str) -> Vec<String> {
    let filter = format!("label=skep-tests={prefix}");
    run(Command::new("docker").args(["ps", "-aq", "--filter", &filter])).lines().map(str::to_owned).collect()
}

#[test]
fn a_swarm_is_made_of_instances_and_leaves_none() {
    let prefix = format!("e2e-ec2-{}", std::process::id());
    let behaviour = Behaviour { visible_after: Duration::from_secs(1), ..Behaviour::limited() };
    let ec2 = Ec2::with_hosts(behaviour, &prefix);
    let settings = Settings { plugin_path: Some(ec2.plugin_path()), ..Settings::default() };
    let cluster = Processes::start_with(3, &settings);
    let skep = cluster.skep();
    ec2.add_account(&skep, "aws");
    let started = Instant::now();
    skep.text(&[
        "swarm",
        "create",
        "cloud",
        "--managers",
        "1",
        "--workers",
        "2",
        "--driver",
        "amazonec2",
        "--account",
        "aws",
    ]);
    print(&format!("a swarm of three on EC2 after {:.1?}; {:?}", started.elapsed(), ec2.world().seen()));
    let docker = cluster.docker(&["--swarm", "cloud"]);
    until_true(SOON, "all nodes are ready", || {
        let nodes = docker.nodes().unwrap_or_default();
        nodes.len() == 3 && nodes.iter().all(|(_, status, _)| status == "Ready")
    });
    // Nodes are called as EC2 calls its machines.
    let hosts: BTreeSet<String> = skep.lines(&["ls", "-q", "--filter", "phase=Ready"]).into_iter().collect();
    assert_eq!(hosts, ["cloud-manager-1", "cloud-worker-1", "cloud-worker-2"].map(str::to_owned).into());
    assert_eq!((ec2.world().seen().made, ec2.world().living().len(), containers(&prefix).len()), (3, 3, 3));
    skep.text(&["swarm", "rm", "-y", "cloud"]);
    assert_eq!(ec2.world().living(), BTreeSet::new(), "instances");
    ec2.settle();
    assert_eq!(containers(&prefix), Vec::<String>::new(), "machines");
}

/// What the machine's agent has logged; nothing, as long as there is no machine yet.
fn journal(container: &str) -> String {
    let words = ["exec", container, "journalctl", "--no-pager", "--unit", "skep-agent"];
    let output = Command::new("docker").args(words).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn inside(container: &str, words: &[&str]) -> String {
    run(Command::new("docker").args(["exec", container]).args(words))
}

/// With which the machine's agent enrols.
fn token(container: &str) -> String {
    let config = inside(container, &["cat", "/etc/skep/agent.toml"]);
    let token = config.lines().find_map(|line| line.strip_prefix("token = \"")).unwrap();
    token.trim_end_matches('"').to_owned()
}

/// The machine's own agent is the first of them: its metadata shows it a document that somebody else has signed.
#[test]
fn a_stolen_token_without_its_instances_document_enrols_nobody() {
    let prefix = format!("e2e-stolen-{}", std::process::id());
    let ec2 = Ec2::with_hosts(Behaviour::default(), &prefix);
    let hosts = ec2.hosts().unwrap();
    hosts.show(Documents::Forged);
    let settings = Settings { plugin_path: Some(ec2.plugin_path()), ..Settings::default() };
    let cluster = Processes::start_with(1, &settings);
    let skep = cluster.skep();
    ec2.add_account(&skep, "aws");
    skep.text(&["create", "web", "--driver", "amazonec2", "--account", "aws", "--no-wait"]);
    let phase = || skep.json(&["inspect", "web"])["phase"].as_str().unwrap_or_default().to_owned();
    until_true(BOOTS, "the instance is bound", || phase() == "Booting");
    let instance = ec2.world().living().pop_first().unwrap();
    let container = hosts.container(&instance);
    let distrusted = "not signed by a key that this account trusts";
    until_true(BOOTS, "its agent is refused", || journal(&container).contains(distrusted));

    let thief = Thief { cluster: &cluster, token: token(&container) };
    thief.refused("", &["no identity document"]);
    thief.refused("not a document", &["cannot be read"]);
    thief.refused(&inside(&container, &["cat", "/etc/skep/evidence"]), &["not signed"]);
    thief.refused(&hosts.document("i-0123456789abcdef0").unwrap(), &["not for instance i-0123456789abcdef0"]);
    assert_eq!(phase(), "Booting", "what was refused has changed something");

    // Once its metadata is EC2's again, the machine is the host; its document serves no other key.
    hosts.show(Documents::Signed);
    inside(&container, &["sh", "/var/lib/skep/user-data"]);
    inside(&container, &["systemctl", "restart", "skep-agent"]);
    until_true(BOOTS, "the host is ready", || phase() == "Ready");
    thief.refused(&hosts.document(&instance).unwrap(), &["another key"]);
    skep.text(&["rm", "-y", "web"]);
    ec2.settle();
    assert_eq!(containers(&prefix), Vec::<String>::new(), "machines");
}

/// An account's default. The machines share a token, as they come of one call, and are reached by public addresses only,
/// which EC2 tells some time after it has made them.
#[test]
fn without_documents_an_agent_is_the_instance_at_whose_address_it_calls_from() {
    let prefix = format!("e2e-address-{}", std::process::id());
    let ec2 = Ec2::with_hosts(Behaviour { outside: true, ..Behaviour::limited() }, &prefix);
    let settings = Settings { plugin_path: Some(ec2.plugin_path()), ..Settings::default() };
    let cluster = Processes::start_with(1, &settings);
    let skep = cluster.skep();
    ec2.add_account_by_address(&skep, "aws");
    skep.text(&["create", "web", "--count", "3", "--driver", "amazonec2", "--account", "aws"]);
    assert_eq!(ec2.world().seen().creates.len(), 1);
    let container = |instance: &str| ec2.hosts().unwrap().container(instance);
    let tokens: BTreeSet<String> = ec2.world().living().iter().map(|id| token(&container(id))).collect();
    let [token] = &tokens.into_iter().collect::<Vec<_>>()[..] else { panic!("more tokens than one") };
    for name in ["web-1", "web-2", "web-3"] {
        let host = skep.json(&["inspect", name]);
        let [id, instance, public, private] = ["id", "provider_id", "public_address", "private_address"]
            .map(|field| host[field].as_str().unwrap());
        assert!(journal(&container(instance)).contains(id), "{instance} is not {name}, {id}");
        assert_ne!(public, private);
        assert_eq!(skep.text(&["ip", name]), public);
        // Its certificate names the address.
        cluster.docker(&[name]).text(&["version"]);
    }
    let thief = Thief { cluster: &cluster, token: token.clone() };
    thief.sent_away(&["not known yet to be one of this token's"]);
    skep.text(&["rm", "-y", "web-1", "web-2", "web-3"]);
    ec2.settle();
    assert_eq!(containers(&prefix), Vec::<String>::new(), "machines");
}
