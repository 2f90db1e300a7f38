//! `skep swarm create`.

use skep_proto::v1::CreateSwarmRequest;
use skep_proto::v1::swarms_client::SwarmsClient;

use crate::commands::template::Making;
use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::finish;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The swarm's name; its hosts are named NAME-manager-1, NAME-worker-1 and so on.
    name: String,
    /// How many managers: 1, 3, 5 or 7.
    #[arg(long, default_value_t = 3)]
    managers: u32,
    /// How many workers.
    #[arg(long, default_value_t = 0)]
    workers: u32,
    #[command(flatten)]
    making: Making,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let request = CreateSwarmRequest {
        mutation: Some(args.making.asking.mutation()),
        name: args.name,
        template: args.making.template.template(context).await?,
        spread: args.making.template.spread(context).await?,
        managers: args.managers,
        workers: args.workers,
        policy: args.making.policy(),
        on_failure: args.making.on_failure(),
    };
    let operation = context
        .client()
        .await?
        .call(request, |channel, request| async move { SwarmsClient::new(channel).create(request).await })
        .await?;
    finish(context, operation, &args.making.asking, &args.making.waiting).await
}
