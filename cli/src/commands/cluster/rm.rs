//! `skep cluster rm`.

use skep_proto::v1::RemoveCoordinatorRequest;
use skep_proto::v1::cluster_client::ClusterClient;

use crate::confirm::confirm;
use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting, finish};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Such as c2. It never returns under this id.
    coordinator: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    if !(args.yes || args.asking.dry_run) {
        confirm(context, &format!("Take {} out of the cluster?", args.coordinator)).await?;
    }
    let request =
        RemoveCoordinatorRequest { mutation: Some(args.asking.mutation()), coordinator: args.coordinator };
    let operation = context
        .client()
        .await?
        .call(request, |channel, request| async move {
            ClusterClient::new(channel).remove_coordinator(request).await
        })
        .await?;
    finish(context, operation, &args.asking, &args.waiting).await
}
