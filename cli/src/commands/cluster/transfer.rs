//! `skep cluster transfer`.

use skep_proto::v1::TransferLeadershipRequest;
use skep_proto::v1::cluster_client::ClusterClient;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The coordinator that is to lead, such as c2; else any other.
    coordinator: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let request = TransferLeadershipRequest { coordinator: args.coordinator.unwrap_or_default() };
    let reply = context
        .client()
        .await?
        .call(request, |channel, request| async move {
            ClusterClient::new(channel).transfer_leadership(request).await
        })
        .await?;
    context.print(&format!("{}\n", reply.leader))
}
