//! What tests ask a simulated driver for.

use std::collections::BTreeMap;

use skep_driver::{Bootstrap, CreateIntent, Slot};
use skep_types::{AgentConfig, EnrolmentConfig, HostId, IntentId, Secret, Template};
use tokio::net::TcpListener;

/// An intent of the cluster `c`, which has a number, names and a token of its own.
pub(crate) fn intent(number: u64, slots: u64, agent_config: &str) -> CreateIntent {
    let slot = |n: u64| Slot {
        name: format!("host-{number}-{n}"),
        host: HostId::new(1, number * 1000 + n),
        incarnation: 1,
        bootstrap: Bootstrap {
            agent_urls: vec![],
            agent_sha256: String::new(),
            agent_config: Secret::new(agent_config),
        },
    };
    CreateIntent {
        cluster: "c".to_owned(),
        intent: IntentId::new(1, number),
        token: format!("token-{number}"),
        template: template(),
        slots: (0..slots).map(slot).collect(),
        lost: false,
        inherited: None,
    }
}

pub(crate) fn template() -> Template {
    Template {
        driver: "sim".parse().unwrap(),
        account: "sim".parse().unwrap(),
        options: BTreeMap::new(),
        labels: BTreeMap::new(),
    }
}

/// For agents that dial `listener`, as if it were a coordinator.
pub(crate) fn agent_config(listener: &TcpListener) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let ca = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap().pem();
    let config = AgentConfig {
        cluster: "c".to_owned(),
        coordinators: vec![listener.local_addr().unwrap().to_string()],
        ca,
        data_dir: AgentConfig::default_data_dir(),
        docker_socket: AgentConfig::default_docker_socket(),
        docker_port: AgentConfig::default_docker_port(),
        enrolment: EnrolmentConfig { subject: "h1-1".to_owned(), token: Secret::new("t") },
    };
    toml::to_string(&config).unwrap()
}
