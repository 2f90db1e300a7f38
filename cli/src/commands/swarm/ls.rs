//! `skep swarm ls`.

use skep_proto::v1::swarms_client::SwarmsClient;
use skep_proto::v1::{ListSwarmsRequest, Swarm};

use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Format, age, json, natural, table};

const HEADINGS: [&str; 6] = ["NAME", "STATE", "MANAGERS", "WORKERS", "LEADER", "AGE"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print names only.
    #[arg(long, short, conflicts_with = "output")]
    quiet: bool,
    /// How to print.
    #[arg(long, short, value_enum, default_value = "table")]
    output: Format,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let swarms = list(context.client().await?).await?;
    context.print(&match args.output {
        _ if args.quiet => swarms.iter().map(|swarm| format!("{}\n", swarm.name)).collect(),
        Format::Json => json::list(&swarms, json::swarm),
        Format::Table => table::table(&HEADINGS, swarms.iter().map(row)),
    })
}

async fn list(client: &Client) -> Result<Vec<Swarm>, Failure> {
    let mut swarms = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListSwarmsRequest { page_size: 0, page_token };
        let page = client
            .call(request, |channel, request| async move { SwarmsClient::new(channel).list(request).await })
            .await?;
        let empty = page.swarms.is_empty();
        swarms.extend(page.swarms);
        // An empty page that promises more would have us ask for ever.
        if page.next_page_token.is_empty() || empty {
            break;
        }
        page_token = page.next_page_token;
    }
    swarms.sort_by(|a, b| natural::compare(&a.name, &b.name));
    Ok(swarms)
}

fn row(swarm: &Swarm) -> Vec<String> {
    vec![
        swarm.name.clone(),
        swarm.state.clone(),
        format!("{}/{}", swarm.managers_ready, swarm.managers),
        format!("{}/{}", swarm.workers_ready, swarm.workers),
        swarm.leader.clone(),
        age::short(swarm.age_ms),
    ]
}
