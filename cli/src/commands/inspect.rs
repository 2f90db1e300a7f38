//! `skep inspect`: one JSON object for each host, one after another.

use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::hosts;
use crate::output::json;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names or ids.
    #[arg(required = true, value_name = "HOST")]
    hosts: Vec<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let (found, result) = each(context, &args.hosts, async |name| hosts::get(client, name).await).await;
    for host in &found {
        context.print(&json::text(&json::host(host)))?;
    }
    result
}
