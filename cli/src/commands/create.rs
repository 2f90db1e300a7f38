//! `skep create`: one host, or many of one shape.

use skep_proto::v1::CreateHostsRequest;
use skep_proto::v1::hosts_client::HostsClient;

use super::template::Making;
use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::finish;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The host's name; with --count above 1, hosts are named NAME-1 to NAME-COUNT.
    name: String,
    /// How many hosts.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// With best-effort: how many must be made, or all are undone.
    #[arg(long, value_name = "COUNT")]
    min_count: Option<u32>,
    /// Undo all when more hosts than this have failed before enough were made; 0 for no such bound.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    max_failures: u32,
    #[command(flatten)]
    making: Making,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let request = CreateHostsRequest {
        mutation: Some(args.making.asking.mutation()),
        template: args.making.template.template(context).await?,
        spread: args.making.template.spread(context).await?,
        name: args.name,
        count: args.count,
        min_count: args.min_count.unwrap_or_default(),
        policy: args.making.policy(),
        max_failures: args.max_failures,
        on_failure: args.making.on_failure(),
    };
    let operation = context
        .client()
        .await?
        .call(request, |channel, request| async move { HostsClient::new(channel).create(request).await })
        .await?;
    finish(context, operation, &args.making.asking, &args.making.waiting).await
}
