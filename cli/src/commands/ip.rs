//! `skep ip`: the address, one line for each host.

use crate::context::Context;
use crate::each::each;
use crate::failure::Failure;
use crate::hosts;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names or ids.
    #[arg(required = true, value_name = "HOST")]
    hosts: Vec<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let (found, result) = each(context, &args.hosts, async |name| {
        let host = hosts::get(client, name).await?;
        hosts::address(&host).map(str::to_owned).ok_or_else(|| hosts::no_address(&host))
    })
    .await;
    for address in &found {
        context.print(&format!("{address}\n"))?;
    }
    result
}
