//! Hosts, as commands ask for them.

use skep_proto::v1::hosts_client::HostsClient;
use skep_proto::v1::{GetHostRequest, Host, ListHostsRequest};

use crate::client::Client;
use crate::failure::Failure;
use crate::output::natural;

/// The Docker front door's port on every host.
const DOCKER_PORT: u16 = 2376;

pub(crate) async fn get(client: &Client, name: &str) -> Result<Host, Failure> {
    let request = GetHostRequest { host: name.to_owned() };
    client.call(request, |channel, request| async move { HostsClient::new(channel).get(request).await }).await
}

/// All that match, over as many pages as there are, by name.
pub(crate) async fn list(client: &Client, filters: &[String]) -> Result<Vec<Host>, Failure> {
    let mut hosts = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListHostsRequest { page_size: 0, page_token, filters: filters.to_vec() };
        let page = client
            .call(request, |channel, request| async move { HostsClient::new(channel).list(request).await })
            .await?;
        let empty = page.hosts.is_empty();
        hosts.extend(page.hosts);
        // An empty page that promises more would have us ask for ever.
        if page.next_page_token.is_empty() || empty {
            break;
        }
        page_token = page.next_page_token;
    }
    hosts.sort_by(|a, b| natural::compare(&a.name, &b.name));
    Ok(hosts)
}

/// Where people reach it: its public address, else its private one; None while it has neither.
pub(crate) fn address(host: &Host) -> Option<&str> {
    [&host.public_address, &host.private_address]
        .into_iter()
        .map(String::as_str)
        .find(|address| !address.is_empty())
}

/// Empty while the host has no address.
pub(crate) fn url(host: &Host) -> String {
    match address(host) {
        Some(address) if address.contains(':') => format!("tcp://[{address}]:{DOCKER_PORT}"),
        Some(address) => format!("tcp://{address}:{DOCKER_PORT}"),
        None => String::new(),
    }
}

pub(crate) fn no_address(host: &Host) -> Failure {
    Failure::Precondition(format!("{} has no address yet: it is {}", host.name, host.phase))
}
