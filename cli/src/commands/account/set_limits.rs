//! `skep account set-limits`.

use skep_proto::v1::SetAccountLimitsRequest;
use skep_proto::v1::drivers_client::DriversClient;

use super::limits::Limits;
use crate::context::Context;
use crate::failure::Failure;
use crate::mutation::{Asking, Waiting, finish};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account.
    name: String,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    waiting: Waiting,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let mutation = Some(args.asking.mutation());
    let request = SetAccountLimitsRequest { mutation, name: args.name, limits: Some(args.limits.read()?) };
    let operation = context
        .client()
        .await?
        .call(request, |channel, request| async move {
            DriversClient::new(channel).set_account_limits(request).await
        })
        .await?;
    finish(context, operation, &args.asking, &args.waiting).await
}
