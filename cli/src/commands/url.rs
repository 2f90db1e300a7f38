//! `skep url`: the Docker Engine's address, one line for each host.

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
        let url = hosts::url(&host);
        if url.is_empty() { Err(hosts::no_address(&host)) } else { Ok(url) }
    })
    .await;
    for url in &found {
        context.print(&format!("{url}\n"))?;
    }
    result
}
