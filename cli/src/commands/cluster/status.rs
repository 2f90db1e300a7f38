//! `skep cluster status`.

use skep_proto::v1::cluster_client::ClusterClient;
use skep_proto::v1::{ClusterStatus, Coordinator, StatusRequest};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, json, table};

const HEADINGS: [&str; 8] = ["ID", "ADDRESS", "RAFT", "MEMBERSHIP", "STATE", "AGENTS", "DRIVERS", "VERSION"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How to print.
    #[arg(long, short, value_enum, default_value = "table")]
    output: Format,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let status = context
        .client()
        .await?
        .call(StatusRequest {}, |channel, request| async move {
            ClusterClient::new(channel).status(request).await
        })
        .await?;
    context.print(&match args.output {
        Format::Json => json::text(&json::cluster(&status)),
        Format::Table => text(&status),
    })
}

fn text(status: &ClusterStatus) -> String {
    let leader = if status.leader.is_empty() { "none: an election is under way" } else { &status.leader };
    let mut phases: Vec<String> =
        status.phases.iter().map(|(phase, count)| format!("{phase} {count}")).collect();
    phases.sort();
    let phases = if phases.is_empty() { String::new() } else { format!(" ({})", phases.join(", ")) };
    let mut text =
        format!("cluster {}, epoch {}, revision {}\n", status.cluster, status.epoch, status.revision);
    text.push_str(&format!("leader {leader}, term {}; answered by {}\n", status.term, status.coordinator));
    text.push_str(&format!(
        "{} hosts{phases}, {} swarms, {} running operations\n\n",
        status.hosts, status.swarms, status.running_operations
    ));
    text.push_str(&table::table(&HEADINGS, status.coordinators.iter().map(row)));
    text
}

fn row(coordinator: &Coordinator) -> Vec<String> {
    let state = match (coordinator.leader, coordinator.alive) {
        (true, _) => "leader",
        (false, true) => "alive",
        (false, false) => "silent",
    };
    vec![
        coordinator.id.clone(),
        coordinator.address.clone(),
        coordinator.raft_address.clone(),
        coordinator.membership.clone(),
        state.to_owned(),
        coordinator.agents.to_string(),
        coordinator.drivers.join(","),
        coordinator.version.clone(),
    ]
}
