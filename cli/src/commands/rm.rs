//! `skep rm`.

use skep_proto::v1::DeleteHostsRequest;
use skep_proto::v1::hosts_client::HostsClient;

use crate::confirm::confirm;
use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting, finish};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names or ids.
    #[arg(required = true, value_name = "HOST")]
    hosts: Vec<String>,
    /// Also a swarm's last manager, and its quorum with it; and what an adopted machine or a plugin never lets go, after
    /// three tries, with what is left there. Implies --yes.
    #[arg(long, short)]
    force: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    if !(args.yes || args.force || args.asking.dry_run) {
        confirm(context, &format!("Delete {}?", args.hosts.join(", "))).await?;
    }
    let request =
        DeleteHostsRequest { mutation: Some(args.asking.mutation()), hosts: args.hosts, force: args.force };
    let operation = context
        .client()
        .await?
        .call(request, |channel, request| async move { HostsClient::new(channel).delete(request).await })
        .await?;
    finish(context, operation, &args.asking, &args.waiting).await
}
