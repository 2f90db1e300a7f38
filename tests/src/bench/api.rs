//! The public API, called as a platform would: gRPC with the operator's certificate.

use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use skep_proto::v1::cluster_client::ClusterClient;
use skep_proto::v1::hosts_client::HostsClient;
use skep_proto::v1::operations_client::OperationsClient;
use skep_proto::v1::{
    ClusterStatus, CreateHostsRequest, GetOperationRequest, Host, ListHostsRequest, Mutation, Operation,
    Policy, StatusRequest, Template,
};
use skep_tls::{ALPN_GRPC, Certified, Key, ServerTrust, Swap, client_config, connector, install_provider};
use tokio::runtime::Runtime;
use tonic::transport::{Channel, Endpoint};

/// For single answers.
const ANSWER: Duration = Duration::from_secs(30);

/// One connection to one coordinator, for callers that wait.
#[derive(Debug)]
pub struct Api {
    runtime: Runtime,
    channel: Channel,
}

impl Api {
    /// As the person of this configuration, to the coordinator at HOST:PORT.
    pub fn connect(config: &Path, address: &str) -> Self {
        install_provider();
        let folder = config.parent().unwrap();
        let text = std::fs::read_to_string(config).unwrap();
        let file = |name: &str| folder.join(value(&text, name));
        let key = Key::load(&file("key")).unwrap();
        let presented = Swap::new(Certified::load(&file("certificate"), &key).unwrap());
        let ca = std::fs::read_to_string(file("ca")).unwrap();
        let tls = client_config(ServerTrust::Roots(&ca), &presented, ALPN_GRPC).unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let runtime = Runtime::new().unwrap();
        let channel = runtime.block_on(endpoint.connect_with_connector(connector(tls))).unwrap();
        Self { runtime, channel }
    }

    /// One request for `count` simulated hosts: all of them or none.
    pub fn create(&self, name: &str, count: u32) -> Operation {
        self.create_of("sim", "", name, count, Policy::AllOrNothing)
    }

    /// As [`Self::create`], of an account; "" for the driver's own.
    pub fn create_of(
        &self,
        driver: &str,
        account: &str,
        name: &str,
        count: u32,
        policy: Policy,
    ) -> Operation {
        let (driver, account) = (driver.to_owned(), account.to_owned());
        let template = Template { driver, account, ..Template::default() };
        let request = CreateHostsRequest {
            mutation: Some(Mutation { request_id: format!("create-{name}"), ..Mutation::default() }),
            template: Some(template),
            name: name.to_owned(),
            count,
            policy: policy.into(),
            ..CreateHostsRequest::default()
        };
        let mut hosts = HostsClient::new(self.channel.clone());
        let answer = async { tokio::time::timeout(ANSWER, hosts.create(request)).await };
        self.runtime.block_on(answer).expect("create is answered in time").unwrap().into_inner()
    }

    /// Follows the operation until it has finished. Panics after `bound`, with where it was.
    pub fn finished(&self, operation: &str, bound: Duration, mut seen: impl FnMut(&Operation)) -> Operation {
        let request = GetOperationRequest { operation: operation.to_owned() };
        let mut operations = OperationsClient::new(self.channel.clone());
        let mut last = Operation::default();
        let follow = async {
            let mut changes = operations.watch(request).await.unwrap().into_inner();
            while let Some(change) = changes.next().await {
                last = change.unwrap();
                seen(&last);
            }
        };
        let followed = self.runtime.block_on(async { tokio::time::timeout(bound, follow).await });
        assert!(followed.is_ok(), "not within {bound:?}: {operation} finishes: {last:?}");
        last
    }

    /// Follows the operation until it is as wanted. Panics after `bound`, and when it finishes before.
    pub fn followed(&self, operation: &str, bound: Duration, wanted: impl Fn(&Operation) -> bool) {
        let request = GetOperationRequest { operation: operation.to_owned() };
        let mut operations = OperationsClient::new(self.channel.clone());
        let mut last = Operation::default();
        let follow = async {
            let mut changes = operations.watch(request).await.unwrap().into_inner();
            while let Some(change) = changes.next().await {
                last = change.unwrap();
                if wanted(&last) {
                    return true;
                }
            }
            false
        };
        let followed = self.runtime.block_on(async { tokio::time::timeout(bound, follow).await });
        assert!(followed == Ok(true), "not within {bound:?}: {operation} is as wanted: {last:?}");
    }

    /// All of them.
    pub fn hosts(&self) -> Vec<Host> {
        let mut hosts = HostsClient::new(self.channel.clone());
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListHostsRequest { page_token, ..ListHostsRequest::default() };
            let answer = async { tokio::time::timeout(ANSWER, hosts.list(request)).await };
            let page =
                self.runtime.block_on(answer).expect("a list is answered in time").unwrap().into_inner();
            all.extend(page.hosts);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    pub fn status(&self) -> ClusterStatus {
        let mut cluster = ClusterClient::new(self.channel.clone());
        let answer = async { tokio::time::timeout(ANSWER, cluster.status(StatusRequest {})).await };
        self.runtime.block_on(answer).expect("status is answered in time").unwrap().into_inner()
    }
}

/// Of a line `name = "value"`, as `skepd init` writes them.
fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name} = \"");
    let line = text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap();
    line.trim_end_matches('"')
}
