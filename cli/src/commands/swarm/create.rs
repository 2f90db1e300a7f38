//! `skep swarm create`.

use skep_proto::v1::swarms_client::SwarmsClient;
use skep_proto::v1::{CreateSwarmRequest, OnFailure, Policy};

use crate::commands::template::{OnFailureArg, PolicyArg, Shape};
use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting, finish};

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
    /// What counts as success; managers are always needed.
    #[arg(long, value_enum, default_value = "best-effort")]
    policy: PolicyArg,
    /// What becomes of hosts that failed.
    #[arg(long, value_enum, default_value = "keep")]
    on_failure: OnFailureArg,
    #[command(flatten)]
    template: Shape,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let request = CreateSwarmRequest {
        mutation: Some(args.asking.mutation()),
        name: args.name,
        template: Some(args.template.template(context).await?),
        managers: args.managers,
        workers: args.workers,
        policy: Policy::from(args.policy).into(),
        on_failure: OnFailure::from(args.on_failure).into(),
    };
    let operation = context
        .client()
        .await?
        .call(request, |channel, request| async move { SwarmsClient::new(channel).create(request).await })
        .await?;
    finish(context, operation, &args.asking, &args.waiting).await
}
