//! `skep ls`.

use skep_proto::v1::{ConditionStatus, Host};

use crate::context::Context;
use crate::failure::Failure;
use crate::hosts;
use crate::output::{Format, age, json, table};

const HEADINGS: [&str; 9] = ["NAME", "STATE", "DRIVER", "URL", "SWARM", "ROLE", "DOCKER", "AGE", "ERRORS"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only hosts that match, all of: name, phase, driver, swarm, role or operation=VALUE, label=KEY[=VALUE]. A VALUE
    /// may hold '*'.
    #[arg(long = "filter", short = 'f', value_name = "KEY=VALUE")]
    filters: Vec<String>,
    /// Print names only.
    #[arg(long, short, conflicts_with = "output")]
    quiet: bool,
    /// How to print.
    #[arg(long, short, value_enum, default_value = "table")]
    output: Format,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let hosts = hosts::list(context.client().await?, &args.filters).await?;
    let text = match args.output {
        _ if args.quiet => hosts.iter().map(|host| format!("{}\n", host.name)).collect(),
        Format::Json => json::list(&hosts, json::host),
        Format::Table => table::table(&HEADINGS, hosts.iter().map(row)),
    };
    context.print(&text)
}

fn row(host: &Host) -> Vec<String> {
    vec![
        host.name.clone(),
        host.phase.clone(),
        host.template.as_ref().map(|template| template.driver.clone()).unwrap_or_default(),
        hosts::url(host),
        host.swarm.clone(),
        json::node_role(host.role()).to_owned(),
        host.engine_version.clone(),
        age::short(host.age_ms),
        errors(host),
    ]
}

/// What failed; else, of a host that should serve, the first condition that does not hold.
fn errors(host: &Host) -> String {
    if !host.phase_message.is_empty() {
        return host.phase_message.clone();
    }
    if host.phase != "Ready" {
        return String::new();
    }
    let broken = host.conditions.iter().find(|condition| condition.status() == ConditionStatus::False);
    broken.map(|condition| format!("{}: {}", condition.reason, condition.message)).unwrap_or_default()
}
